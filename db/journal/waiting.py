"""Deferral of orders that cannot be started now."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson

from db.journal.due import VALID_UNTIL, due
from db.journal.rows import COLUMNS, Moved, moved_by, rows_of
from db.models import Order, listed
from orderd.domain.errors import OrderdError
from orderd.domain.events import Deferred
from orderd.domain.order import WAITING, EventKind, OrderStatus, sources, target


@dataclass(frozen=True, slots=True)
class Waits:
    """The ``orders`` wait. ``moved`` has the events of those for which this reason was not reported before."""

    orders: frozenset[UUID]
    moved: tuple[Moved, ...]


def defer(delays_ms: Mapping[UUID, int], reason: str | OrderdError) -> Waits:
    """Let orders wait for a start for these times from now, unless they no longer wait for one. This is not an attempt.

    If the reason is an error, an order waits until that is over, while it is valid. An event is written if the order
    waited for something else before, or for nothing. While the reason stays the same, only the estimate changes.
    """
    if isinstance(reason, OrderdError):
        waits_for, until = str(reason.code), due("before.delay_ms")
        fact_members = {"reason": reason.spec.title, "code": reason.code, "detail": reason.detail}
    else:
        waits_for, until = reason, due("before.delay_ms", "CASE WHEN expires_at IS NOT NULL THEN valid_until END")
        fact_members = {"reason": reason}
    sql = f"""
        WITH before AS (
            SELECT id, delay_ms, waits_for IS DISTINCT FROM %s AS is_new
            FROM orders JOIN unnest(%s::uuid[], %s::bigint[]) AS given (order_id, delay_ms) ON id = order_id
            WHERE status IN ({listed(WAITING & sources(EventKind.DEFERRED))}) ORDER BY id FOR NO KEY UPDATE OF orders),
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
    order_ids = [str(order_id) for order_id in delays_ms]
    rows = rows_of(sql, [waits_for, order_ids, [*delays_ms.values()], waits_for, fact])

    def fact_of(order: Order) -> Deferred:
        return Deferred.model_validate({**fact_members, "until": order.due_at})

    waiting = moved_by([row[1:] for row in rows], fact_of)
    is_new = [row[0] for row in rows]
    return Waits(
        frozenset(each.order.id for each in waiting),
        tuple(each for each, new in zip(waiting, is_new, strict=True) if new),
    )
