"""Resting orders, as the triggers read them, and what the triggers note of orders that follow the market.

A few numbers per order show what stands, and the orders themselves are read where these are new: so it costs little to
see that nothing has changed. An OCO and a TWAP do not wait for a price of their own, and are left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db.connection import database
from db.models import Order, in_states
from db.terms import TERMS
from orderd.domain.order import RESTING, OrderKind

Pair = tuple[str, str]
"""The mint that is sold and the mint that is bought."""


class RestingOrder(NamedTuple):
    """An order that rests, and which one of its changes it has last been through."""

    id: UUID
    version: int
    seq: int
    pair: Pair


@dataclass(frozen=True, slots=True)
class Resting:
    """An order as far as triggers need it, with the milliseconds until it is checked, by Postgres' clock."""

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
    """The pairs on which orders rest. It costs a look into the index for each of them, however many their orders."""
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
    """All that rest on the pair now."""
    return _resting("mint_in = %s AND mint_out = %s", pair)


def of_late(seconds: float) -> list[RestingOrder]:
    """The orders that began to rest within the last seconds, or are not checked yet."""
    return _resting("looks_from > statement_timestamp() - %s * interval '1 second'", (seconds,))


def _resting(which: str, values: tuple[object, ...]) -> list[RestingOrder]:
    rows = database.execute_sql(
        f"SELECT id, version, seq, mint_in, mint_out FROM orders WHERE {_WAITS_FOR_A_PRICE} AND {which}",  # noqa: S608
        values,
    )
    return [RestingOrder(order_id, version, seq, (one, other)) for order_id, version, seq, one, other in rows]


def these(order_ids: Iterable[UUID]) -> list[Resting]:
    """Those of the orders that rest."""
    wait = "ceil(extract(epoch FROM looks_from - clock_timestamp()) * 1000)::bigint AS wait_ms"
    rows = Order.raw(
        f"SELECT {_COLUMNS}, {wait} FROM orders WHERE id = ANY(%s::uuid[]) AND {_WAITS_FOR_A_PRICE}",  # noqa: S608
        [str(each) for each in order_ids],
    ).execute(database)
    return [Resting(row, max(row.wait_ms, 0)) for row in rows]


@dataclass(frozen=True, slots=True)
class Best:
    """The most that the market has paid for a trailing stop, in base units, as it was in this version of it."""

    order_id: UUID
    version: int
    amount_out: int


def raise_best(best: Sequence[Best]) -> None:
    """Keep the best of these amounts per trailing stop: it never falls. For another amount in, the market pays
    another."""
    database.execute_sql(
        f"""
        UPDATE orders SET best_out = greatest(best_out, given.best)
        FROM unnest(%s::uuid[], %s::integer[], %s::numeric[]) AS given (id, version, best)
        WHERE orders.id = given.id AND orders.version = given.version AND {_IS_RESTING}""",  # noqa: S608
        ([str(each.order_id) for each in best], [each.version for each in best], [each.amount_out for each in best]),
    )
