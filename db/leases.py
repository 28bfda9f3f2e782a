"""Which process works on which order: the queue's claim on due orders, and the leases of worker processes.

A lease only says which process is expected to write. The version, which each claim increases, decides which may.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from db.age import IT_IS
from db.connection import database
from db.journal import IN_LINE, Change, Moved, apply, in_order
from db.models import Order, in_states, listed
from db.prepared import Prepared
from orderd.domain.errors import AWAITED, OUTAGES
from orderd.domain.events import RATE_LIMIT, Reclaimed
from orderd.domain.halt import CODES
from orderd.domain.order import LEASED, SIGNED, WAITING, EventKind, sources
from orderd.domain.trigger import ADVERSE


class Due(NamedTuple):
    """Due orders: those to ``start``, and those for which to check (``check``) whether the reason of their wait has
    ended. Orders that one check can decide are together."""

    start: list[UUID]
    check: list[list[UUID]]


_CHECKED: Final = AWAITED - CODES
"""Reasons of waits that are checked before a start is requested. A halt is not one: dispatch sends nothing during a
halt."""


_IS_UNHELD: Final = "(lease_until IS NULL OR lease_until < statement_timestamp())"
"""SQL for the orders that no process holds, and that are not in the queue."""


def is_due(now: str) -> str:
    """SQL for the orders that wait, are due ``now``, and are not in the queue."""
    return f"status IN ({listed(WAITING)}) AND due_at <= {now} AND {_IS_UNHELD}"


def take_due(limit: int, sender: str | None = None, as_of: datetime | None = None) -> Due:
    """Take the due orders that wait and are not in the queue; ``sender`` enqueues them.

    ``as_of`` is the time of the clock's reading, if there was one.
    """
    rows = database.execute_sql(
        f"""
        UPDATE orders SET lease_owner = %s, lease_until = clock_timestamp() + {IN_LINE} WHERE id IN (
            SELECT id FROM orders WHERE {is_due(IT_IS)} ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING id, waits_for, mint_in, mint_out""",
        (sender, as_of, limit),
    )
    due = Due([], [])
    together = defaultdict[tuple[str, ...], list[UUID]](list)
    for order_id, waits_for, *pair in sorted((UUID(str(order_id)), *others) for order_id, *others in rows):
        if waits_for in OUTAGES:
            together[waits_for, *pair].append(order_id)
        elif waits_for in _CHECKED:
            due.check.append([order_id])
        else:
            due.start.append(order_id)
    due.check.extend(together.values())
    return due


class InLine(NamedTuple):
    """An order that waits for a start; those with ``goes_first`` precede all others."""

    order_id: UUID
    goes_first: bool


_FIRED_STOP: Final = "(kind IN ({}))".format(", ".join(f"'{kind}'" for kind in sorted(ADVERSE)))
"""Must match an index. A stop waits for a start only once it has triggered."""


WAITS_FOR_A_START: Final = f"waits_for = '{RATE_LIMIT}'"


def first_in_line(limit: int) -> list[InLine]:
    """The orders that wait for a start: first triggered stops, then all others, in the order of their acceptance."""
    rows = database.execute_sql(
        f"""
        SELECT id, {_FIRED_STOP} FROM orders WHERE {WAITS_FOR_A_START}
        ORDER BY {_FIRED_STOP} DESC, id LIMIT %s""",
        (limit,),
    )
    return [InLine(UUID(str(order_id)), goes_first) for order_id, goes_first in rows]


def wake(order_ids: Sequence[UUID]) -> int:
    """Make those of these orders due now that wait for a start. Returns their number."""
    cursor = database.execute_sql(
        f"""
        UPDATE orders SET due_at = clock_timestamp() WHERE id IN (
            SELECT id FROM orders
            WHERE id = ANY(%s::uuid[]) AND {WAITS_FOR_A_START} AND due_at > statement_timestamp()
            FOR NO KEY UPDATE SKIP LOCKED)""",
        ([str(order_id) for order_id in order_ids],),
    )
    return int(cursor.rowcount)


def give_back(order_ids: Sequence[UUID]) -> None:
    """Record that these orders could not be enqueued, so that they are taken again soon."""
    database.execute_sql(
        f"""
        UPDATE orders SET lease_until = NULL
        WHERE id IN ({in_order(f"status IN ({listed(WAITING)}) AND id = ANY(%s::uuid[])")})""",
        ([str(order_id) for order_id in order_ids],),
    )


def drop(owner: str, order_ids: Sequence[UUID]) -> None:
    """Release the leases of ``owner`` on these orders, so that other workers take them soon."""
    database.execute_sql(
        f"""
        UPDATE orders SET lease_until = NULL
        WHERE id IN ({in_order(f"status IN ({listed(LEASED)}) AND lease_owner = %s AND id = ANY(%s::uuid[])")})""",
        (owner, [str(order_id) for order_id in order_ids]),
    )


def give_all_back() -> int:
    """Record that the queue has lost all its orders. Returns their number."""
    cursor = database.execute_sql(
        f"""
        UPDATE orders SET lease_until = NULL
        WHERE id IN ({in_order(f"{in_states(WAITING)} AND lease_until > statement_timestamp()")})"""
    )
    return int(cursor.rowcount)


IS_ORPHANED: Final = f"{in_states(sources(EventKind.RECLAIMED))} AND {_IS_UNHELD}"
"""SQL for the orders without a signature whose worker has died."""


def orphans(limit: int) -> list[Order]:
    """Orders without a signature whose worker has died."""
    rows = Order.raw(f"SELECT * FROM orders WHERE {IS_ORPHANED} ORDER BY id LIMIT %s", limit)
    return list(rows.execute(database))


def reclaim(orders: Iterable[Order]) -> list[Moved]:
    """Put orphans back in the queue, unless they have been claimed again."""
    return apply([Change(order.id, Reclaimed(), order.version, {"losses": order.losses + 1}) for order in orders])


def renew(owner: str, order_ids: Sequence[UUID], lease_seconds: float) -> int:
    """Renew the leases of ``owner`` on these orders, in one statement. Returns the number of renewed leases.

    Orders that are locked by a writer are skipped until the next call, so that this never waits for a lock.
    """
    cursor = database.execute_sql(
        """
        UPDATE orders SET lease_until = clock_timestamp() + %s * interval '1 second'
        WHERE id IN (
            SELECT id FROM orders WHERE lease_owner = %s AND id = ANY(%s::uuid[]) FOR NO KEY UPDATE SKIP LOCKED)""",
        (lease_seconds, owner, [str(order_id) for order_id in order_ids]),
    )
    return int(cursor.rowcount)


def still_signed(owner: str, order_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of these orders that are signed and held by ``owner``."""
    rows = database.execute_sql(
        f"SELECT id FROM orders WHERE status IN ({listed(SIGNED)}) AND lease_owner = %s AND id = ANY(%s::uuid[])",
        (owner, [str(order_id) for order_id in order_ids]),
    )
    return frozenset(UUID(str(order_id)) for (order_id,) in rows)


@dataclass(frozen=True, slots=True)
class LiveAttempt:
    """A submitted order with its signed bytes, which may land."""

    order: Order
    number: int
    signature: str
    signed_bytes: bytes
    last_valid_block_height: int
    min_amount_out: int
    blockhash_slot: int | None


_IS_ADOPTABLE: Final = f"{in_states(SIGNED)} AND {_IS_UNHELD}"
_ANY_ADOPTABLE: Final = Prepared("adoptable", (), f"SELECT EXISTS (SELECT FROM orders WHERE {_IS_ADOPTABLE})")


def adopt_submitted(owner: str, lease_seconds: float, limit: int) -> list[LiveAttempt]:
    """Take over submitted orders without a holder, with a new version. Recovery after a crash is nothing else."""
    if not _ANY_ADOPTABLE.execute().fetchone()[0]:
        return []
    rows = Order.raw(
        f"""
        WITH adopted AS (
            UPDATE orders SET lease_owner = %s, lease_until = clock_timestamp() + %s * interval '1 second',
                version = version + 1
            WHERE id IN (
                SELECT id FROM orders WHERE {_IS_ADOPTABLE} ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING *)
        SELECT adopted.*, a.number, a.signed_bytes, a.last_valid_block_height AS expires_at_height,
               a.min_amount_out AS attempt_min_amount_out, a.blockhash_slot
        FROM adopted JOIN attempts a ON a.order_id = adopted.id AND a.outcome = 'live'""",
        owner,
        lease_seconds,
        limit,
    ).execute(database)
    return [
        LiveAttempt(
            order=row,
            number=row.number,
            signature=row.signature,
            signed_bytes=bytes(row.signed_bytes),
            last_valid_block_height=row.expires_at_height,
            min_amount_out=int(row.attempt_min_amount_out),
            blockhash_slot=row.blockhash_slot,
        )
        for row in rows
    ]
