"""Orders that are executed by orders of their own, with what these have come to.

Of a family's children at most one is in anybody's hands at a time: they are let go one by one, under the lock of the
parent's row, and an index over the attempts of a family makes a second live one impossible.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connection import database
from db.models import IS_FAMILY, Order, in_states, listed
from orderd.domain.order import ACTIVE, FILLED, RESTING

_LOCK: Final = 7_140_051_903_120
_PARENTS: Final = f"p.id IN (SELECT id FROM orders WHERE {in_states(RESTING)} AND {IS_FAMILY})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Family:
    """A parent that rests, and its children: what they have sold and received for good, in base units.

    A success in a block that may still be rolled back counts as one that is under way. ``due_ms`` is how long ago the
    parent was to be looked at, negative while it is not; ``is_lapsed`` whether its validity has ended.
    """

    parent: Order
    children: int
    busy: int
    resting: int
    filled_in: int
    filled_out: int
    network_fee: int
    last: UUID | None
    """The child that has filled last."""
    due_ms: int
    is_lapsed: bool

    @property
    def remaining(self) -> int:
        return self.parent.amount_in - self.filled_in


@contextmanager
def looked_after_here() -> Iterator[bool]:
    """Whether no other process looks after families now, and none will until this ends. Holds a connection."""
    (is_mine,) = database.execute_sql("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    try:
        yield bool(is_mine)
    finally:
        if is_mine:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def resting(limit: int) -> list[Family]:
    """Those whose parents rest."""
    return _read(_PARENTS, (), limit)


def of(parent_id: UUID) -> Family | None:
    """That of this parent; None where it does not rest."""
    found = _read(f"{_PARENTS} AND p.id = %s", (str(parent_id),), 1)
    return found[0] if found else None


def _read(which: str, values: tuple[object, ...], limit: int) -> list[Family]:
    rests = in_states(RESTING).replace("looks_from", "c.looks_from").replace("status", "c.status")
    awaits = "EXISTS (SELECT FROM attempts a WHERE a.order_id = c.id AND a.awaits_finality)"
    final = f"c.ended_as IN ({listed(FILLED)}) AND NOT {awaits}"
    rows = Order.raw(
        f"""
        SELECT p.*, f.*, (extract(epoch FROM clock_timestamp() - p.looks_from) * 1000)::bigint AS due_ms,
               coalesce(p.valid_until <= clock_timestamp(), false) AS is_lapsed
        FROM orders p, LATERAL (
            SELECT count(*) AS children,
                   count(*) FILTER (WHERE (c.ended_as IS NULL AND NOT ({rests})) OR {awaits}) AS busy,
                   count(*) FILTER (WHERE {rests}) AS resting,
                   coalesce(sum(c.filled_in) FILTER (WHERE {final}), 0) AS sum_in,
                   coalesce(sum(c.filled_out) FILTER (WHERE {final}), 0) AS sum_out,
                   coalesce(sum(c.network_fee) FILTER (WHERE {final}), 0) AS sum_fee,
                   (array_agg(c.id ORDER BY c.updated_at DESC) FILTER (WHERE {final}))[1] AS last_filled
            FROM orders c WHERE c.parent_id = p.id) f
        WHERE {which} ORDER BY p.looks_from LIMIT %s""",  # noqa: S608
        *values,
        limit,
    ).execute(database)
    return [
        Family(
            parent=row,
            children=row.children,
            busy=row.busy,
            resting=row.resting,
            filled_in=int(row.sum_in),
            filled_out=int(row.sum_out),
            network_fee=int(row.sum_fee),
            last=None if row.last_filled is None else UUID(str(row.last_filled)),
            due_ms=row.due_ms,
            is_lapsed=row.is_lapsed,
        )
        for row in rows
    ]


def children(parent_id: UUID) -> list[Order]:
    """Those that have not ended."""
    rows = Order.raw(
        f"SELECT * FROM orders WHERE parent_id = %s AND status IN ({listed(ACTIVE)}) ORDER BY id",  # noqa: S608
        str(parent_id),
    )
    return list(rows.execute(database))


def lock(parent_id: UUID) -> None:
    """Let nobody else let a child go until the transaction ends."""
    database.execute_sql("SELECT FROM orders WHERE id = %s FOR NO KEY UPDATE", (str(parent_id),))


def lock_free(child_id: UUID) -> bool:
    """Let nobody else let one of this child's family go until the transaction ends, if none of them is under way.

    False where one is in anybody's hands, or has landed: also in a block that may still be rolled back.
    """
    row = database.execute_sql(
        "SELECT id FROM orders WHERE id = (SELECT parent_id FROM orders WHERE id = %s) FOR NO KEY UPDATE",
        (str(child_id),),
    ).fetchone()
    assert row is not None, "a child has a parent"
    (under_way,) = database.execute_sql(
        f"""
        SELECT count(*) FROM orders WHERE parent_id = %s AND (
            (ended_as IS NULL AND looks_from IS NULL) OR ended_as IN ({listed(FILLED)}))""",  # noqa: S608
        (row[0],),
    ).fetchone()
    return not under_way
