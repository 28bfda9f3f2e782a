"""Orders that are executed by orders of their own, with what these have come to.

Of a family's children at most one is in anybody's hands at a time: they are let go one by one, under the lock of the
parent's row, and an index over the attempts of a family makes a second live one impossible.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from peewee import IntegrityError

from db.age import IT_IS
from db.connection import database
from db.exclusive import exclusive
from db.models import IS_FAMILY, Order, in_states, listed
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import ACTIVE, FILLED, RESTING, OrderKind, TimeInForce

_LOCK: Final = 7_140_051_903_120
_ONE_AT_A_TIME: Final = "attempts_one_of_a_family"
"""The index over what of each family may land, or may yet be rolled back."""
_RESTS: Final = f"{in_states(RESTING)} AND {IS_FAMILY}"
_HAS_A_TIME: Final = f"""
    looks_from IS NOT NULL AND ((kind = '{OrderKind.TWAP}' AND NOT paused)
                                OR (partial AND time_in_force = '{TimeInForce.IOC}'))"""
"""In the words of an index."""


@dataclass(frozen=True, slots=True)
class Family:
    """A resting parent, and the sums of its children: what they have finally sold and received, in base units.

    A success in a block that may still be rolled back counts as under way. ``due_ms`` is how long ago the parent was
    due, negative before that; ``valid_ms`` how long it is still valid, None without an end.
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
    tries: int
    """How many children have ended without a fill since."""
    error: OrderdError | None
    """Why the newest child that did not fill has ended."""
    due_ms: int
    valid_ms: int | None

    @property
    def is_lapsed(self) -> bool:
        return self.valid_ms is not None and self.valid_ms <= 0

    @property
    def remaining(self) -> int:
        return self.parent.amount - self.filled_in


def exclusive_care() -> AbstractContextManager[bool]:
    """Whether no other process looks after families now, and none will until this ends. Holds a connection."""
    return exclusive(_LOCK)


class FamilyNews(NamedTuple):
    """Something has happened to the family of this parent. Numbered as it was written."""

    number: int
    parent_id: UUID


def news(after: int, limit: int) -> list[FamilyNews]:
    """What has happened to families after that number, as far as the news have not been removed yet."""
    rows = database.execute_sql(
        "SELECT id, parent_id FROM family_news WHERE id > %s ORDER BY id LIMIT %s", (after, limit)
    )
    return [FamilyNews(number, UUID(str(parent_id))) for number, parent_id in rows]


def forget(numbers: Sequence[int]) -> None:
    """These news are known, and nothing follows from them any more."""
    if not numbers:
        return
    database.execute_sql("DELETE FROM family_news WHERE id = ANY(%s)", (list(numbers),))


def timed(limit: int, as_of: datetime | None = None) -> list[UUID]:
    """Parents that the time has come for, without any news: of an execution, or the end of their validity.

    ``as_of`` is the moment at which the clock was read, if it was.
    """
    rows = database.execute_sql(
        f"""
        (SELECT id FROM orders WHERE {_HAS_A_TIME} AND looks_from <= {IT_IS} ORDER BY looks_from LIMIT %s)
        UNION
        (SELECT id FROM orders WHERE looks_from IS NOT NULL AND {IS_FAMILY} AND valid_until <= {IT_IS}
         ORDER BY valid_until LIMIT %s)""",  # noqa: S608
        (as_of, limit, as_of, limit),
    )
    return [UUID(str(order_id)) for (order_id,) in rows]


def these(parent_ids: Collection[UUID], as_of: datetime | None = None) -> list[Family]:
    """The families of these parents, as far as they rest."""
    return _read([str(parent_id) for parent_id in parent_ids], as_of) if parent_ids else []


def of(parent_id: UUID, as_of: datetime | None = None) -> Family | None:
    """The family of this parent; None if it does not rest."""
    found = these([parent_id], as_of)
    return found[0] if found else None


