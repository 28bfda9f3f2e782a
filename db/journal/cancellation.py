"""Cancellation of signed orders: no further attempt is made, and the order ends when the current attempt has ended."""

from typing import Final
from uuid import UUID

from db.connection import database
from db.journal.changes import Change
from db.journal.rows import COLUMNS, Moved, moved_by, rows_of
from db.journal.writing import apply
from db.models import IS_FAMILY, listed
from orderd.domain.events import Cancelled, CancelRequested
from orderd.domain.order import EventKind, sources


def request_cancel(order_id: UUID) -> list[Moved]:
    """Prevent further attempts of a signed order. Its claim stays as it is: the holder continues to follow the
    order."""
    sql = f"""
        WITH moved AS (
            UPDATE orders SET seq = seq + 1, cancel_requested = true, updated_at = clock_timestamp()
            WHERE id = %s AND status IN ({listed(sources(EventKind.CANCEL_REQUESTED))}) AND NOT cancel_requested
            RETURNING *),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.CANCEL_REQUESTED}',
                   jsonb_build_object('kind', '{EventKind.CANCEL_REQUESTED}') FROM moved)
        SELECT {COLUMNS} FROM moved"""
    return moved_by(rows_of(sql, [str(order_id)]), lambda _: CancelRequested())


IS_WITHDRAWN: Final = f"""
    cancel_requested AND ended_as IS NULL AND status IN ({listed(sources(EventKind.CANCELLED))}) AND NOT {IS_FAMILY}"""
"""SQL for the orders whose cancellation was requested while they were signed, and whose attempt did not land."""


def withdraw(limit: int) -> list[Moved]:
    """Cancel the orders whose cancellation was requested while they were signed, and whose attempt did not land."""
    rows = database.execute_sql(f"SELECT id FROM orders WHERE {IS_WITHDRAWN} ORDER BY id LIMIT %s", (limit,))
    return apply([Change(UUID(str(order_id)), Cancelled(), None) for (order_id,) in rows])
