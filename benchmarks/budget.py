"""``python -m benchmarks.budget``: what an order makes the engine do, held against ``budget.toml``.

Seconds wobble on a machine that others use too; counts do not, when the same orders travel in the same batches. So the
parts of a gateway and of a worker run in one process (``benchmarks.in_process``): orders are accepted, taken from the
queue, signed, sent and settled, one at a time and in batches as large as a message, on a chain that answers at once and
on which no slot passes. A count that is more than a tenth above its budget is named, and the exit code is 1;
``--write`` makes the counts the budget.
"""

import argparse
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.in_process import per_order

BUDGET: Final = Path(__file__).with_name("budget.toml")
TOLERANCE: Final = 0.1
_HEAD: Final = """\
# What an order makes the engine do, by how many travel together; see benchmarks/budget.py.
# Written by: python -m benchmarks.budget --write
"""
Counts = Mapping[str, Mapping[str, float]]
"""By how many orders travel together, and by what is counted."""


def measured() -> Counts:
    return {f"{orders} together": counts for orders, counts in per_order().items()}


def budget() -> Counts:
    return tomllib.loads(BUDGET.read_text())


def excesses(counts: Counts, allowed: Counts) -> list[str]:
    """What is above its budget by more than the tolerance, or has none, in words."""
    return [
        f"{name}, {size}: {count:.4g} an order, the budget is {of_size.get(name, 0):.4g}"
        for size, of_size in ((size, allowed.get(size, {})) for size in counts)
        for name, count in counts[size].items()
        if count > of_size.get(name, 0) * (1 + TOLERANCE)
    ]


def write(counts: Counts) -> None:
    lines = [_HEAD]
    for size, of_size in counts.items():
        lines += [f'\n["{size}"]\n', *(f'"{name}" = {count:.4g}\n' for name, count in of_size.items())]
    BUDGET.write_text("".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {BUDGET.name} anew")
    arguments = parser.parse_args()
    counts = measured()
    if arguments.write:
        write(counts)
    allowed = budget()
    table = Table("an order", "counted", "budget")
    for size, of_size in counts.items():
        table.add_section()
        for name, count in of_size.items():
            table.add_row(f"{name}, {size}", f"{count:.4g}", f"{allowed.get(size, {}).get(name, 0):.4g}")
    Console().print(table)
    if above := excesses(counts, allowed):
        sys.exit("above the budget by more than a tenth:\n" + "\n".join(above))


if __name__ == "__main__":
    main()
