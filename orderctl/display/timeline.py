"""An order's history: its events, and the duration of each stage by the daemon's clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderd.domain.events import (
    Amended,
    AnyFact,
    Confirmed,
    Deferred,
    Executing,
    FilledPart,
    OrderEvent,
    Reclaimed,
    Released,
    Retrying,
    RolledBack,
    Routed,
    Started,
    Triggered,
    Unknown,
)
from orderd.domain.order import IDLE, TERMINAL, WAITING, OrderStatus
from orderd.wire.orders import OrderView


@dataclass(frozen=True, slots=True)
class Span:
    """The time in a stage of the current attempt; ``end`` is None while the stage lasts."""

    stage: OrderStatus
    start: datetime
    end: datetime | None = None

    def seconds(self, now: datetime) -> float:
        return max(0.0, ((self.end or now) - self.start).total_seconds())


class OrderTimeline:
    """The state and events of one order. Events are applied in order; repeated ones are ignored.

    Events up to ``not_kept`` will not arrive, because the daemon has deleted them; ``order`` contains their result.
    """

    def __init__(self, order: OrderView, events: Iterable[OrderEvent] = (), *, deleted_up_to: int = 0) -> None:
        self.order = order
        self._not_kept = deleted_up_to
        self.events: tuple[OrderEvent, ...] = ()
        for event in events:
            self.apply(event)

    def apply(self, event: OrderEvent) -> None:
        if event.seq > self.seq:
            self.events = (*self.events, event)
            self.order = self.order.model_copy(update=changes_at_rest(event))

    @property
    def seq(self) -> int:
        return self.events[-1].seq if self.events else self._not_kept

    @property
    def status(self) -> OrderStatus:
        """The status from the events or from ``order``, whichever is newer."""
        return self.events[-1].status if self.events and self.seq >= self.order.seq else self.order.status

    @property
    def unknown_since(self) -> datetime | None:
        """Since when the transaction's outcome is unknown; None if it is known."""
        if not self.events or self.seq < self.order.seq:
            return self.order.unknown_since
        last = self.events[-1]
        return last.at if isinstance(last.data, Unknown) else None

    @property
    def is_over(self) -> bool:
        """Whether the order has ended and all its events have arrived."""
        return self.seq >= self.order.seq and self.status in TERMINAL

    @property
    def routed(self) -> Routed | None:
        """The route of the current attempt, with all quotes."""
        for event in reversed(self.events):
            if isinstance(event.data, Started | Retrying | Reclaimed | Deferred):
                return None
            if isinstance(event.data, Routed):
                return event.data
        return None

    @property
    def wait(self) -> Deferred | Retrying | None:
        """The current wait: for the rate limit, for an unavailable service, or for a backoff."""
        last = self.events[-1].data if self.events else None
        return last if isinstance(last, Deferred | Retrying) else None

    @property
    def attempt(self) -> int:
        return next((event.data.attempt for event in reversed(self.events) if isinstance(event.data, Started)), 0)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The stages of the current attempt, in order. The time of earlier attempts is not included."""
        spans: list[Span] = []
        for event in self.events:
            if spans and spans[-1].stage is event.status:
                continue
            if event.status in IDLE | WAITING and spans and spans[-1].stage not in IDLE:
                spans = [Span(event.status, event.at)]
                continue
            if isinstance(event.data, RolledBack):
                spans = [*spans[:-2], Span(event.status, spans[-2].start)]
                continue
            if spans:
                spans[-1] = Span(spans[-1].stage, spans[-1].start, event.at)
            spans.append(Span(event.status, event.at, event.at if event.status in TERMINAL else None))
        return tuple(spans)

    @property
    def failed_attempts(self) -> tuple[OrderEvent, ...]:
        """The events that ended an attempt without ending the order."""
        return tuple(event for event in self.events if isinstance(event.data, Retrying | Reclaimed | RolledBack))

    @property
    def end(self) -> AnyFact | None:
        """The last event of an ended order; None if it has not ended or the event is unknown."""
        return self.events[-1].data if self.is_over and self.events else None

    @property
    def received(self) -> str | None:
        """The amount received; None without a fill."""
        if isinstance(end := self.end, Confirmed):
            return end.amount_out
        return self.order.amount_out if self.is_over and not self.events else None

    @property
    def ended_at(self) -> datetime | None:
        """When the order ended; None if it has not."""
        if not self.is_over:
            return None
        return self.events[-1].at if self.events else self.order.updated_at


def changes_at_rest(event: OrderEvent) -> dict[str, Any]:
    """The members of a resting order that an event changes."""
    match event.data:
        case Triggered():
            return {"triggered_at": event.at}
        case Released(amount_in=amount):
            return {"amount_in": amount}
        case Executing():
            return {"next_at": None}  # events do not contain it
        case FilledPart() as part:
            sold = {"filled_amount_in": part.amount_in, "amount_out": part.amount_out}
            return {**sold, "executed_price": part.executed_price}
        case Amended() as amended:
            return amended.model_dump(exclude={"kind"})
        case _:
            return {}