_AWAITS: Final = "EXISTS (SELECT FROM attempts a WHERE a.order_id = c.id AND a.awaits_finality)"
_CHILDREN: Final = f"""
    SELECT *, max(number) FILTER (WHERE is_final) OVER () AS last_fill FROM (
        SELECT c.*, row_number() OVER (ORDER BY c.id) AS number, c.looks_from IS NOT NULL AS rests,
               {_AWAITS} AS awaits, c.ended_as IN ({listed(FILLED)}) AND NOT {_AWAITS} AS is_final
        FROM orders c WHERE c.parent_id = p.id) numbered"""  # noqa: S608


def _read(parent_ids: Sequence[str], as_of: datetime | None) -> list[Family]:
    rows = Order.raw(
        f"""
        SELECT p.*, f.*, (extract(epoch FROM {IT_IS} - p.looks_from) * 1000)::bigint AS due_ms,
               (extract(epoch FROM p.valid_until - {IT_IS}) * 1000)::bigint AS valid_ms
        FROM orders p, LATERAL (
            SELECT count(*) AS children,
                   count(*) FILTER (WHERE awaits OR (ended_as IS NULL AND NOT rests)) AS busy,
                   count(*) FILTER (WHERE rests) AS resting,
                   coalesce(sum(filled_in) FILTER (WHERE is_final), 0) AS sum_in,
                   coalesce(sum(filled_out) FILTER (WHERE is_final), 0) AS sum_out,
                   coalesce(sum(network_fee) FILTER (WHERE is_final), 0) AS sum_fee,
                   (array_agg(id) FILTER (WHERE number = last_fill))[1] AS last_filled,
                   count(*) FILTER (WHERE error_code IS NOT NULL AND number > coalesce(last_fill, 0)) AS tries,
                   (array_agg(error_code ORDER BY number DESC) FILTER (WHERE error_code IS NOT NULL))[1] AS code,
                   (array_agg(error_detail ORDER BY number DESC) FILTER (WHERE error_code IS NOT NULL))[1] AS detail
            FROM ({_CHILDREN}) children) f
        WHERE p.id = ANY(%s::uuid[]) AND {_RESTS} ORDER BY p.looks_from""",  # noqa: S608
        *(as_of, as_of, parent_ids),
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
            tries=row.tries,
            error=None if row.code is None else OrderdError(ErrorCode(row.code), row.detail or ""),
            due_ms=row.due_ms,
            valid_ms=row.valid_ms,
        )
        for row in rows
    ]


def children(parent_id: UUID) -> list[Order]:
    """The children that have not ended."""
    rows = Order.raw(
        f"SELECT * FROM orders WHERE parent_id = %s AND status IN ({listed(ACTIVE)}) ORDER BY id",  # noqa: S608
        str(parent_id),
    )
    return list(rows.execute(database))


def under_way(parent_id: UUID) -> int:
    """How much of it children are selling now, or have sold in blocks that may still be rolled back; in base units."""
    (amount,) = database.execute_sql(
        f"""
        SELECT coalesce(sum(amount_in), 0) FROM orders c WHERE parent_id = %s
           AND ((ended_as IS NULL AND looks_from IS NULL) OR {_AWAITS})""",  # noqa: S608
        (str(parent_id),),
    ).fetchone()
    return int(amount)


def is_taken(objection: object) -> bool:
    """Whether the database refused an attempt because another one of the family has not ended for good."""
    return isinstance(objection, IntegrityError) and _ONE_AT_A_TIME in str(objection)


def lock(parent_id: UUID) -> None:
    """Keep other transactions from releasing a child until this one ends."""
    database.execute_sql("SELECT FROM orders WHERE id = %s FOR NO KEY UPDATE", (str(parent_id),))


def lock_free(child_id: UUID) -> bool:
    """Keep other transactions from releasing a child of this family until this one ends, if no child is being executed.

    False if a child is being executed or has landed, even if in a block that may still be rolled back.
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
