"""``python -m benchmarks.growth``: cost of orders and queries through the gateway, by the number of stored orders.

The database is filled with statements (``benchmarks.filling``); with ``--million`` that takes minutes.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.drain import WARM_UP, Drain, drain
from benchmarks.engine import running_engine
from benchmarks.figures import times
from benchmarks.filling import fill
from db.connection import connect, database, migrate
from orderd.embedded.postgres import Postgres
from orderd.process.temporary import Daemon

SIZES: Final = (1_000, 100_000)
_ORDERS: Final = 500
_QUERIES: Final = {
    "list of 50": "/api/orders?limit=50",
    "list of a token sold long ago": "/api/orders?limit=50&token=CHILLGUY",
    "list of failed orders": "/api/orders?limit=50&status=failed",
    "status": "/api/status",
    "metrics": "/metrics",
}
_QUERY_RUNS: Final = 20
_PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Grown:
    """The results with ``orders`` stored; ``queries`` are the median seconds of each query."""

    orders: int
    fill_seconds: float
    drained: Drain
    queries: Mapping[str, float]


def measure(orders: int) -> Grown:
    """Measure a new daemon on a filled database."""
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory:
        state_dir = Path(directory)
        began = time.perf_counter()
        _fill(state_dir, orders)
        filled = time.perf_counter() - began
        with running_engine(state_dir) as (daemon, _):
            uvloop.run(drain(daemon, WARM_UP))
            drained = uvloop.run(drain(daemon, _ORDERS))
            return Grown(orders, filled, drained, _query(daemon))


def _fill(state_dir: Path, orders: int) -> None:
    postgres = Postgres(state_dir)
    child = postgres.start()
    try:
        connect(postgres.url)
        migrate()
        with database.connection_context():
            fill(orders, active=0, ago=600)
    finally:
        database.close_all()
        child.stop()


def _query(daemon: Daemon) -> dict[str, float]:
    base = daemon.url.replace("ws", "http", 1).rstrip("/")
    with httpx.Client(base_url=base, trust_env=False, timeout=10) as client:
        return {
            name: statistics.median([_seconds(client, path) for _ in range(_QUERY_RUNS)])
            for name, path in _QUERIES.items()
        }


def _seconds(client: httpx.Client, path: str) -> float:
    time.sleep(_PAUSE_SECONDS)
    began = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - began


def tables(sizes: Sequence[int] = SIZES) -> list[Table]:
    grown = [measure(orders) for orders in sizes]
    first, last = grown[0], grown[-1]
    table = Table(
        "", *(f"{each.orders:,}" for each in grown), "last to first", title="By the number of stored orders, in ms"
    )

    def row(name: str, values: Sequence[float]) -> None:
        table.add_row(name, *(f"{value * 1000:.2f}" for value in values), times(values[-1], values[0]))

    for name in ("gateway", "worker", "postgres"):
        row(f"CPU per order, {name}", [each.drained.cpu[name] for each in grown])
    row("CPU per order, all", [each.drained.cpu_of_all for each in grown])
    for name in _QUERIES:
        row(name, [each.queries[name] for each in grown])
    table.caption = f"filled in {first.fill_seconds:.0f} to {last.fill_seconds:.0f} s"
    return [table]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--million", action="store_true", help="also measure with a million orders")
    Console().print(*tables((*SIZES, 1_000_000) if parser.parse_args().million else SIZES))


if __name__ == "__main__":
    main()
