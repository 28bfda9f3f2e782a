"""Orders with an unknown outcome."""

from db import alerts
from db.journal.rows import COLUMNS, Moved, moved_by, rows_of
from db.models import in_states
from orderd.domain.events import Unknown
from orderd.domain.order import EventKind, sources


def flag_unknown(after_seconds: float, limit: int) -> list[Moved]:
    """Mark orders as unknown that have been submitted for this long.

    Their claims stay as they are: the worker that holds one continues to follow the order.
    """
    sql = f"""
        WITH moved AS (
            UPDATE orders SET seq = seq + 1, unknown_since = clock.now, updated_at = clock.now
            FROM (SELECT clock_timestamp() AS now) clock WHERE id IN (
                SELECT id FROM orders
                WHERE {in_states(sources(EventKind.UNKNOWN))} AND unknown_since IS NULL
                  AND updated_at < statement_timestamp() - %s * interval '1 second'
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING *, jsonb_build_object(
                'kind', '{EventKind.UNKNOWN}', 'attempt', failures + 1, 'signature', signature) AS event_data),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.UNKNOWN}', event_data FROM moved),
        {alerts.clause_for(EventKind.UNKNOWN)}
        SELECT {COLUMNS} FROM moved"""
    return moved_by(
        rows_of(sql, [after_seconds, limit]),
        lambda order: Unknown(attempt=order.failures + 1, signature=order.signature or ""),
    )
