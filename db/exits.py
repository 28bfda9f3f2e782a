"""Orders that have bought, and are to be followed by an order that sells again."""

from db.connection import database
from db.models import Order

_DUE = """
    NOT exit_made AND (then_take_profit_price IS NOT NULL OR then_stop_price IS NOT NULL) AND ended_as IS NOT NULL
    AND NOT EXISTS (SELECT FROM attempts a WHERE a.order_id = orders.id AND a.awaits_finality)"""


def due(limit: int) -> list[Order]:
    """Those that have ended for good, with or without a fill, and nothing has followed yet."""
    return list(Order.raw(f"SELECT * FROM orders WHERE {_DUE} ORDER BY id LIMIT %s", limit).execute(database))  # noqa: S608


def note(order: Order) -> bool:
    """Say that nothing more follows this one; False where that was said before."""
    cursor = database.execute_sql(f"UPDATE orders SET exit_made = true WHERE id = %s AND {_DUE}", (str(order.id),))  # noqa: S608
    return bool(cursor.rowcount)
