"""Counts of orders by state, without reading ended orders.

Triggers record each end in a new row of ``ended_orders``. With a single counter row, all transactions that end orders
would block each other. The count is the sum of these rows; it is always exact, and the rows are merged from time to
time.
"""

from dataclasses import dataclass

from db.connection import database
from orderd.domain.order import OrderKind, OrderStatus


@dataclass(frozen=True, slots=True)
class StateCount:
    """The number of orders in a state: all, those that are due, and those with an unknown outcome."""

    orders: int
    due: int
    unknown: int


def by_status() -> dict[OrderStatus, StateCount]:
    """The counts of all states, in one consistent snapshot."""
    rows = database.execute_sql(
        """
        SELECT status, count(*), count(*) FILTER (WHERE due_at <= statement_timestamp()), count(unknown_since)
        FROM orders WHERE ended_as IS NULL GROUP BY status
        UNION ALL
        SELECT ended_as, sum(orders)::bigint, 0, 0 FROM ended_orders GROUP BY ended_as HAVING sum(orders) <> 0"""
    )
    return {OrderStatus(status): StateCount(*numbers) for status, *numbers in rows}


def open_by_kind() -> list[tuple[OrderKind, int, float]]:
    """The number of active orders per kind, and the age of the oldest one in seconds."""
    rows = database.execute_sql(
        """
        SELECT kind, count(*), extract(epoch FROM statement_timestamp() - min(created_at))
        FROM orders WHERE ended_as IS NULL GROUP BY kind"""
    )
    return [(OrderKind(kind), orders, max(float(age), 0.0)) for kind, orders, age in rows]


def add_up() -> None:
    """Merge the rows, except those that another process is merging now."""
    database.execute_sql(
        """
        WITH taken AS (
            DELETE FROM ended_orders WHERE ctid = ANY(ARRAY(SELECT ctid FROM ended_orders FOR UPDATE SKIP LOCKED))
            RETURNING *)
        INSERT INTO ended_orders SELECT ended_as, sum(orders) FROM taken GROUP BY ended_as"""
    )
