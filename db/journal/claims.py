"""Claims of due orders by workers, one worker per order."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from uuid import UUID

from db.connection import database
from db.journal.due import IS_VALID, VALID_UNTIL
from db.journal.rows import COLUMNS, Moved, moved_by
from db.journal.writing import in_order
from db.models import listed
from db.prepared import Prepared
from orderd.domain.events import Started
from orderd.domain.order import EventKind, sources, target


def claim(order_ids: Sequence[UUID], owner: str, lease_seconds: float) -> list[Moved]:
    """Claim due orders. Increases their versions, so that writes of any other holder are refused from now on.

    Orders that are not due, not waiting for a start, no longer valid or unknown are not returned. The time that an
    order waits for a start does not count toward its validity.
    """
    given = f"{{{','.join(map(str, order_ids))}}}"
    rows = _claiming().execute(owner, lease_seconds, given).fetchall()
    return moved_by(rows, lambda order: Started(attempt=order.failures + 1))


@cache
def _claiming() -> Prepared:
    """Parameters: $1 the owner, $2 the lease in seconds, $3 the orders."""
    return Prepared(
        "claim",
        ("text", "double precision", "uuid[]"),
        f"""
        WITH moved AS (
            UPDATE orders SET status = '{target(EventKind.STARTED)}', seq = seq + 1, version = version + 1,
                starts = starts + 1, due_at = NULL, waits_for = NULL, waits_since = NULL,
                valid_until = {VALID_UNTIL}, lease_owner = $1,
                lease_until = clock_timestamp() + $2 * interval '1 second', updated_at = clock_timestamp()
            WHERE id IN ({in_order("id = ANY($3)")})
              AND status IN ({listed(sources(EventKind.STARTED))}) AND due_at <= clock_timestamp() {IS_VALID}
              AND NOT cancel_requested
            RETURNING *, jsonb_build_object('kind', '{EventKind.STARTED}', 'attempt', failures + 1) AS event_data),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.STARTED}', event_data FROM moved)
        SELECT {COLUMNS} FROM moved""",
    )


def recent_starts(window_seconds: float) -> list[tuple[UUID, timedelta]]:
    """The orders that were started within the window, and how long ago, for the rate limit after a loss of Redis' data.

    Starts in the future, after Postgres' clock was set back, count as if they were now. A turn in which the order had
    to wait is not a start.
    """
    rows = database.execute_sql(
        f"""
        SELECT order_id, greatest(now - at, interval '0') FROM order_events s, (SELECT clock_timestamp() AS now) clock
        WHERE kind = '{EventKind.STARTED}' AND at > statement_timestamp() - %s * interval '1 second' AND NOT EXISTS (
            SELECT FROM order_events d
            WHERE d.order_id = s.order_id AND d.seq > s.seq AND d.kind = '{EventKind.DEFERRED}' AND NOT EXISTS (
                SELECT FROM order_events b
                WHERE b.order_id = s.order_id AND b.seq > s.seq AND b.seq < d.seq AND b.kind <> '{EventKind.ROUTED}'))
        ORDER BY at""",
        (window_seconds,),
    )
    return [(UUID(str(order_id)), age) for order_id, age in rows]
