"""``python -m benchmarks.baseline``: the current performance of the machine, as the baseline of other measurements.

A loop in Python, durable commits of one connection, pgbench, echoes over a websocket, and stock Dramatiq without
trades.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.plain import Plain, plain_engine
from orderd.embedded.postgres import Postgres

_MESSAGES: Final = 2_000


@dataclass(frozen=True)
class Baseline:
    """``spins`` in millions per second, consecutive ``commits`` and ``echoes`` per second, and ``pgbench`` in
    transactions per second."""

    spins: float
    commits: float
    pgbench: float
    echoes: float
    plain: Plain


@cache
def baseline() -> Baseline:
    """Measured once per process."""
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory:
        postgres = Postgres(Path(directory))
        child = postgres.start()
        try:
            commits, pgbench = machine.commits_per_second(postgres.url), machine.pgbench(postgres.url)
        finally:
            child.stop()
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory:
        plain = plain_engine(Path(directory), _MESSAGES)
    return Baseline(machine.spins_per_second(), commits, pgbench, asyncio.run(machine.echoes_per_second()), plain)


def tables() -> list[Table]:
    found = baseline()
    table = Table("", "", title="Performance of the machine")
    table.add_row("iterations of a loop in Python", f"{found.spins:.0f} M/s")
    table.add_row("consecutive commits", f"{found.commits:.0f}/s, {1000 / found.commits:.2f} ms each")
    table.add_row("pgbench, ten clients", f"{found.pgbench:.0f} transactions/s")
    table.add_row("echoes over a websocket", f"{found.echoes:.0f}/s")
    table.add_row("stock Dramatiq, without trades", f"{found.plain.messages_per_second:.0f} orders/s")
    table.add_row("stock Dramatiq, CPU", f"{found.plain.cpu * 1000:.2f} ms per order")
    return [table]


if __name__ == "__main__":
    Console().print(*tables())
