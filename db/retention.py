"""Removes old rows in small batches, found by an index, and counts them.

Orders, fills, the audit log, and anything that can still change are never removed. The events of an order are removed
together, when it ended long enough ago; so are its failures. Of finally ended attempts, only the signed bytes are
removed. Only the oldest rows are read, so the cost does not depend on the number of rows.
"""

from enum import StrEnum
from typing import Final

from db.age import DAYS_AGO
from db.connection import database, transaction

ROWS: Final = 1_000
"""Rows per batch. A batch takes some milliseconds and blocks no writer, because these rows no longer change."""
_LOCK: Final = 7_140_051_903_119


class Kept(StrEnum):
    """The kinds of rows with a maximum age. Each is part of the name of a setting, ``keep_..._days``."""

    EVENTS = "events"
    FAILURES = "failures"
    SIGNED_BYTES = "signed_bytes"
    NOTIONALS = "notionals"
    ALERTS = "alerts"


_ENDED_ORDER: Final = f"""
    o.ended_as IS NOT NULL AND o.updated_at < {DAYS_AGO}
    AND NOT EXISTS (SELECT FROM attempts a WHERE a.order_id = o.id AND a.awaits_finality)"""


def _of_ended_orders(table: str) -> str:
    return f"""
        DELETE FROM {table} WHERE order_id = ANY(ARRAY(
            SELECT r.order_id FROM {table} r JOIN orders o ON o.id = r.order_id
            WHERE r.at < {DAYS_AGO} AND {_ENDED_ORDER} ORDER BY r.at LIMIT %(rows)s))"""  # noqa: S608


_REMOVE: Final = {
    Kept.EVENTS: _of_ended_orders("order_events"),
    Kept.FAILURES: _of_ended_orders("order_failures"),
    Kept.SIGNED_BYTES: f"""
        UPDATE attempts SET signed_bytes = NULL WHERE id = ANY(ARRAY(
            SELECT id FROM attempts
            WHERE settled_at < {DAYS_AGO} AND signed_bytes IS NOT NULL AND outcome <> 'live' AND NOT awaits_finality
            ORDER BY settled_at LIMIT %(rows)s))
        AND outcome <> 'live' AND NOT awaits_finality""",  # noqa: S608
    Kept.NOTIONALS: f"""
        DELETE FROM notionals WHERE order_id = ANY(ARRAY(
            SELECT order_id FROM notionals n JOIN orders o ON o.id = order_id
            WHERE at < {DAYS_AGO} AND (o.ended_as IS NOT NULL OR o.kind = 'market') ORDER BY at LIMIT %(rows)s))""",  # noqa: S608
    Kept.ALERTS: f"""
        DELETE FROM alerts WHERE id = ANY(ARRAY(
            SELECT id FROM alerts WHERE at < {DAYS_AGO} ORDER BY at LIMIT %(rows)s))""",  # noqa: S608
}


@transaction
def remove(kept: Kept, days: int, rows: int = ROWS) -> int:
    """Remove about ``rows`` of the oldest rows that are older than ``days``. Returns the number removed.

    Returns 0 while another process does the same. The rows of an order are removed together. Needs a connection.
    """
    (is_mine,) = database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
    if not is_mine:
        return 0
    removed = int(database.execute_sql(_REMOVE[kept], {"days": days, "rows": rows}).rowcount)
    if removed:
        database.execute_sql(
            """
            INSERT INTO removals (kept, rows) VALUES (%s, %s)
            ON CONFLICT (kept) DO UPDATE SET rows = removals.rows + excluded.rows""",
            (kept, removed),
        )
    return removed


def removed() -> dict[Kept, int]:
    """The total numbers of removed rows."""
    counted = dict(database.execute_sql("SELECT kept, rows FROM removals").fetchall())
    return {kept: int(counted.get(kept, 0)) for kept in Kept}


def database_bytes() -> int:
    """The size of the database on disk."""
    (size,) = database.execute_sql("SELECT pg_database_size(current_database())").fetchone()
    return int(size)


def table_bytes() -> dict[str, int]:
    """The size of each table on disk, with its indexes and TOAST; the largest first."""
    rows = database.execute_sql(
        """
        SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class
        WHERE relkind = 'r' AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'orders'::regclass)
        ORDER BY bytes DESC, relname"""
    )
    return {table: int(size) for table, size in rows}
