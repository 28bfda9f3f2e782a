"""Parent orders, which are executed by child orders, and the totals of their children.

At most one child of a family is executed at a time: children are released one by one under a lock of the parent's row,
and a unique index over the attempts of a family prevents a second live attempt.
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
from db.prepared import Prepared
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import ACTIVE, FILLED, RESTING, OrderKind, TimeInForce

_LOCK: Final = 7_140_051_903_120
_ONE_AT_A_TIME: Final = "attempts_one_of_a_family"
"""The unique index over the attempts of each family that may land or may still be rolled back."""
_RESTS: Final = f"{in_states(RESTING)} AND {IS_FAMILY}"
_HAS_A_TIME: Final = f"""
    looks_from IS NOT NULL AND ((kind = '{OrderKind.TWAP}' AND NOT paused)
                                OR (partial AND time_in_force = '{TimeInForce.IOC}'))"""
"""Must match an index."""


@dataclass(frozen=True, slots=True)
class Family:
    """A resting parent, and the sums of its children: what they have finally sold and received, in base units.

    A success in a block that may still be rolled back does not count yet. ``due_ms`` is the time since the parent was
    due, negative before that; ``valid_ms`` is the remaining validity, None without a limit.
    """

    parent: Order
    children: int
    busy: int
    resting: int
    filled_in: int
    filled_out: int
    network_fee: int
    abandoned: int
    """The amount of children whose transactions an operator has declared dead, in base units. Each may have landed, so
    the amount is never sold again."""
    last: UUID | None
    """The child that was filled last."""
    tries: int
    """The number of children that have ended without a fill since."""
    error: OrderdError | None
    """The error of the newest child without a fill."""
    due_ms: int
    valid_ms: int | None

    @property
    def is_lapsed(self) -> bool:
        return self.valid_ms is not None and self.valid_ms <= 0

    @property
    def remaining(self) -> int:
        """The amount that may still be sold."""
        return self.parent.amount - self.filled_in - self.abandoned


def exclusive_handling() -> AbstractContextManager[bool]:
    """Try to become the only process that handles families; yields whether this succeeded. Holds a connection."""
    return exclusive(_LOCK)


class FamilyChange(NamedTuple):
    """A change in the family of this parent, with an increasing number."""

    number: int
    parent_id: UUID


def changes(after: int, limit: int) -> list[FamilyChange]:
    """The changes of families after this number that have not been removed yet."""
    rows = database.execute_sql(
        "SELECT id, parent_id FROM family_news WHERE id > %s ORDER BY id LIMIT %s", (after, limit)
    )
    return [FamilyChange(number, UUID(str(parent_id))) for number, parent_id in rows]


def forget(numbers: Sequence[int]) -> None:
    """Remove changes that have been handled."""
    if not numbers:
        return
    database.execute_sql("DELETE FROM family_news WHERE id = ANY(%s)", (list(numbers),))


_IS_TIMED: Final = f"{_HAS_A_TIME} AND looks_from <="
_HAS_LAPSED: Final = f"looks_from IS NOT NULL AND {IS_FAMILY} AND valid_until <="
_ARE_QUIET: Final = Prepared(
    "families",
    (),
    f"""
    SELECT NOT (EXISTS (SELECT FROM family_news)
                OR EXISTS (SELECT FROM orders WHERE {_IS_TIMED} statement_timestamp())
                OR EXISTS (SELECT FROM orders WHERE {_HAS_LAPSED} statement_timestamp()))""",  # noqa: S608
)


def are_quiet() -> bool:
    """Whether no family has changes or is due, in one statement: nearly all passes find nothing."""
    return bool(_ARE_QUIET.execute().fetchone()[0])


def timed(limit: int, as_of: datetime | None = None) -> list[UUID]:
    """Parents whose next execution is due or whose validity has ended.

    ``as_of`` is the time of the clock's reading, if there was one.
    """
    rows = database.execute_sql(
        f"""
        (SELECT id FROM orders WHERE {_IS_TIMED} {IT_IS} ORDER BY looks_from LIMIT %s)
        UNION
        (SELECT id FROM orders WHERE {_HAS_LAPSED} {IT_IS} ORDER BY valid_until LIMIT %s)""",  # noqa: S608
        (as_of, limit, as_of, limit),
    )
    return [UUID(str(order_id)) for (order_id,) in rows]


def by_id(parent_ids: Collection[UUID], as_of: datetime | None = None) -> list[Family]:
    """The families of those of these parents that rest."""
    return _read([str(parent_id) for parent_id in parent_ids], as_of) if parent_ids else []


def of(parent_id: UUID, as_of: datetime | None = None) -> Family | None:
    """The family of this parent; None if it does not rest."""
    found = by_id([parent_id], as_of)
    return found[0] if found else None


_ABANDONED: Final = f"error_code = '{ErrorCode.TX_ABANDONED}'"
_COMMITTED: Final = f"((ended_as IS NULL AND looks_from IS NULL) OR ended_as IN ({listed(FILLED)}) OR {_ABANDONED})"
"""Children that are executed, have been filled, even in a block that may still be rolled back, or may have been."""
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
                   coalesce(sum(amount_in) FILTER (WHERE {_ABANDONED}), 0) AS sum_abandoned,
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
            abandoned=int(row.sum_abandoned),
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


def committed(parent_id: UUID) -> int:
    """The amount that children are selling, have sold, or may have sold although an operator took it for dead, in base
    units. The parent's row has only what was final in the last pass over its family."""
    (amount,) = database.execute_sql(
        f"""
        SELECT coalesce(sum(amount_in), 0) FROM orders WHERE parent_id = %s AND {_COMMITTED}""",  # noqa: S608
        (str(parent_id),),
    ).fetchone()
    return int(amount)


def is_busy(error: object) -> bool:
    """Whether the database refused an attempt because another attempt of the family has not ended finally."""
    return isinstance(error, IntegrityError) and _ONE_AT_A_TIME in str(error)


def lock(parent_id: UUID) -> None:
    """Prevent other transactions from releasing a child until this one ends."""
    database.execute_sql("SELECT FROM orders WHERE id = %s FOR NO KEY UPDATE", (str(parent_id),))


def lock_free(child_id: UUID) -> bool:
    """Prevent other transactions from releasing a child of this family until this one ends, if no child is executed.

    Returns false if a child is being executed or has landed, even in a block that may still be rolled back, or may have
    landed although an operator declared its transaction dead.
    """
    row = database.execute_sql(
        "SELECT id FROM orders WHERE id = (SELECT parent_id FROM orders WHERE id = %s) FOR NO KEY UPDATE",
        (str(child_id),),
    ).fetchone()
    assert row is not None, "a child has a parent"
    (under_way,) = database.execute_sql(
        f"""
        SELECT count(*) FROM orders WHERE parent_id = %s AND {_COMMITTED}""",  # noqa: S608
        (row[0],),
    ).fetchone()
    return not under_way
