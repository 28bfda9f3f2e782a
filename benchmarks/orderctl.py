"""``python -m benchmarks.orderctl``: the duration of orderctl's commands, each run as a process."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orderd.process.temporary import running_daemon

ORDERCTL = Path(sys.executable).with_name("orderctl")


MINIMAL_PROGRAM = """
import typer

app = typer.Typer()

@app.command()
def run(count: int = 1, name: str = "x") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("count", "name")
    table.add_row(str(count), name)
    Console().print(table)

app()
"""
"""A minimal program with the same libraries."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With compiled files, as for a user."""


def cpu_and_wall(command: Sequence[str | Path], runs: int) -> tuple[float, float]:
    """Median CPU and wall-clock seconds of a command."""
    cpu, wall = [], []
    for _ in range(runs):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(cpu), statistics.median(wall)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orderctl", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="number of runs per command [7]")
    runs: int = parser.parse_args().runs
    table = Table("", "CPU", "wall clock", "goal for CPU", title=f"orderctl on {os.cpu_count()} cores")

    def row(name: str, command: Sequence[str | Path], limit: float | None = None) -> None:
        cpu, wall = cpu_and_wall(command, runs)
        is_good = limit is None or cpu < limit
        goal = "" if limit is None else f"under {limit * 1000:.0f} ms"
        table.add_row(name, f"{cpu * 1000:.0f} ms", f"{wall * 1000:.0f} ms", goal, style="" if is_good else "red")

    row("minimal program with typer and rich", [sys.executable, "-c", MINIMAL_PROGRAM])
    row("orderctl --help", [ORDERCTL, "--help"], 0.080)
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_daemon(Path(directory), {"ORDERD_SIMNET_MARKET": "false"}) as daemon,
    ):
        client: list[str | Path] = [ORDERCTL, "--url", daemon.url]
        order = ("submit", "SOL", "USDC", "0.1", "--client-order-id", "bench", "-q")
        subprocess.run([*client, *order], stdout=subprocess.DEVNULL, check=True)
        for words in ("list", "quote SOL USDC 1", "show bench", "status", "balances", "events bench"):
            row(f"orderctl {words}", [*client, *words.split()], 0.170)
    Console().print(table)


if __name__ == "__main__":
    main()
