"""Deferral of orders that cannot be started now."""

from dataclasses import dataclass
from uuid import UUID

import orjson

from db.journal.due import VALID_UNTIL, due
from db.journal.rows import COLUMNS, Moved, moved_by, rows_of
from db.models import listed
from orderd.domain.errors import OrderdError
from orderd.domain.events import Deferred
from orderd.domain.order import WAITING, EventKind, OrderStatus, sources, target


@dataclass(frozen=True, slots=True)
class Waits:
    """The order waits. ``moved`` has the event, if this reason was not reported before."""

    moved: tuple[Moved, ...]


def defer(order_id: UUID, delay_ms: int, reason: str | OrderdError) -> Waits | None:
    """Let an order wait for a start for this long from now; None if it no longer waits for one. This is not an attempt.

    If the reason is an error, the order waits until that is over, while it is valid. An event is written if the order
    waited for something else before, or for nothing. While the reason stays the same, only the estimate changes.
    """
    if isinstance(reason, OrderdError):
        waits_for, until = str(reason.code), due("%s")
        fact_members = {"reason": reason.spec.title, "code": reason.code, "detail": reason.detail}
    else:
        waits_for, until = reason, due("%s", "CASE WHEN expires_at IS NOT NULL THEN valid_until END")
        fact_members = {"reason": reason}
    sql = f"""
        WITH before AS (
            SELECT id, waits_for IS DISTINCT FROM %s AS is_new FROM orders
            WHERE id = %s AND status IN ({listed(WAITING & sources(EventKind.DEFERRED))}) FOR NO KEY UPDATE),
        moved AS (
            UPDATE orders o SET due_at = {until}, waits_for = %s, lease_owner = NULL, lease_until = NULL,
                version = o.version + 1, seq = o.seq + is_new::int,
                status = CASE WHEN is_new THEN '{target(EventKind.DEFERRED, OrderStatus.PENDING)}' ELSE o.status END,
                valid_until = CASE WHEN is_new THEN {VALID_UNTIL} ELSE o.valid_until END,
                waits_since = CASE WHEN is_new THEN clock_timestamp() ELSE o.waits_since END,
                updated_at = CASE WHEN is_new THEN clock_timestamp() ELSE o.updated_at END
            FROM before WHERE o.id = before.id
            RETURNING o.*, is_new),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.DEFERRED}',
                   %s::jsonb || jsonb_build_object('kind', '{EventKind.DEFERRED}', 'until', due_at)
            FROM moved WHERE is_new)
        SELECT is_new, {COLUMNS} FROM moved"""
    fact = orjson.dumps(fact_members).decode()
    rows = rows_of(sql, [waits_for, str(order_id), delay_ms, waits_for, fact])
    if not rows:
        return None
    news = [row[1:] for row in rows if row[0]]
    return Waits(tuple(moved_by(news, lambda order: Deferred.model_validate({**fact_members, "until": order.due_at}))))
