"""The state of all orders, from snapshots and events; repeated and outdated ones are ignored."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from orderctl.display.resting import above, is_family, is_open
from orderctl.display.timeline import changes_at_rest
from orderd.domain.errors import OrderdError
from orderd.domain.events import (
    Accepted,
    Amended,
    CancelRequested,
    Confirmed,
    Deferred,
    Executing,
    Expired,
    Failed,
    FilledPart,
    OrderEvent,
    Recovered,
    Released,
    Retrying,
    Routed,
    Started,
    Submitted,
    Triggered,
)
from orderd.domain.order import FILLED, STAGES, TERMINAL, OrderStatus
from orderd.domain.times import parse_moment, parse_span
from orderd.wire.orders import OrderView
from orderd.wire.problem import Problem

ENDED_KEPT = 200


class Book:
    """``revision`` increases with each change, so that widgets can detect changes."""

    def __init__(self) -> None:
        self.active: dict[UUID, OrderView] = {}
        self.ended: dict[UUID, OrderView] = {}
        self.families: dict[UUID, set[UUID]] = {}
        """The known child orders, and exit orders, of each order that has some."""
        self.running: dict[UUID, OrderView] = {}
        """Active orders in a stage of execution; the one that changed last is at the end."""
        self.resting: dict[UUID, OrderView] = {}
        """Active orders that wait for the market."""
        self.stages: Counter[OrderStatus] = Counter()
        """The number of running orders per stage."""
        self.filled = 0
        """The number of fills seen."""
        self.revision = 0
        self._unconfirmed: set[UUID] = set()

    def get(self, order: UUID) -> OrderView | None:
        return self.active.get(order) or self.ended.get(order)

    def begin(self) -> None:
        """Prepare for a new connection, which begins with snapshots of all active orders."""
        self._unconfirmed = set(self.active)

    @property
    def unconfirmed(self) -> frozenset[UUID]:
        """Orders known as active for which no snapshot has arrived; after the last snapshot, these have ended."""
        return frozenset(self._unconfirmed)

    def forget_missing(self) -> None:
        """Remove orders that the daemon no longer knows, as after a restore of its database."""
        for order in self._unconfirmed:
            self.revision += 1
            self._count(self.active[order], is_running=False)
            self.resting.pop(order, None)
            self._forget(self.active.pop(order))
        self._unconfirmed.clear()

    def put(self, order: OrderView) -> None:
        """Store the state of an order, unless a newer one is known."""
        self._unconfirmed.discard(order.id)
        known = self.get(order.id)
        if known is None or order.seq > known.seq or _shows_more(known, order):
            self._place(order)

    def put_all(self, orders: Iterable[OrderView]) -> None:
        for order in orders:
            self.put(order)

    def apply(self, event: OrderEvent) -> None:
        """Apply an event. Raises AnswerLostError if earlier events are missing."""
        self._unconfirmed.discard(event.order_id)
        known = self.get(event.order_id)
        seq = known.seq if known else 0
        if event.seq <= seq:
            return
        if event.seq > seq + 1:
            from orderd.client import handshake

            raise handshake.gap(event.seq, seq)
        self._place(accepted(event) if known is None else advanced(known, event))

    def _place(self, order: OrderView) -> None:
        self.revision += 1
        self._count(order, is_running=order.status in STAGES and order.status not in TERMINAL)
        if is_open(order):
            self.resting[order.id] = order
        else:
            self.resting.pop(order.id, None)
        if order.status in FILLED:
            self.filled += 1
        if (first := above(order)) is not None:
            self.families.setdefault(first, set()).add(order.id)
        if order.status not in TERMINAL:
            self.active[order.id] = order
            return
        self.active.pop(order.id, None)
        self.ended[order.id] = order
        if len(self.ended) > ENDED_KEPT:
            self._forget(self.ended.pop(min(self.ended.values(), key=attrgetter("updated_at")).id))

    def _count(self, order: OrderView, *, is_running: bool) -> None:
        if (before := self.running.pop(order.id, None)) is not None:
            self.stages[before.status] -= 1
        if is_running:
            self.running[order.id] = order
            self.stages[order.status] += 1

    def _forget(self, order: OrderView) -> None:
        if (first := above(order)) is not None:
            below = self.families[first]
            below.discard(order.id)
            if not below:
                del self.families[first]


def _shows_more(known: OrderView, order: OrderView) -> bool:
    """Whether data that changes without an event is new: a trailing stop's best price, or the time of the next
    execution."""
    details = (order.best_amount_out, order.next_at)
    return order.seq == known.seq and details != (known.best_amount_out, known.next_at)


def accepted(event: OrderEvent) -> OrderView:
    """Create an order from its first event."""
    assert isinstance(event.data, Accepted), "an order's first event is its acceptance"
    valid_until = None
    if event.data.valid_for is not None:
        valid_until = event.at + timedelta(seconds=parse_span(event.data.valid_for))
    elif event.data.expires is not None:
        valid_until = parse_moment(event.data.expires)
    return OrderView(
        id=event.order_id,
        **event.data.model_dump(exclude={"kind", "label"}),
        kind=event.data.type,
        valid_until=valid_until,
        status=event.status,
        seq=event.seq,
        attempt=0,
        created_at=event.at,
        updated_at=event.at,
    )


def advanced(order: OrderView, event: OrderEvent) -> OrderView:
    """The order after its next event."""
    changes: dict[str, Any] = {"status": event.status, "seq": event.seq, "updated_at": event.at, "due_at": None}
    match event.data:
        case Released() | Triggered() | Amended() | Executing() | FilledPart() | CancelRequested():
            changes |= _at_rest(event)
        case Deferred(until=until):
            changes["due_at"] = until
        case Retrying(until=until):
            changes |= {"due_at": until, "signature": None}
        case Started(attempt=attempt):
            changes["attempt"] = attempt
        case Routed(chosen=chosen, min_amount_out=least, max_amount_in=most):
            changes |= {"venue": chosen.venue, "pool": chosen.pool}
            changes |= {"quoted_amount_out": chosen.amount_out, "min_amount_out": least}
            changes |= {"quoted_amount_in": chosen.amount_in, "max_amount_in": most}
        case Submitted(signature=signature) | Recovered(signature=signature):
            changes["signature"] = signature
        case Confirmed() as fill:
            changes |= {"venue": fill.venue, "signature": fill.signature, "amount_out": fill.amount_out}
            changes |= {"executed_price": fill.executed_price, "network_fee": fill.network_fee}
            if order.exact_out is not None:
                changes["amount_in"] = fill.amount_in
            if is_family(order):
                changes["filled_amount_in"] = fill.amount_in
        case Failed(code=code, detail=detail) | Expired(code=code, detail=detail):
            changes["error"] = Problem.of(OrderdError(code, detail), order.id)
    return order.model_copy(update=changes)


def _at_rest(event: OrderEvent) -> dict[str, Any]:
    """The changes of a resting order, and those requested by the trader."""
    match event.data:
        case CancelRequested():
            return {"cancel_requested": True}
        case _:
            return changes_at_rest(event)
