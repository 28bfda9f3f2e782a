"""``python -m benchmarks.memory``: the memory that 10,000 more orders take in each process.

Uses a null chain, so that orders are fast. The first 10,000 fill the bounded caches; what the second 10,000 add, grows
with the number of orders.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.cpu import command_of, tree_of
from benchmarks.drain import drain
from benchmarks.null_chain import SETTINGS, running_null_chain
from orderd.process.temporary import running_daemon

GOAL_MIB: Final = 5.0
_MEASURED: Final = ("gateway", "worker", "run", "redis")
"""Without Postgres, whose processes share memory that would be counted in each."""


def memory_by_process(root: int) -> dict[str, float]:
    """Anonymous resident memory in MiB of ``root`` and its descendants, by command."""
    resident: dict[str, float] = {}
    for pid in tree_of(root):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            name = command_of(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = dict(line.split(":", 1) for line in lines)
        if "RssAnon" in fields:  # a process that has just ended has none
            resident[name] = resident.get(name, 0.0) + int(fields["RssAnon"].split()[0]) / 1024
    return resident


def measure(orders: int, times: int) -> Sequence[Mapping[str, float]]:
    """The memory of each process before, between and after ``times`` drains of ``orders`` orders."""
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_null_chain() as chain,
        running_daemon(Path(directory), {**SETTINGS, **chain.settings}) as daemon,
    ):
        seen = [memory_by_process(daemon.process.pid)]
        for _ in range(times):
            for _ in range(orders // 1_000):
                uvloop.run(drain(daemon, 1_000))
            seen.append(memory_by_process(daemon.process.pid))
        return seen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="number of orders per step [10000]")
    parser.add_argument("--times", type=int, default=2, help="number of steps [2]")
    arguments = parser.parse_args()
    seen = measure(arguments.orders, arguments.times)
    heads = [f"after {number * arguments.orders:,}" for number in range(len(seen))]
    table = Table("process", *heads, "last step", title=f"Memory in MiB; goal for the last step: {GOAL_MIB:.0f}")
    for name in _MEASURED:
        added = seen[-1][name] - seen[-2][name]
        figures = [f"{each[name]:.1f}" for each in seen]
        table.add_row(name, *figures, f"{added:+.1f}", style="" if added < GOAL_MIB else "red")
    Console().print(table)


if __name__ == "__main__":
    main()
