"""``python -m benchmarks.baseline``: what the machine gives at this moment, which all else is measured by.

A loop in Python, durable commits of one connection, pgbench, echoes over a websocket, and stock Dramatiq that trades
nothing.
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
    """``spins`` are millions a second, ``commits`` and ``echoes`` a second, each one after another, ``pgbench`` its
    transactions a second."""

    spins: float
    commits: float
    pgbench: float
    echoes: float
    plain: Plain


@cache
def baseline() -> Baseline:
    """Measured once a run."""
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory:
        postgres = Postgres(Path(directory))
        child = postgres.start()
        try:
            commits, pgbench = machine.commits_a_second(postgres.url), machine.pgbench(postgres.url)
        finally:
            child.stop()
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory:
        plain = plain_engine(Path(directory), _MESSAGES)
    return Baseline(machine.spin_a_second(), commits, pgbench, asyncio.run(machine.echoes_a_second()), plain)


def tables() -> list[Table]:
    found = baseline()
    table = Table("the machine", "", title="What everything is measured by")
    table.add_row("turns of a loop in Python", f"{found.spins:.0f} M/s")
    table.add_row("commits, one after the other", f"{found.commits:.0f}/s, {1000 / found.commits:.2f} ms each")
    table.add_row("pgbench, ten clients", f"{found.pgbench:.0f} transactions/s")
    table.add_row("echoes over a websocket", f"{found.echoes:.0f}/s")
    table.add_row("stock Dramatiq, which trades nothing", f"{found.plain.messages_a_second:.0f} orders/s")
    table.add_row("CPU of that", f"{found.plain.cpu * 1000:.2f} ms an order")
    return [table]


if __name__ == "__main__":
    Console().print(*tables())
