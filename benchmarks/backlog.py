"""``python -m benchmarks.backlog``: many orders wait for a node that hangs.

Shows what that costs, and how soon after the node's return they have ended.
"""

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import load
from benchmarks.cpu import seconds_by_process, since
from benchmarks.drain import CLIENTS, WARM_UP, drain
from benchmarks.engine import running_engine
from orderd.process.temporary import Daemon


@dataclass(frozen=True)
class Backlog:
    """``cpu`` is the share of a core that each process takes while the node hangs, ``seconds`` the time from the node's
    return to the end of the last order."""

    cpu: dict[str, float]
    seconds: float


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def measure(daemon: Daemon, chain_pid: int, orders: int, seconds: float) -> Backlog:
    """Measure a new daemon; the node hangs for ``seconds`` after all orders have been accepted."""
    await drain(daemon, WARM_UP)
    async with load.following(daemon.url) as seen:
        with _stopped(chain_pid):
            await load.submit_many(daemon.url, orders, CLIENTS)
            cpu, began = seconds_by_process(daemon.process.pid), time.monotonic()
            await asyncio.sleep(seconds)
            cpu, took = since(cpu, seconds_by_process(daemon.process.pid)), time.monotonic() - began
        returned = time.monotonic()
        await load.all_ended(seen, orders)
    return Backlog({name: used / took for name, used in cpu.items()}, time.monotonic() - returned)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the node hangs [20]")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_engine(Path(directory)) as (daemon, chain),
    ):
        found = uvloop.run(measure(daemon, chain.pid, given.orders, given.seconds))
    table = Table("", title=f"{given.orders} orders, {given.seconds:g} s")
    table.add_column("", justify="right")
    for name, share in found.cpu.items():
        table.add_row(f"CPU of one core while the node hangs, {name}", f"{share:.1%}")
    table.add_row("from its return to the end of the last order", f"{found.seconds:.1f} s")
    Console().print(table)


if __name__ == "__main__":
    main()
