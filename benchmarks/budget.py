"""``python -m benchmarks.budget`` compares the engine's operations per order with ``budget.toml``.

Times vary on a shared machine; counts do not, if the batches are the same. So the parts of a gateway and of a worker
run in one process (``benchmarks.in_process``): orders are accepted, taken from the queue, signed, sent and settled, one
by one and in full batches, on a chain that answers immediately and whose slot does not change. Reports each count that
exceeds its budget by more than a tenth, and exits with 1; ``--write`` stores the counts as the budget.
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
# The engine's operations per order, by batch size; see benchmarks/budget.py.
# Written by: python -m benchmarks.budget --write
"""
Counts = Mapping[str, Mapping[str, float]]
"""By batch size, and by operation."""


def measured() -> Counts:
    return {f"batch of {orders}": counts for orders, counts in per_order().items()}


def budget() -> Counts:
    return tomllib.loads(BUDGET.read_text())


def excesses(counts: Counts, allowed: Counts) -> list[str]:
    """Descriptions of the counts that exceed their budget by more than the tolerance, or have none."""
    return [
        f"{name}, {size}: {count:.4g} per order, the budget is {of_size.get(name, 0):.4g}"
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
    parser.add_argument("--write", action="store_true", help=f"store the counts in {BUDGET.name}")
    arguments = parser.parse_args()
    counts = measured()
    if arguments.write:
        write(counts)
    allowed = budget()
    table = Table("per order", "counted", "budget")
    for size, of_size in counts.items():
        table.add_section()
        for name, count in of_size.items():
            table.add_row(f"{name}, {size}", f"{count:.4g}", f"{allowed.get(size, {}).get(name, 0):.4g}")
    Console().print(table)
    if above := excesses(counts, allowed):
        sys.exit("above the budget by more than a tenth:\n" + "\n".join(above))


if __name__ == "__main__":
    main()
