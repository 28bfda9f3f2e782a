"""Determines the next execution of an order in its current state, and what it waits for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from db.models import Order
from db.terms import terms_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.exits import stop_of, take_profit_of
from orderd.domain.order import HELD, RESTING, TERMINAL, OrderKind
from orderd.domain.parts import least_part, part_of, rest_of
from orderd.domain.terms import OrderTerms
from orderd.domain.trigger import Condition
from orderd.engine import views
from orderd.engine.families import schedule_of


@dataclass(frozen=True, slots=True)
class PlannedExecution:
    """A planned execution: its terms and its condition. The condition is None if it only waits for a time, or is
    already met."""

    terms: OrderTerms
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class NextExecution:
    """The next execution: ``either`` of these, whichever comes first; with ``at``, not before that time.

    ``order`` are the terms of the whole order. ``least`` is the smallest part that may be executed alone, if parts are
    allowed. ``best_out`` is the best output while it rested, in base units, initially 0.
    """

    order: OrderTerms
    either: tuple[PlannedExecution, ...]
    at: datetime | None = None
    least: int | None = None
    best_out: int = 0
    paused: bool = False

    @property
    def is_due(self) -> bool:
        return not self.paused and (self.at is None or self.at <= datetime.now(UTC))


def find(account_id: UUID, ref: str, *, sees_all: bool = False) -> NextExecution:
    """Raises OrderdError as ``views.find`` does, and ORDER_HELD if the order has no amount yet.

    For an ended order it is the execution of the same order submitted again.
    """
    order = views.find(account_id, ref, sees_all=sees_all)
    if order.status in HELD:
        raise OrderdError(ErrorCode.ORDER_HELD, f"it sells what order {order.entry_id} will have bought")
    return next_execution(order)


def next_execution(order: Order) -> NextExecution:
    terms = terms_of(order).in_try(order.failures)
    if order.status in TERMINAL:
        return NextExecution(terms, (PlannedExecution(part_of(terms, terms.amount) if terms.is_family else terms),))
    if terms.kind is OrderKind.TWAP:
        schedule = schedule_of(order)
        number = min(order.slice_no, schedule.slices - 1)  # the last one may be running
        amount = schedule.at(number, 0, terms.amount - (order.filled_in or 0)).amount_in
        executions = (PlannedExecution(part_of(terms, amount)),)
        at = None if order.paused else order.looks_from
        return NextExecution(terms, executions, at=at, paused=order.paused)
    if terms.kind is OrderKind.OCO:
        ends = (take_profit_of(terms), stop_of(terms))
        return NextExecution(terms, tuple(PlannedExecution(end, end.trigger) for end in ends))
    if terms.partial:
        left = rest_of(terms, terms.amount - (order.filled_in or 0))
        least = min(least_part(terms).amount, left.amount)
        return NextExecution(terms, (PlannedExecution(left, left.limit),), least=least)
    rests = order.status in RESTING
    trigger = None if order.triggered_at is not None else terms.trigger
    condition = (trigger or terms.limit) if rests else None
    return NextExecution(terms, (PlannedExecution(terms, condition),), best_out=order.best_out or 0)
