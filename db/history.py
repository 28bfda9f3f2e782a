"""Fills with their orders, newest first, and their totals. Rolled back fills are not included."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.connection import database
from db.models import Fill, Order


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter. ``before`` is the last fill of the previous page; a token is a symbol or a mint.

    ``kinds`` are those of an order or of the order that it executes in part.
    """

    account_id: UUID | None = None
    token: str | None = None
    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, UUID] | None = None

    @property
    def condition(self) -> tuple[str, list[Any]]:
        """The SQL condition, where ``f`` is the fill and ``o`` its order, and its parameters."""
        words, values = ["f.rolled_back_at IS NULL"], list[Any]()
        if self.account_id is not None:
            words.append("o.account_id = %s")
            values.append(str(self.account_id))
        if self.token is not None:
            words.append("(upper(%s) IN (upper(token_in), upper(token_out)) OR %s IN (mint_in, mint_out))")
            values += [self.token] * 2
        if self.kinds:
            parents = "(SELECT p.kind::text FROM orders p WHERE p.id = o.parent_id)"
            words.append(f"(o.kind::text = ANY(%s) OR {parents} = ANY(%s))")
            values += [list(self.kinds)] * 2
        if self.since is not None:
            words.append("f.at >= %s")
            values.append(self.since)
        if self.until is not None:
            words.append("f.at < %s")
            values.append(self.until)
        if self.before is not None:
            at, order_id = self.before
            words.append("f.at <= %s AND (f.at, f.order_id) < (%s, %s)")
            values += [at, at, str(order_id)]
        return " AND ".join(words), values


@dataclass(frozen=True, slots=True)
class PairSum:
    """Base units of both tokens over all fills of a pair in one direction; fee and rent in lamports."""

    token_in: str
    token_out: str
    decimals_in: int
    decimals_out: int
    fills: int
    amount_in: int
    amount_out: int
    network_fee: int
    rent: int


def page(wanted: Wanted, limit: int) -> list[tuple[Fill, Order]]:
    """A page of fills, newest first. Needs a connection, like all functions here."""
    condition, values = wanted.condition
    rows = Fill.raw(
        f"SELECT f.* FROM fills f JOIN orders o ON o.id = f.order_id WHERE {condition} "
        "ORDER BY f.at DESC, f.order_id DESC LIMIT %s",
        *values,
        limit,
    ).execute(database)
    fills: list[Fill] = list(rows)
    orders = {each.id: each for each in Order.select().where(Order.id.in_([fill.order_id for fill in fills]))}
    return [(fill, orders[fill.order_id]) for fill in fills]


def totals(wanted: Wanted) -> Iterator[PairSum]:
    """The totals per pair, that with most fills first."""
    condition, values = wanted.condition
    rows = database.execute_sql(
        f"""
        SELECT token_in, token_out, decimals_in, decimals_out, count(*) AS fills, sum(f.amount_in), sum(f.amount_out),
               sum(f.network_fee), sum(coalesce(f.rent, 0))
        FROM fills f JOIN orders o ON o.id = f.order_id WHERE {condition}
        GROUP BY mint_in, mint_out, token_in, token_out, decimals_in, decimals_out
        ORDER BY fills DESC, token_in, token_out""",
        values,
    )
    for token_in, token_out, decimals_in, decimals_out, *figures in rows:
        yield PairSum(token_in, token_out, decimals_in, decimals_out, *map(int, figures))
