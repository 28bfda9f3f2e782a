"""Resting orders for the triggers, and the best prices of trailing stops.

The triggers first read a few numbers per order and then only orders for which these have changed, so a pass without
changes is cheap. OCO and TWAP orders do not wait for their own price and are not included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from db.connection import database
from db.models import Order, in_states
from db.prepared import Prepared
from db.terms import TERMS
from orderd.domain.order import RESTING, OrderKind

Pair = tuple[str, str]
"""The mint that is sold and the mint that is bought."""


class RestingOrder(NamedTuple):
    """A resting order, and the version and seq of its last change."""

    id: UUID
    version: int
    seq: int
    pair: Pair


@dataclass(frozen=True, slots=True)
class Resting:
    """The data of an order that triggers need, with the milliseconds until it is checked, by Postgres' clock."""

    order: Order
    wait_ms: int


_IS_RESTING = in_states(RESTING)
_COLUMNS = ", ".join(
    (
        *("id", "version", "seq", "status", "parent_id", "filled_in", "best_out", "looks_from", "triggered_at"),
        *("waits_for", *TERMS),
    )
)
_WAITS_FOR_A_PRICE = f"{_IS_RESTING} AND kind NOT IN ('{OrderKind.OCO}', '{OrderKind.TWAP}')"


def pairs() -> set[Pair]:
    """The pairs with resting orders. The cost is one index lookup per pair and does not depend on the number of
    orders."""
    first = f"SELECT mint_in, mint_out FROM orders WHERE {_IS_RESTING}"  # noqa: S608
    rows = database.execute_sql(
        f"""
        WITH RECURSIVE found AS (
            ({first} ORDER BY mint_in, mint_out LIMIT 1)
            UNION ALL
            SELECT next.* FROM found, LATERAL (
                {first} AND (mint_in, mint_out) > (found.mint_in, found.mint_out)
                ORDER BY mint_in, mint_out LIMIT 1) next)
        SELECT mint_in, mint_out FROM found"""  # noqa: S608
    )
    return set(rows)


def of_pair(pair: Pair) -> list[RestingOrder]:
    """All resting orders of the pair."""
    return _resting(database.execute_sql(f"{_HEADS} mint_in = %s AND mint_out = %s", pair))


def of_late(seconds: float) -> list[RestingOrder]:
    """The orders that began to rest within the last ``seconds``, or are not checked yet."""
    return _resting(_OF_LATE.execute(seconds))


_HEADS: Final = f"SELECT id, version, seq, mint_in, mint_out FROM orders WHERE {_WAITS_FOR_A_PRICE} AND"  # noqa: S608
_OF_LATE: Final = Prepared(
    "resting", ("float8",), f"{_HEADS} looks_from > statement_timestamp() - $1 * interval '1 second'"
)


def _resting(rows: Iterable[tuple[Any, ...]]) -> list[RestingOrder]:
    return [RestingOrder(order_id, version, seq, (one, other)) for order_id, version, seq, one, other in rows]


def by_id(order_ids: Iterable[UUID]) -> list[Resting]:
    """Those of the orders that rest."""
    wait = "ceil(extract(epoch FROM looks_from - clock_timestamp()) * 1000)::bigint AS wait_ms"
    rows = Order.raw(
        f"SELECT {_COLUMNS}, {wait} FROM orders WHERE id = ANY(%s::uuid[]) AND {_WAITS_FOR_A_PRICE}",  # noqa: S608
        [str(each) for each in order_ids],
    ).execute(database)
    return [Resting(row, max(row.wait_ms, 0)) for row in rows]


@dataclass(frozen=True, slots=True)
class Best:
    """The highest amount that the market has offered for this version of a trailing stop, in base units."""

    order_id: UUID
    version: int
    amount_out: int


def raise_best(best: Sequence[Best]) -> None:
    """Raise the stored amounts of trailing stops; they never fall. An amendment of the amount starts a new version."""
    database.execute_sql(
        f"""
        UPDATE orders SET best_out = greatest(best_out, given.best)
        FROM unnest(%s::uuid[], %s::integer[], %s::numeric[]) AS given (id, version, best)
        WHERE orders.id = given.id AND orders.version = given.version AND {_IS_RESTING}""",  # noqa: S608
        ([str(each.order_id) for each in best], [each.version for each in best], [each.amount_out for each in best]),
    )
