"""The values of orders for the daily limits. All functions run in the transaction of an order."""

from datetime import date
from uuid import UUID

from db.connection import database


def count(notional: int, limit: int) -> date | None:
    """Add an order to today's counter, in UTC; None if all orders of today would exceed the limit.

    Both are in base units of USDC. Concurrent orders are serialized, so the condition holds for the current counter.
    """
    row = database.execute_sql(
        """
        INSERT INTO daily_spending AS d (day, notional)
        SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date, %(notional)s WHERE %(notional)s <= %(limit)s
        ON CONFLICT (day) DO UPDATE SET notional = d.notional + excluded.notional
        WHERE d.notional + excluded.notional <= %(limit)s
        RETURNING day""",
        {"notional": notional, "limit": limit},
    ).fetchone()
    return None if row is None else row[0]


def counted_today() -> int:
    """The value of today's counter."""
    row = database.execute_sql(
        "SELECT notional FROM daily_spending WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date"
    ).fetchone()
    return 0 if row is None else int(row[0])


def note(order_id: UUID, key_id: UUID | None, notional: int, day: date | None) -> None:
    """Store the value of an order; ``day`` is the counter that includes it."""
    database.execute_sql(
        "INSERT INTO notionals (order_id, token_id, notional, day) VALUES (%s, %s, %s, %s)",
        (str(order_id), None if key_id is None else str(key_id), notional, day),
    )


def forget(order_id: UUID) -> None:
    """Remove an order from the counter, before it is counted again."""
    database.execute_sql(
        """
        WITH gone AS (DELETE FROM notionals WHERE order_id = %s RETURNING notional, day)
        UPDATE daily_spending d SET notional = d.notional - gone.notional FROM gone WHERE d.day = gone.day""",
        (str(order_id),),
    )
