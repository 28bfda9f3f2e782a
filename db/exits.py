"""Entry orders and their exits: orders that are held until the entry is filled, and then sell what it bought."""

from uuid import UUID

from db.connection import database
from db.models import Order, in_states
from orderd.domain.order import HELD

_IS_DUE = """
    NOT exit_made AND (then_take_profit_price IS NOT NULL OR then_stop_price IS NOT NULL) AND ended_as IS NOT NULL
    AND NOT EXISTS (SELECT FROM attempts a WHERE a.order_id = orders.id AND a.awaits_finality)"""


def due(limit: int) -> list[Order]:
    """Entries that have ended finally, and whose exits have not been handled yet."""
    rows = Order.raw(f"SELECT * FROM orders WHERE {_IS_DUE} ORDER BY id LIMIT %s", limit)  # noqa: S608
    return list(rows.execute(database))


def note(entry: Order) -> bool:
    """Record that the exits of this entry have been handled; false if that was recorded before."""
    cursor = database.execute_sql(f"UPDATE orders SET exit_made = true WHERE id = %s AND {_IS_DUE}", (str(entry.id),))  # noqa: S608
    return bool(cursor.rowcount)


def held_for(entry_id: UUID) -> list[Order]:
    """The order that is held until this entry is filled, unless it was cancelled."""
    rows = Order.raw(f"SELECT * FROM orders WHERE entry_id = %s AND {in_states(HELD)}", str(entry_id))  # noqa: S608
    return list(rows.execute(database))
