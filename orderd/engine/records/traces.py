"""Makes the trace of an order from its stored events, after it has ended, so that no order waits for it.

The trace id is the order's id. The span of the order contains the spans of its waiting states and of its turns, and a
turn contains the spans of its states. A turn links to the previous one, and an order to its family. All ids are derived
from the order: so building a trace again gives the same trace.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Final
from uuid import UUID

from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL, EventKind
from orderd.wire.order_detail import AttemptView, OrderDetail
from orderd.wire.orders import OrderView

_TURN_ENDS: Final = frozenset(
    {
        EventKind.CONFIRMED,
        EventKind.RETRYING,
        EventKind.FAILED,
        EventKind.DEFERRED,
        EventKind.RECLAIMED,
        EventKind.CANCELLED,
        EventKind.EXPIRED,
    }
)
_TOLD: Final = ("code", "detail", "reason", "signature", "slot", "condition", "price", "amount_in", "amount_out")
"""Members of events that become attributes of the trace."""


@dataclass(frozen=True, slots=True)
class SpanRef:
    """A span of this or another order."""

    order_id: UUID
    of: str
    """The name of the span within the order; '' is the order itself."""

    @property
    def trace_id(self) -> int:
        return self.order_id.int

    @property
    def span_id(self) -> int:
        return int.from_bytes(sha256(f"{self.order_id}:{self.of}".encode()).digest()[:8]) or 1


@dataclass(frozen=True, slots=True)
class SpanLink:
    """``why`` is retry, parent, entry or child."""

    to: SpanRef
    why: str


@dataclass(slots=True)
class TraceSpan:
    """A span of time. ``error`` is the reason of a failure; '' without one."""

    ref: SpanRef
    name: str
    began: datetime
    ended: datetime
    parent: SpanRef | None = None
    error: str = ""
    attributes: dict[str, str | int] = field(default_factory=dict)
    events: list[OrderEvent] = field(default_factory=list)
    links: list[SpanLink] = field(default_factory=list)


def trace_of(detail: OrderDetail) -> list[TraceSpan]:
    """The spans of an order that has ended. The first is that of the order itself."""
    order, events = detail.order, detail.events
    root = TraceSpan(
        SpanRef(order.id, ""),
        f"order {order.token_in}/{order.token_out}",
        events[0].at if events else order.created_at,
        events[-1].at if events else order.updated_at,
        error="" if order.error is None else order.error.code,
        attributes=_about(order),
        events=[event for event in events if event.status in TERMINAL],
        links=[*_family(detail)],
    )
    turns = [*_turns(root.ref, events, detail.attempts)]
    return [root, *turns, *_states(root.ref, events, turns)]


def event_attributes(event: OrderEvent) -> dict[str, str | int]:
    """The attributes of an event in a trace."""
    return _attributes("", {name: getattr(event.data, name, None) for name in _TOLD})


def _about(order: OrderView) -> dict[str, str | int]:
    members = {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "account": order.account,
        "kind": order.kind,
        "status": order.status,
        "amount_in": order.amount_in,
        "amount_out": order.amount_out,
        "executed_price": order.executed_price,
        "error": None if order.error is None else order.error.detail,
    }
    return _attributes("order.", members)


def _family(detail: OrderDetail) -> Iterator[SpanLink]:
    order = detail.order
    if order.parent_id is not None:
        yield SpanLink(SpanRef(order.parent_id, ""), "parent")
    if order.entry_id is not None:
        yield SpanLink(SpanRef(order.entry_id, ""), "entry")
    for child in detail.children:
        yield SpanLink(SpanRef(child.id, ""), "child")


def _turns(root: SpanRef, events: Sequence[OrderEvent], attempts: Sequence[AttemptView]) -> Iterator[TraceSpan]:
    """The spans of the turns: from each start by a worker to its result."""
    by_number = {attempt.number: attempt for attempt in attempts}
    turn, before = None, None
    for event in events:
        if event.data.kind == EventKind.STARTED:
            number = event.data.attempt
            ref = SpanRef(root.order_id, f"turn {event.seq}")
            turn = TraceSpan(ref, f"attempt {number}", event.at, event.at, root)
            turn.links = [] if before is None else [SpanLink(before, "retry")]
            turn.attributes = {"orderd.attempt.number": number, **_about_attempt(by_number.get(number))}
        elif turn is not None and event.data.kind in _TURN_ENDS:
            turn.ended = event.at
            turn.error = str(getattr(event.data, "code", None) or "")
            before = turn.ref
            yield turn
            turn = None


def _about_attempt(attempt: AttemptView | None) -> Mapping[str, str | int]:
    if attempt is None:
        return {}
    members = attempt.model_dump(include={"signature", "venue", "pool", "sends", "outcome", "slot"})
    return _attributes("attempt.", members)


def _states(root: SpanRef, events: Sequence[OrderEvent], turns: Sequence[TraceSpan]) -> Iterator[TraceSpan]:
    """The spans of the states that the order has left, with the events in each."""
    runs = [[*run] for _, run in groupby(events, key=lambda event: event.status)]
    for run, following in pairwise(runs):
        first = run[0]
        turn = next((each.ref for each in turns if each.began <= first.at < each.ended), root)
        ref = SpanRef(root.order_id, f"state {first.seq}")
        yield TraceSpan(ref, str(first.status), first.at, following[0].at, turn, events=run)


def _attributes(of: str, members: Mapping[str, object]) -> dict[str, str | int]:
    """The attributes that have a value, in types of OpenTelemetry."""
    return {
        f"orderd.{of}{name}": value if isinstance(value, int) else str(value)
        for name, value in members.items()
        if value is not None
    }
