"""Ended orders by the time of their end, found by an index of events."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.connection import database
from orderd.domain.order import TERMINAL


@dataclass(frozen=True, slots=True, order=True)
class EndedOrder:
    """A terminal event of an order. An order whose success was rolled back has several."""

    at: datetime
    order_id: UUID


def ended_orders(since: datetime, until: datetime, after: EndedOrder | None, most: int) -> list[EndedOrder]:
    """The first ``most`` terminal events in ``[since, until)`` after ``after``, the last one of the previous page.

    Needs a connection. Orders whose events have been removed are not included.
    """
    at, order_id = (since, UUID(int=0)) if after is None else (after.at, after.order_id)
    rows = database.execute_sql(
        """
        SELECT at, order_id FROM order_events
        WHERE at >= %s AND (at, order_id) > (%s, %s) AND at < %s AND status::text = ANY(%s)
        ORDER BY at, order_id LIMIT %s""",
        (at, at, str(order_id), until, sorted(TERMINAL), most),
    )
    return [EndedOrder(at, UUID(str(order_id))) for at, order_id in rows]
