"""``python -m benchmarks.orderctl``: how long traders wait for their client. Each command is timed as a process."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orderd.process.temporary import running_daemon

ORDERCTL = Path(sys.executable).with_name("orderctl")


def cpu_and_wall(*args: str, url: str, runs: int) -> tuple[float, float]:
    """Median seconds of CPU and of wall clock that a command takes."""
    cpu, wall = [], []
    for _ in range(runs):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [ORDERCTL, "--url", url, *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(cpu), statistics.median(wall)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orderctl", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each command [7]")
    arguments = parser.parse_args()
    table = Table("", "measured", "wanted", title=f"orderctl on {os.cpu_count()} cores")

    def row(name: str, value: float, limit: float, shown: Callable[[float], str]) -> None:
        table.add_row(name, shown(value), f"under {shown(limit)}", style="" if value < limit else "red")

    def milliseconds(seconds: float) -> str:
        return f"{seconds * 1000:.0f} ms"

    cpu, _ = cpu_and_wall("--help", url="ws://127.0.0.1:1/", runs=arguments.runs)
    row("orderctl --help, CPU", cpu, 0.150, milliseconds)
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_daemon(Path(directory), {"ORDERD_SIMNET_MARKET": "false"}) as daemon,
    ):
        _, wall = cpu_and_wall("list", url=daemon.url, runs=arguments.runs)
    row("orderctl list, wall", wall, 0.300, milliseconds)
    Console().print(table)


if __name__ == "__main__":
    main()
