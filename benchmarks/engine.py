"""``python -m benchmarks.engine``: cost and latency of an order, with and without a chain.

A null chain, which answers immediately and executes nothing, shows the engine's own share. The local chain on the same
cores shows the total. CPU is shown by process and by thread, and relative to stock Dramatiq in the same run.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.baseline import baseline
from benchmarks.drain import CLIENTS, WARM_UP, Drain, Single, drain, one_by_one
from benchmarks.figures import milliseconds, times
from benchmarks.null_chain import SETTINGS, NullChain, running_null_chain
from orderd.process.temporary import Daemon, running_daemon

ORDERS: Final = 2_000
_SINGLES: Final = 100
_LOCAL_CHAIN: Final = {"ORDERD_SIMNET_SLOT_MS": "100", "ORDERD_SIMNET_MARKET": "false"}
"""Short slots, so that they do not determine the result."""
_MIN_SHOWN_SECONDS: Final = 0.00001


@dataclass(frozen=True)
class Engine:
    """A daemon on a null chain: orders one by one, then concurrent ones."""

    single: Single
    drained: Drain


@contextmanager
def running_engine(state_dir: Path) -> Iterator[tuple[Daemon, NullChain]]:
    """A daemon on a null chain."""
    with (
        running_null_chain() as chain,
        running_daemon(state_dir, {**SETTINGS, **chain.settings}) as daemon,
    ):
        yield daemon, chain


async def measure(daemon: Daemon, chain_pid: int, orders: int) -> Engine:
    """Measure a new daemon."""
    await drain(daemon, WARM_UP)
    single = await one_by_one(daemon, _SINGLES)
    return Engine(single, await drain(daemon, orders, chain_pid))


async def _with_chain(daemon: Daemon, orders: int) -> Drain:
    await drain(daemon, WARM_UP)
    return await drain(daemon, orders)


def tables(orders: int = ORDERS) -> list[Table]:
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_engine(Path(directory)) as (daemon, chain),
    ):
        engine = uvloop.run(measure(daemon, chain.pid, orders))
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_daemon(Path(directory), {**SETTINGS, **_LOCAL_CHAIN}) as daemon,
    ):
        with_chain = uvloop.run(_with_chain(daemon, orders))
    return [_latencies(engine), _rates(engine.drained, with_chain), _cpu(engine.drained, with_chain), _threads(engine)]


def _latencies(engine: Engine) -> Table:
    commit = 1 / baseline().commits
    table = Table("", "median", "p99", "in commits", title="Latencies, without a chain")
    for name, seconds in (
        ("submit to answer, 1 client", engine.single.submits),
        (f"submit to answer, {CLIENTS} clients", engine.drained.submits),
        ("submit to end, 1 client", engine.single.ends),
        ("event to subscriber, 1 client", engine.single.delays),
        (f"event to subscriber, {CLIENTS} clients", engine.drained.delays),
    ):
        table.add_row(name, *milliseconds(seconds), times(statistics.median(seconds), commit))
    return table


def _rates(engine_only: Drain, with_chain: Drain) -> Table:
    plain, pgbench = baseline().plain.messages_per_second, baseline().pgbench
    table = Table("orders per second", "", "relative to Dramatiq", "relative to pgbench", title="Rates")
    for chain, drained in (("without a chain", engine_only), ("with the local chain", with_chain)):
        for name, rate in (("accepted", drained.accepted), ("drained", drained.drained)):
            table.add_row(f"{name}, {chain}", f"{rate:.0f}", times(rate, plain), times(rate, pgbench))
    return table


def _cpu(engine_only: Drain, with_chain: Drain) -> Table:
    plain = baseline().plain.cpu
    table = Table(
        "process", "without a chain", "with the local chain", "relative to Dramatiq", title="CPU per order, in ms"
    )
    for name in sorted(engine_only.cpu | with_chain.cpu, key=lambda name: -with_chain.cpu.get(name, 0)):
        figures = [each.cpu.get(name, 0.0) for each in (engine_only, with_chain)]
        if max(figures) >= _MIN_SHOWN_SECONDS:
            table.add_row(name, *(f"{seconds * 1000:.2f}" for seconds in figures), times(figures[1], plain))
    engine = engine_only.cpu_of_all - engine_only.cpu["null chain"]
    table.add_row("all but the null chain", f"{engine * 1000:.2f}", "", "", style="bold")
    table.add_row(
        "all",
        f"{engine_only.cpu_of_all * 1000:.2f}",
        f"{with_chain.cpu_of_all * 1000:.2f}",
        times(with_chain.cpu_of_all, plain),
        style="bold",
    )
    return table


def _threads(engine: Engine) -> Table:
    table = Table("thread", "CPU per order, in ms", title="Threads of gateway and worker, without a chain")
    for name, seconds in sorted(engine.drained.threads.items(), key=lambda each: -each[1]):
        if seconds >= _MIN_SHOWN_SECONDS:
            table.add_row(name, f"{seconds * 1000:.2f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"number of orders [{ORDERS}]")
    Console().print(*tables(parser.parse_args().orders))


if __name__ == "__main__":
    main()
