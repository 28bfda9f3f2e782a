"""``python -m benchmarks.triggers``: what 50,000 limit orders that rest on 200 pairs cost, and how soon one goes out.

Prices change 200 times a second, in each pair's own pool. The orders of a pair are spread beyond its price, the
nearest half a percent away; a pool that jumps further meets one of them. What is told of memory and CPU is what the
worker and the others take without any orders, and with them.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from benchmarks.cpu import seconds_by_process, seconds_by_thread, since
from benchmarks.figures import milliseconds
from benchmarks.many_pairs import START_PRICE, Course, ManyPairs, running_many_pairs, token_of
from benchmarks.memory import memory_by_process
from benchmarks.null_chain import SETTINGS
from db import journal
from db.audit import Actor
from db.connection import connect, database, migrate
from db.journal import NewOrder
from db.models import DEFAULT_ACCOUNT
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.price import canonical
from orderd.domain.terms import OrderTerms
from orderd.domain.tokens import BUILTIN_TOKENS
from orderd.embedded.postgres import Postgres
from orderd.process.temporary import Daemon, running_daemon

ORDERS: Final = 50_000
PAIRS: Final = 200
CHANGES: Final = 200
"""A second."""
SLOT_MS: Final = 400
_JUMPS: Final = 5
"""A second, for as long as there are pairs that have not jumped."""
_SECONDS: Final = 20.0
_AT_ONCE: Final = 1_000
_NEAREST: Final = Decimal("1.005")
_NEXT: Final = Decimal("1.02")
_APART: Final = Decimal("0.004")
"""Where the orders of a pair rest, in parts of its price: the first one, the second, and from there on."""
_LEAST_LAMPORTS: Final = 10_000_000
_SIZES: Final = 8
"""Amounts are so many powers of two of the least."""


@dataclass(frozen=True)
class Measured:
    """``memory`` is in MiB; ``rest`` and ``moving`` are CPU seconds a second by process, ``threads`` by thread."""

    orders: int
    memory: dict[str, float]
    rest: dict[str, float]
    moving: dict[str, float]
    threads: dict[str, float]
    course: Course


def resting(orders: int, pairs: int) -> Iterator[NewOrder]:
    """Limit orders that sell SOL, as many in each pair."""
    sol = BUILTIN_TOKENS[0]
    for number in range(orders):
        place, pair = divmod(number, pairs)
        beyond = _NEAREST if place == 0 else _NEXT + (place - 1) * _APART
        terms = OrderTerms(
            token_in=sol,
            token_out=token_of(pair),
            amount_in=_LEAST_LAMPORTS << place % _SIZES,
            slippage_bps=50,
            kind=OrderKind.LIMIT,
            limit_price=canonical(round(1 / (START_PRICE * beyond), 12)),
            time_in_force=TimeInForce.GTC,
        )
        yield NewOrder(uuid4(), DEFAULT_ACCOUNT, f"rests-{number}", terms, Actor("benchmark"))


def measure(orders: int, pairs: int, changes: float) -> Measured:
    """A daemon of its own, over a database that is filled before it starts."""
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory, running_many_pairs(pairs, SLOT_MS) as chain:
        state_dir = Path(directory)
        _fill(state_dir, orders, pairs)
        with running_daemon(state_dir, {**SETTINGS, **chain.settings}) as daemon:
            # The first one that goes out tells that all have been read.
            chain.run(2.0, jumps=1 if orders else 0)
            chain.run(_SECONDS, changes=changes)
            rest, _ = _used(daemon, chain, 0)
            moving, threads = _used(daemon, chain, changes)
            memory = memory_by_process(daemon.process.pid)
            course = chain.run(pairs / _JUMPS if orders else 0, changes=changes, jumps=_JUMPS)
            return Measured(orders, memory, rest, moving, threads, course)


def _fill(state_dir: Path, orders: int, pairs: int) -> None:
    postgres = Postgres(state_dir)
    child = postgres.start()
    try:
        connect(postgres.url)
        migrate()
        with database.connection_context():
            waiting = resting(orders, pairs)
            while some := list(islice(waiting, _AT_ONCE)):
                journal.accept(some)
    finally:
        database.close_all()
        child.stop()


def _used(daemon: Daemon, chain: ManyPairs, changes: float) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds a second while prices change so often."""
    roots = (daemon.process.pid, chain.process.pid)
    processes, threads = seconds_by_process(*roots), seconds_by_thread(*roots)
    chain.run(_SECONDS, changes=changes)
    used = since(processes, seconds_by_process(*roots)), since(threads, seconds_by_thread(*roots))
    return (
        {name: seconds / _SECONDS for name, seconds in used[0].items()},
        {name: seconds / _SECONDS for name, seconds in used[1].items()},
    )


def tables(orders: int = ORDERS, pairs: int = PAIRS, changes: float = CHANGES) -> list[Table]:
    none, all_of_them = measure(0, pairs, changes), measure(orders, pairs, changes)
    return [_costs(none, all_of_them, changes), _threads(none, all_of_them), _latencies(all_of_them, changes)]


def _costs(none: Measured, some: Measured, changes: float) -> Table:
    title = f"What {some.orders:,} resting orders cost; CPU in percent of a core"
    table = Table("process", "MiB, none", f"MiB, {some.orders:,}", "at rest, none", "at rest", title=title)
    table.add_column(f"{changes:.0f} changes/s, none")
    table.add_column(f"{changes:.0f} changes/s")
    for name in sorted(some.moving, key=lambda name: -some.moving[name]):
        memory = [f"{each.memory[name]:.0f}" if name in each.memory else "" for each in (none, some)]
        cpu = [f"{used.get(name, 0) * 100:.1f}" for used in (none.rest, some.rest, none.moving, some.moving)]
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


def _latencies(some: Measured, changes: float) -> Table:
    reactions = some.course.reactions
    title = f"From the slot's block to the bytes, {changes:.0f} changes/s; {len(reactions)} of {some.course.jumps} sent"
    table = Table("since the block", "median", "p99", title=title)
    if reactions:
        table.add_row("was confirmed", *milliseconds([each.since_confirmed for each in reactions]))
        table.add_row(f"was opened, in slots of {SLOT_MS} ms", *milliseconds([each.since_opened for each in reactions]))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triggers", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"that rest [{ORDERS}]")
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"that they rest on [{PAIRS}]")
    parser.add_argument("--changes", type=float, default=CHANGES, help=f"of prices a second [{CHANGES}]")
    arguments = parser.parse_args()
    Console().print(*tables(arguments.orders, arguments.pairs, arguments.changes))


if __name__ == "__main__":
    main()
