"""``python -m benchmarks.triggers``: cost of 50,000 resting orders on 200 pairs, and the latency until one is sent.

A third are limit orders, a third stops, and a third trailing stops. Prices change 200 times per second, each pair's in
its own pool. The orders of a pair are spread around its price, the nearest half a percent away; the jump of a pool
meets that one. Memory and CPU of all processes are shown without orders and with them.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg2
from rich.console import Console
from rich.table import Table

from benchmarks.cpu import seconds_by_process, seconds_by_thread, since
from benchmarks.figures import milliseconds
from benchmarks.many_pairs import START_PRICE, ManyPairs, Moves, running_many_pairs, token_of
from benchmarks.memory import memory_by_process
from benchmarks.null_chain import SETTINGS
from benchmarks.trigger_pass import Passes, passes
from db import journal
from db.audit import Actor
from db.connection import connect, database, migrate
from db.journal import NewOrder
from db.models import DEFAULT_ACCOUNT
from orderd.domain.order import EventKind, Floor, OrderKind, TimeInForce
from orderd.domain.price import canonical
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import WELL_KNOWN
from orderd.embedded.postgres import Postgres
from orderd.process.temporary import Daemon, running_daemon

ORDERS: Final = 50_000
PAIRS: Final = 200
CHANGES: Final = 200
"""Price changes per second."""
SLOT_MS: Final = 400
CROSSINGS: Final = 10
"""Jumps per slot, until all pairs have jumped."""
_SECONDS: Final = 20.0
_AT_ONCE: Final = 1_000
_NEAREST: Final = Decimal("1.005")
_NEXT: Final = Decimal("1.02")
_APART: Final = Decimal("0.004")
"""Prices of a pair's orders relative to the market: the first, the second, and the distance of further ones."""
_TRAIL: Final = "20%"
_MIN_LAMPORTS: Final = 10_000_000
_SIZES: Final = 8
"""Number of different amounts: the minimum times powers of two."""


@dataclass(frozen=True)
class Measured:
    """``memory`` is in MiB. ``still`` and ``moving`` are CPU seconds per second by process, ``threads`` by thread."""

    orders: int
    memory: dict[str, float]
    still: dict[str, float]
    moving: dict[str, float]
    threads: dict[str, float]
    moves: Moves
    event_times: dict[tuple[int, str], float]
    """The times at which events of a pair's fired order were stored, in unix seconds."""
    passes: Passes


def resting(orders: int, pairs: int) -> Iterator[NewOrder]:
    """Orders that sell SOL, equally many in each pair and of each kind."""
    sol = WELL_KNOWN["simnet"][0]
    for number in range(orders):
        place, pair = divmod(number, pairs)
        beyond = _NEAREST if place == 0 else _NEXT + (place - 1) * _APART
        terms = OrderTerms(
            token_in=sol,
            token_out=token_of(pair),
            amount_in=_MIN_LAMPORTS << place % _SIZES,
            slippage_bps=50,
            **_price_terms(place, beyond),
        )
        yield NewOrder(uuid4(), DEFAULT_ACCOUNT, f"rests-{number}", terms, Actor("benchmark"))


def _price_terms(place: int, beyond: Decimal) -> dict[str, Any]:
    """Terms with a price that differs from the market's by the factor ``beyond``, on either side."""
    if place % 3 == 0:
        price = canonical(round(1 / (START_PRICE * beyond), 12))
        return {"kind": OrderKind.LIMIT, "limit_price": price, "time_in_force": TimeInForce.GTC}
    exits = {"max_slippage_bps": 500, "confirm": 2, "floor": Floor.EACH}
    if place % 3 == 1:
        return exits | {"kind": OrderKind.STOP, "stop_price": canonical(round(beyond / START_PRICE, 12))}
    return exits | {"kind": OrderKind.TRAILING, "trail": _TRAIL}


def measure(orders: int, pairs: int, changes: float, crossings: int) -> Measured:
    """Measure a new daemon on a filled database."""
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory, running_many_pairs(pairs, SLOT_MS) as chain:
        state_dir = Path(directory)
        found = _fill(state_dir, orders, pairs)
        with running_daemon(state_dir, {**SETTINGS, **chain.settings}) as daemon:
            # The first order fires after all orders have been read.
            chain.run(2.0, jumps=1 if orders else 0)
            chain.run(_SECONDS, changes=changes)
            still, _ = _used(daemon, chain, 0)
            moving, threads = _used(daemon, chain, changes)
            memory = memory_by_process(daemon.process.pid)
            jumps = crossings * 1000 / SLOT_MS
            moves = chain.run(pairs / jumps if orders else 0, changes=changes, jumps=jumps)
            return Measured(orders, memory, still, moving, threads, moves, _event_times(state_dir, pairs), found)


def _fill(state_dir: Path, orders: int, pairs: int) -> Passes:
    """Store the orders. Returns the cost of passes over them."""
    postgres = Postgres(state_dir)
    child = postgres.start()
    try:
        connect(postgres.url)
        migrate()
        with database.connection_context():
            waiting = resting(orders, pairs)
            while some := list(islice(waiting, _AT_ONCE)):
                journal.accept(some)
            _age_orders()
        return passes(pairs)
    finally:
        database.close_all()
        child.stop()


