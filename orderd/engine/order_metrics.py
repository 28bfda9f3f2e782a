"""Counts and times the events of orders, without any request.

Times are those of the events, by Postgres' clock. A process measures a duration if it has published both events.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from db.journal import Moved
from db.models import Order
from orderd.best_effort import best_effort
from orderd.domain.events import RATE_LIMIT, Confirmed, Deferred, OrderEvent
from orderd.domain.money import BPS
from orderd.domain.order import TERMINAL, EventKind, OrderKind, has_children
from orderd.metrics import orders as metrics

_MAX_ORDERS: Final = 50_000
"""Orders remembered; if another process has reported the end of one, it is dropped when a newer one needs its place."""
_STARTS, _SIGNS, _LANDS, _FILLS = (metrics.STAGE_SECONDS.labels(each) for each in ("start", "sign", "land", "fill"))
_began: Final[dict[UUID, datetime]] = {}
"""The time at which a worker claimed or signed an order."""


def count(changes: Sequence[Moved]) -> None:
    """Count stored changes. Must be called once per change."""
    with best_effort("metrics"):
        for moved in changes:
            event = moved.event
            if (tally := _TALLIES.get(event.data.kind)) is not None:
                tally(moved.order, event)
            if event.status in TERMINAL:
                metrics.ENDED.labels(event.status, getattr(event.data, "code", "none")).inc()


def count_landing(moved: Sequence[Moved], blockhash_slots: Mapping[UUID, int | None]) -> None:
    """Count the slots from blockhash to landing of the orders that landed; ``blockhash_slots`` by order."""
    for each in moved:
        slot = blockhash_slots.get(each.order.id)
        if isinstance(each.event.data, Confirmed) and slot is not None:
            metrics.SLOTS_TO_LAND.observe(max(each.event.data.slot - slot, 0))


def _seconds(event: OrderEvent, since: datetime) -> float:
    return max((event.at - since).total_seconds(), 0.0)


def _remember(order_id: UUID, at: datetime) -> None:
    if len(_began) >= _MAX_ORDERS:
        _began.pop(next(iter(_began)), None)
    _began[order_id] = at


def _accepted(order: Order, event: OrderEvent) -> None:  # noqa: ARG001
    metrics.ACCEPTED.labels(order.kind).inc()


def _started(order: Order, event: OrderEvent) -> None:
    if order.starts == 1 and order.triggered_at is None:
        _STARTS.observe(_seconds(event, order.created_at))
    elif order.triggered_at is not None and order.failures == 0:
        metrics.TRIGGER_SECONDS.observe(_seconds(event, order.triggered_at))
    _remember(order.id, event.at)


def _submitted(order: Order, event: OrderEvent) -> None:
    if (began := _began.pop(order.id, None)) is not None:
        _SIGNS.observe(_seconds(event, began))
    _remember(order.id, event.at)


def _confirmed(order: Order, event: OrderEvent) -> None:
    if (began := _began.pop(order.id, None)) is not None:
        _LANDS.observe(_seconds(event, began))
    if has_children(order.kind, partial=order.partial):
        return  # what executed it has been counted
    if order.kind is OrderKind.MARKET:
        _FILLS.observe(_seconds(event, order.created_at))
    metrics.ATTEMPTS.labels(order.venue or "none", "filled").inc()
    if (bps := _against_quote(order)) is not None:
        metrics.FILL_BPS.observe(bps)


def _against_quote(order: Order) -> float | None:
    """The gain of the fill over its quote, in basis points; for an exact output, the saving."""
    if order.exact_out is None:
        filled, quoted = order.filled_out, order.quoted_amount_out
        return None if filled is None or not quoted else (filled - quoted) * BPS / quoted
    filled, quoted = order.filled_in, order.quoted_amount_in
    return None if filled is None or not quoted else (quoted - filled) * BPS / quoted


def _attempt_failed(order: Order, event: OrderEvent) -> None:
    if has_children(order.kind, partial=order.partial):
        return
    fact: Any = event.data
    if (began := _began.pop(order.id, None)) is not None and order.signature is not None:
        _LANDS.observe(_seconds(event, began))
    metrics.ATTEMPTS.labels(order.venue or "none", fact.code).inc()


def _deferred(order: Order, event: OrderEvent) -> None:
    fact = event.data
    assert isinstance(fact, Deferred)
    metrics.DEFERRALS.labels(fact.code or fact.reason).inc()
    if fact.reason == RATE_LIMIT:
        metrics.RATE_LIMIT_WAIT.observe(max((fact.until - event.at).total_seconds(), 0.0))
    _began.pop(order.id, None)


def _unknown(order: Order, event: OrderEvent) -> None:  # noqa: ARG001
    metrics.UNKNOWN.inc()


def _forget(order: Order, event: OrderEvent) -> None:  # noqa: ARG001
    _began.pop(order.id, None)


_TALLIES: Final[Mapping[str, Callable[[Order, OrderEvent], None]]] = {
    EventKind.ACCEPTED: _accepted,
    EventKind.STARTED: _started,
    EventKind.SUBMITTED: _submitted,
    EventKind.CONFIRMED: _confirmed,
    EventKind.RETRYING: _attempt_failed,
    EventKind.FAILED: _attempt_failed,
    EventKind.DEFERRED: _deferred,
    EventKind.UNKNOWN: _unknown,
    EventKind.RECLAIMED: _forget,
    EventKind.EXPIRED: _forget,
    EventKind.CANCELLED: _forget,
}
