"""Compares the chain's ledger and the rows of Postgres with the answers that traders got. It does not ask the
daemon."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import astuple, dataclass
from typing import Any, Final
from uuid import UUID

import psycopg2

from db.models import listed
from orderd.domain.order import TERMINAL, UNFILLED, OrderStatus
from orderd.domain.tokens import WSOL_MINT
from tests.acceptance.ledger import Landed, Ledger, Mint


@dataclass(frozen=True)
class Verdict:
    """The number of broken promises, by promise. If one is not 0, there is a fault."""

    lost: int
    """Acknowledged orders that are not stored under their client order id."""
    twice: int
    """Orders of which more than one transaction succeeded."""
    gaps: int
    """Orders whose events are not numbered 1, 2, 3, ... up to the order's own number."""
    unended: int
    unrecorded: int
    """Transactions that landed without an attempt on record, or for an order that does not exist."""
    contradicted: int
    """Orders that are confirmed without a transaction, or not confirmed although a transaction landed."""
    misrecorded: int
    """Successful transactions whose fill is missing or differs from the ledger, and fills without a successful
    transaction."""
    short: int
    """Fills that received less, or cost more, than the transaction and its order allow."""
    beyond: int
    """API keys, and days of the daemon, whose orders are worth more than the limit or than the counted sum."""
    unexplained: int
    """Tokens whose balance differs from what the wallet's transactions left."""

    @property
    def is_clean(self) -> bool:
        return not any(astuple(self))


_SHORT: Final = """
    SELECT count(*) FROM fills f JOIN attempts a ON a.signature = f.signature JOIN orders o ON o.id = f.order_id
    WHERE f.rolled_back_at IS NULL AND (
        f.amount_out < a.min_amount_out OR f.amount_in > a.max_amount_in OR f.amount_out < o.min_out
        OR f.amount_in > coalesce(o.max_in, o.amount_in, f.amount_in))"""
_FILLS: Final = """
    SELECT o.id::text, f.signature, o.mint_in, f.amount_in, o.mint_out, f.amount_out, f.network_fee
    FROM fills f JOIN orders o ON o.id = f.order_id WHERE f.rolled_back_at IS NULL"""
_BEYOND: Final = f"""
    WITH counted AS (
        SELECT n.token_id, n.day, n.notional FROM notionals n JOIN orders o ON o.id = n.order_id
        WHERE o.status NOT IN ({listed(UNFILLED)}) OR o.filled_in IS NOT NULL)
    SELECT (SELECT count(*) FROM api_tokens t
            WHERE (SELECT sum(notional) FROM counted WHERE token_id = t.id) > t.max_notional_per_day)
         + (SELECT count(*) FROM daily_spending d
            WHERE d.notional <> (SELECT coalesce(sum(notional), 0) FROM counted c WHERE c.day = d.day))"""


def judge(
    database_url: str, ledger: Ledger, before: Mapping[Mint, int], acknowledged: Mapping[str, UUID]
) -> tuple[Verdict, Mapping[str, int]]:
    """The verdict, and the number of orders by status. ``before`` are the wallet's balances at the start."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:

        def rows(sql: str) -> list[Any]:
            cursor.execute(sql)
            return cursor.fetchall()

        found = rows("SELECT id::text, client_order_id, status, seq FROM orders")
        orders = {UUID(order): (client, status, seq) for order, client, status, seq in found}
        found = rows("SELECT order_id::text, array_agg(seq ORDER BY seq) FROM order_events GROUP BY order_id")
        events = {UUID(order): numbers for order, numbers in found}
        attempts = {
            (UUID(order), signature) for order, signature in rows("SELECT order_id::text, signature FROM attempts")
        }
        found = rows("SELECT DISTINCT parent_id::text FROM orders WHERE parent_id IS NOT NULL")
        parents = {UUID(parent) for (parent,) in found}
        fills = {(UUID(order), *map(_whole, values)) for order, *values in rows(_FILLS)}
        ((short,),) = rows(_SHORT)
        ((beyond,),) = rows(_BEYOND)
    transactions = ledger.transactions()
    succeeded = Counter(each.order_id for each in transactions if each.succeeded)
    verdict = Verdict(
        lost=sum(orders.get(order, ("",))[0] != client for client, order in acknowledged.items()),
        twice=sum(count > 1 for count in succeeded.values()),
        gaps=sum(events.get(order) != [*range(1, seq + 1)] for order, (_, _, seq) in orders.items()),
        unended=sum(status not in TERMINAL for _, status, _ in orders.values()),
        unrecorded=sum((each.order_id, each.signature) not in attempts for each in transactions),
        contradicted=sum(
            (status == OrderStatus.CONFIRMED) != bool(succeeded[order])
            for order, (_, status, _) in orders.items()
            if order not in parents
        ),
        misrecorded=sum(not _is_recorded(each, fills) for each in transactions if each.succeeded)
        + abs(len(fills) - succeeded.total()),
        short=short,
        beyond=beyond,
        unexplained=len(_differences(transactions, before, ledger.balances())),
    )
    return verdict, Counter(status for _, status, _ in orders.values())


def _whole(value: Any) -> Any:
    """A numeric of Postgres as an integer."""
    return value if isinstance(value, str) else int(value)


def _is_recorded(landed: Landed, fills: set[tuple[Any, ...]]) -> bool:
    return any(
        landed.received.get(mint_in) == -amount_in and landed.received.get(mint_out) == amount_out
        for order, signature, mint_in, amount_in, mint_out, amount_out, fee in fills
        if (order, signature, fee) == (landed.order_id, landed.signature, landed.fee)
    )


def _differences(
    transactions: list[Landed], before: Mapping[Mint, int], after: Mapping[Mint, int]
) -> Mapping[Mint, int]:
    expected = Counter(before)
    for each in transactions:
        expected.update(each.received)
        expected[WSOL_MINT] -= each.fee + each.rent
    return {
        mint: after.get(mint, 0) - expected[mint]
        for mint in {*expected, *after}
        if after.get(mint, 0) != expected[mint]
    }
