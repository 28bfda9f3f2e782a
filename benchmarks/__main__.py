"""``make bench``: submit latency, drain rate, event delay and CPU time of a whole daemon, as a table."""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import load, machine
from benchmarks.cpu import seconds_by_process, since
from benchmarks.plain import plain_engine
from orderd.embedded.postgres import Postgres
from orderd.process.temporary import Daemon, running_daemon

_SETTINGS = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_POOL_MAX_AGE_MS": "100",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_LOG_LEVEL": "warning",
}
_AS_IT_COMES = {"ORDERD_SIMNET_SLOT_MS": "400", "ORDERD_POOL_MAX_AGE_MS": "400"}
"""The chain's own pace; the drain is measured at a quicker one, so that slots are not what it waits for."""


def quantile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def milliseconds(values: Sequence[float]) -> tuple[str, str]:
    """Median and 99th percentile."""
    return f"{statistics.median(values) * 1000:.2f} ms", f"{quantile(values, 0.99) * 1000:.2f} ms"


def commits_a_second(state_dir: Path) -> float:
    """Of a Postgres that serves nobody else, set up as the daemon's own."""
    postgres = Postgres(state_dir)
    child = postgres.start()
    try:
        return machine.commits_a_second(postgres.url)
    finally:
        child.stop()


async def measure(daemon: Daemon, orders: int, table: Table) -> dict[str, float]:
    """Fills the table. Returns the seconds of CPU that an order took under load, by process."""
    url = daemon.url
    await load.submit_many(url, 100, 10)  # caches, connections and Python's own warm-up

    async with load.following(url) as seen:
        took = await load.submit_many(url, 200, 1)
        table.add_row("submit, 1 at a time", *milliseconds(took), f"{1 / statistics.mean(took):.0f} orders/s")
        await load.all_ended(seen, 200)
        table.add_row("commit to subscriber, calm", *milliseconds(seen.delays), f"{len(seen.delays)} events")

    async with load.following(url) as seen:
        used, began = seconds_by_process(daemon.process.pid), time.perf_counter()
        took = await load.submit_many(url, orders, 50)
        accepted = time.perf_counter() - began
        table.add_row("submit, 50 at a time", *milliseconds(took), f"{orders / accepted:.0f} orders/s")
        await load.all_ended(seen, orders)
        drained = time.perf_counter() - began
        confirmed = sum(outcome == "confirmed" for outcome in seen.outcomes.values())
        table.add_row("submit to end, all", "", "", f"{orders / drained:.0f} orders/s, {confirmed} confirmed")
        table.add_row("commit to subscriber, loaded", *milliseconds(seen.delays), f"{len(seen.delays)} events")
        used = since(used, seconds_by_process(daemon.process.pid))
        return {name: seconds / orders for name, seconds in used.items()}


async def time_to_confirm(url: str, orders: int) -> list[float]:
    """Seconds from a submission to its confirmation, of one order after the other."""
    took = []
    for _ in range(orders):
        async with load.following(url) as seen:
            began = time.perf_counter()
            await load.submit_many(url, 1, 1)
            await load.all_ended(seen, 1)
            took.append(time.perf_counter() - began)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000, help="orders to drain [1000]")
    arguments = parser.parse_args()

    table = Table("", "median", "p99", "rate", title=f"orderd on {os.cpu_count()} cores, ten worker threads, fsync on")
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory:
        table.add_row("this machine: Python loop", "", "", f"{machine.spin_a_second():.0f} M turns/s")
        table.add_row("this machine: commits", "", "", f"{commits_a_second(Path(directory, 'baseline')):.0f}/s")
        table.add_row("this machine: websocket echo", "", "", f"{asyncio.run(machine.echoes_a_second()):.0f}/s")
        plain = plain_engine(Path(directory, "plain"), 2_000)
        table.add_row("stock Dramatiq, which trades nothing", "", "", f"{plain.messages_a_second:.0f} orders/s")
        state_dir = Path(directory, "daemon")
        state_dir.mkdir()
        with running_daemon(state_dir, _SETTINGS) as daemon:
            table.add_section()
            used = asyncio.run(measure(daemon, arguments.orders, table))
        state_dir = Path(directory, "idle")
        state_dir.mkdir()
        with running_daemon(state_dir, {**_SETTINGS, **_AS_IT_COMES}) as daemon:
            took = asyncio.run(time_to_confirm(daemon.url, 20))
        table.add_row("submit to confirmed, slots of 400 ms, idle", *milliseconds(took), "")
    console = Console()
    console.print(table)
    console.print(_cpu_table(used, plain.cpu))


def _cpu_table(used: Mapping[str, float], plain: float) -> Table:
    table = Table("process", "CPU an order", "to stock Dramatiq", title="where the time goes, under load")
    busy = sorted(used.items(), key=lambda each: -each[1])[:5]  # the supervisor only waits
    for name, seconds in [*busy, ("all", sum(used.values()))]:
        table.add_row(name, f"{seconds * 1000:.2f} ms", f"{seconds / plain:.2f}")
    table.add_row("stock Dramatiq, which trades nothing", f"{plain * 1000:.2f} ms", "1.00")
    return table


if __name__ == "__main__":
    main()
