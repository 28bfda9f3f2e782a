"""Which process works on which order: the queue's hold on due orders, and the leases of worker processes.

A lease says which process is expected to write, not which may: that is decided by the version that each claim raises.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from db.age import IT_IS
from db.connection import database
from db.journal import IN_LINE, Change, Moved, apply, in_order
from db.models import Order, in_states, listed
from orderd.domain.errors import AWAITED
from orderd.domain.events import RATE_LIMIT, Reclaimed
from orderd.domain.halt import CODES
from orderd.domain.order import LEASED, SIGNED, WAITING, EventKind, sources
from orderd.domain.trigger import ADVERSE


class Due(NamedTuple):
    """Due orders: those that may ``start``, and those that first check (``look``) whether the reason of their wait
    is over."""

    start: list[UUID]
    look: list[UUID]


_LOOKED_FOR: Final = AWAITED - CODES
"""The time by which orders are found before a start is requested. A halt is over as soon as dispatch sends anything."""


def take_due(limit: int, sender: str | None = None, as_of: datetime | None = None) -> Due:
    """The orders that wait, are due and are in no queue; ``sender`` puts them there.

    ``as_of`` is the moment at which the clock was read, if it was.
    """
    rows = database.execute_sql(
        f"""
        UPDATE orders SET lease_owner = %s, lease_until = clock_timestamp() + {IN_LINE} WHERE id IN (
            SELECT id FROM orders
            WHERE status IN ({listed(WAITING)}) AND due_at <= {IT_IS}
              AND (lease_until IS NULL OR lease_until < statement_timestamp())
            ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING id, waits_for""",
        (sender, as_of, limit),
    )
    taken = sorted((UUID(str(order_id)), waits_for in _LOOKED_FOR) for order_id, waits_for in rows)
    return Due([each for each, looks in taken if not looks], [each for each, looks in taken if looks])


class InLine(NamedTuple):
    """An order that waits for a start; one that ``goes_first`` does not wait for older ones that do not."""

    order_id: UUID
    goes_first: bool


_FIRED_STOP: Final = "(kind IN ({}))".format(", ".join(f"'{kind}'" for kind in sorted(ADVERSE)))
"""In the words of an index. A stop waits for a start only once it has fired."""


def first_in_line(limit: int) -> list[InLine]:
    """The orders that wait for a start: stops, which have fired, and then the others, in order of their acceptance."""
    rows = database.execute_sql(
        f"""
        SELECT id, {_FIRED_STOP} FROM orders WHERE waits_for = '{RATE_LIMIT}'
        ORDER BY {_FIRED_STOP} DESC, id LIMIT %s""",
        (limit,),
    )
    return [InLine(UUID(str(order_id)), goes_first) for order_id, goes_first in rows]


def wake(order_ids: Sequence[UUID]) -> int:
    """Let those of these orders be due now that wait for a start until later. Returns how many."""
    cursor = database.execute_sql(
        f"""
        UPDATE orders SET due_at = clock_timestamp() WHERE id IN (
            SELECT id FROM orders
            WHERE id = ANY(%s::uuid[]) AND waits_for = '{RATE_LIMIT}' AND due_at > statement_timestamp()
            FOR NO KEY UPDATE SKIP LOCKED)""",
        ([str(order_id) for order_id in order_ids],),
    )
    return int(cursor.rowcount)


def give_back(order_ids: Sequence[UUID]) -> None:
    """Say that these waiting orders did not get into the queue after all, so that they are taken up again soon."""
    database.execute_sql(
        f"""
        UPDATE orders SET lease_until = NULL
        WHERE id IN ({in_order(f"status IN ({listed(WAITING)}) AND id = ANY(%s::uuid[])")})""",
        ([str(order_id) for order_id in order_ids],),
    )


def drop(owner: str, order_ids: Sequence[UUID]) -> None:
    """Record that ``owner`` no longer works on those of these orders that it has begun, so that they are taken up
    soon."""
    database.execute_sql(
        f"""
        UPDATE orders SET lease_until = NULL
        WHERE id IN ({in_order(f"status IN ({listed(LEASED)}) AND lease_owner = %s AND id = ANY(%s::uuid[])")})""",
        (owner, [str(order_id) for order_id in order_ids]),
    )


def give_all_back() -> int:
    """Say so of all that are in the queue as far as is known here: the queue has lost them. Returns how many."""
    cursor = database.execute_sql(
        f"""
        UPDATE orders SET lease_until = NULL
        WHERE id IN ({in_order(f"{in_states(WAITING)} AND lease_until > statement_timestamp()")})"""
    )
    return int(cursor.rowcount)


def orphans(limit: int) -> list[Order]:
    """Orders that a worker was at which is gone. Nothing of theirs was signed."""
    return list(
        Order.raw(
            f"""
            SELECT * FROM orders
            WHERE {in_states(sources(EventKind.RECLAIMED))}
              AND (lease_until IS NULL OR lease_until < statement_timestamp())
            ORDER BY id LIMIT %s""",
            limit,
        ).execute(database)
    )


def reclaim(orders: Iterable[Order]) -> list[Moved]:
    """Put orphans back in line, each under the claim that it was found with: a newer claim is left alone."""
    return apply([Change(order.id, Reclaimed(), order.version, {"losses": order.losses + 1}) for order in orders])


def renew(owner: str, order_ids: Sequence[UUID], lease_seconds: float) -> int:
    """Renew the leases of ``owner`` on these orders, in one statement. Returns the orders that were renewed.

    Orders that are locked by a writer at this moment are skipped until the next time: this waits for no lock.
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
    """A submitted order with the bytes that may land."""

    order: Order
    number: int
    signature: str
    signed_bytes: bytes
    last_valid_block_height: int
    min_amount_out: int
    blockhash_slot: int | None


def adopt_submitted(owner: str, lease_seconds: float, limit: int) -> list[LiveAttempt]:
    """Take over the submitted orders that have no holder, with a new version. This is the whole of recovery."""
    rows = Order.raw(
        f"""
        WITH adopted AS (
            UPDATE orders SET lease_owner = %s, lease_until = clock_timestamp() + %s * interval '1 second',
                version = version + 1
            WHERE id IN (
                SELECT id FROM orders
                WHERE {in_states(SIGNED)} AND (lease_until IS NULL OR lease_until < statement_timestamp())
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
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
