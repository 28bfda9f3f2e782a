"""Holds the chain's ledger and the rows of Postgres against what a trader was told; asks the daemon nothing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg2

from orderd.domain.order import TERMINAL
from tests.acceptance.ledger import Ledger


@dataclass(frozen=True)
class Verdict:
    """How many promises were broken, by promise. All are 0, or there is a fault."""

    lost: int
    """Acknowledged orders that are not stored under their client order id."""
    twice: int
    """Orders of which more than one transaction succeeded."""
    gaps: int
    """Orders whose events are not numbered 1, 2, 3, ... up to the order's own number."""
    unended: int
    unrecorded: int
    """Transactions that landed without an attempt on record, or for an order that there is not."""
    contradicted: int
    """Orders that are confirmed without a transaction, or have one and are not confirmed."""
    short: int
    """Fills that received less, or cost more, than the transaction and its order allow."""


_SHORT: Final = """
    SELECT count(*) FROM fills f JOIN attempts a ON a.signature = f.signature JOIN orders o ON o.id = f.order_id
    WHERE f.rolled_back_at IS NULL AND (
        f.amount_out < a.min_amount_out OR f.amount_in > a.max_amount_in OR f.amount_out < o.min_out
        OR f.amount_in > coalesce(o.max_in, o.amount_in, f.amount_in))"""


def judge(database_url: str, ledger: Ledger, acknowledged: Mapping[str, UUID]) -> tuple[Verdict, Mapping[str, int]]:
    """The verdict, and how many orders there are by status."""
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id::text, client_order_id, status, seq FROM orders")
            orders = {UUID(order): (client, status, seq) for order, client, status, seq in cursor.fetchall()}
            cursor.execute("SELECT order_id::text, array_agg(seq ORDER BY seq) FROM order_events GROUP BY order_id")
            events = {UUID(order): numbers for order, numbers in cursor.fetchall()}
            cursor.execute("SELECT order_id::text, signature FROM attempts")
            attempts = {(UUID(order), signature) for order, signature in cursor.fetchall()}
            cursor.execute("SELECT DISTINCT parent_id::text FROM orders WHERE parent_id IS NOT NULL")
            parents = {UUID(parent) for (parent,) in cursor.fetchall()}
            cursor.execute(_SHORT)
            (short,) = cursor.fetchone() or (0,)
    finally:
        connection.close()
    landed = ledger.transactions()
    succeeded = Counter(each.order_id for each in landed if each.succeeded)
    verdict = Verdict(
        lost=sum(orders.get(order, ("",))[0] != client for client, order in acknowledged.items()),
        twice=sum(count > 1 for count in succeeded.values()),
        gaps=sum(events.get(order) != [*range(1, seq + 1)] for order, (_, _, seq) in orders.items()),
        unended=sum(status not in TERMINAL for _, status, _ in orders.values()),
        unrecorded=sum((each.order_id, each.signature) not in attempts for each in landed),
        contradicted=sum(
            (status == "confirmed") != bool(succeeded[order])
            for order, (_, status, _) in orders.items()
            if order not in parents
        ),
        short=short,
    )
    return verdict, Counter(status for _, status, _ in orders.values())