def _age_orders() -> None:
    """Make the orders a minute older, and let trailing stops have the market price as their best."""
    market = "trunc(amount_in * %s * 10::numeric ^ (decimals_out - decimals_in))"
    database.execute_sql(
        f"""
        UPDATE orders SET looks_from = looks_from - interval '1 minute',
            best_out = CASE WHEN trail IS NOT NULL THEN {market} END""",
        (START_PRICE,),
    )


def _event_times(state_dir: Path, pairs: int) -> dict[tuple[int, str], float]:
    numbers = {token_of(pair).mint: pair for pair in range(pairs)}
    with closing(psycopg2.connect(Postgres(state_dir).url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT mint_out, order_events.kind, extract(epoch FROM min(at))::float FROM order_events "
            "JOIN orders ON orders.id = order_id GROUP BY 1, 2"
        )
        return {(numbers[mint], kind): at for mint, kind, at in cursor.fetchall()}


def _used(daemon: Daemon, chain: ManyPairs, changes: float) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds per second by process and by thread while prices change at this rate."""
    roots = (daemon.process.pid, chain.process.pid)
    processes, threads = seconds_by_process(*roots), seconds_by_thread(*roots)
    chain.run(_SECONDS, changes=changes)
    used = since(processes, seconds_by_process(*roots)), since(threads, seconds_by_thread(*roots))
    return (
        {name: seconds / _SECONDS for name, seconds in used[0].items()},
        {name: seconds / _SECONDS for name, seconds in used[1].items()},
    )


def tables(
    orders: int = ORDERS, pairs: int = PAIRS, changes: float = CHANGES, crossings: int = CROSSINGS
) -> list[Table]:
    none, all_of_them = (measure(number, pairs, changes, crossings) for number in (0, orders))
    return [
        _passes(all_of_them, pairs),
        _costs(none, all_of_them, changes),
        _threads(none, all_of_them),
        _latencies(all_of_them, changes, crossings),
    ]


def _passes(some: Measured, pairs: int) -> Table:
    found = some.passes
    table = Table(
        "pass", "total", "per pair", title=f"CPU of a pass over {some.orders:,} orders on {pairs} pairs, in ms"
    )
    for name, seconds in (("no pool has changed", found.unchanged), ("all pools have changed", found.changed)):
        table.add_row(name, f"{seconds * 1000:.1f}", f"{seconds * 1000 / pairs:.2f}")
    table.add_row("first pass, which reads all orders", f"{found.first * 1000:.0f}")
    table.add_row("every half a minute, all are checked again", f"{found.read_again * 1000:.0f}")
    return table


def _costs(none: Measured, some: Measured, changes: float) -> Table:
    title = f"Cost of {some.orders:,} resting orders; CPU in percent of a core"
    table = Table("process", "MiB, none", f"MiB, {some.orders:,}", "no changes, none", "no changes", title=title)
    table.add_column(f"{changes:.0f} changes/s, none")
    table.add_column(f"{changes:.0f} changes/s")
    for name in sorted(some.moving, key=lambda name: -some.moving[name]):
        memory = [f"{each.memory[name]:.0f}" if name in each.memory else "" for each in (none, some)]
        cpu = [f"{used.get(name, 0) * 100:.1f}" for used in (none.still, some.still, none.moving, some.moving)]
        table.add_row(name, *memory, *cpu)
    return table


def _threads(none: Measured, some: Measured) -> Table:
    table = Table(
        "thread", "none", f"{some.orders:,}", title="CPU of threads while prices change, in percent of a core"
    )
    for name in sorted(some.threads, key=lambda name: -some.threads[name]):
        if some.threads[name] >= 0.001:
            table.add_row(name, f"{none.threads.get(name, 0) * 100:.1f}", f"{some.threads[name] * 100:.1f}")
    return table


def _latencies(some: Measured, changes: float, crossings: int) -> Table:
    found = some.moves.reactions
    title = (
        f"From the block of a jump to the transaction, {changes:.0f} changes/s, {crossings} crossings per slot; "
        f"{len(found)} of {some.moves.jumps} sent"
    )
    table = Table("from", "to", "median", "p99", title=title)
    if found:
        fired = [some.event_times[each.pair, EventKind.TRIGGERED] for each in found]
        signed = [some.event_times[each.pair, EventKind.SUBMITTED] for each in found]
        confirmed, arrived = [each.confirmed for each in found], [each.arrived for each in found]
        for start, end, began, ended in (
            (
                f"block opened, slots of {SLOT_MS} ms",
                "block confirmed",
                [each.opened for each in found],
                confirmed,
            ),
            ("block confirmed", "trigger stored", confirmed, fired),
            ("trigger stored", "signed bytes stored", fired, signed),
            ("signed bytes stored", "transaction at the chain", signed, arrived),
            ("block confirmed", "transaction at the chain", confirmed, arrived),
        ):
            table.add_row(start, end, *milliseconds([late - early for early, late in zip(began, ended, strict=True)]))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triggers", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"number of resting orders [{ORDERS}]")
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"number of pairs [{PAIRS}]")
    parser.add_argument("--changes", type=float, default=CHANGES, help=f"price changes per second [{CHANGES}]")
    parser.add_argument("--crossings", type=int, default=CROSSINGS, help=f"met orders per slot [{CROSSINGS}]")
    arguments = parser.parse_args()
    Console().print(*tables(arguments.orders, arguments.pairs, arguments.changes, arguments.crossings))


if __name__ == "__main__":
    main()
