"""``make bench``: cost and latency of orders, beside the performance of the machine itself in the same run.

Nothing is asserted: on a shared machine only ratios within one run are comparable.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import baseline, connecting, engine, growth, recovery, triggers, workers

MEASURED: Final[dict[str, Callable[[], Sequence[Table]]]] = {
    "baseline": baseline.tables,
    "engine": engine.tables,
    "workers": workers.tables,
    "connecting": connecting.tables,
    "growth": growth.tables,
    "recovery": recovery.tables,
    "triggers": triggers.tables,
}
"""All measurements, in their order. Each can be run alone: ``python -m benchmarks.NAME``."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure [{', '.join(MEASURED)}]")
    names: list[str] = parser.parse_args().names or [*MEASURED]
    if unknown := [name for name in names if name not in MEASURED]:
        parser.error(f"{unknown[0]} is unknown; known are {', '.join(MEASURED)}")
    console = Console()
    python = f"Python {platform.python_version()} in {sys.base_prefix}"
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, fsync on, {python}", soft_wrap=True)
    for name in names:
        began = time.perf_counter()
        found = MEASURED[name]()
        console.rule(f"{name}, {time.perf_counter() - began:.0f} s", align="left")
        console.print(*found)


if __name__ == "__main__":
    main()
