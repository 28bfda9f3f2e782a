"""Simulates an order now: the market's distance from its condition, and its next execution."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from orderd.domain.errors import OrderdError
from orderd.domain.money import BPS, format_significant
from orderd.domain.parts import largest_part, minimum_of_part, part_of
from orderd.domain.quote import QuoteRequest
from orderd.domain.terms import OrderTerms
from orderd.engine.next_execution import NextExecution, PlannedExecution
from orderd.engine.routing.floor import request_of
from orderd.wire.quotes import Awaited, PreviewResult, QuoteResult, SimulatedFill

Paid = Callable[[QuoteRequest], int]
"""Returns the output of the best route, in base units. Raises the errors of routing."""


def simulate(
    following: NextExecution,
    paid: Paid,
    quote: Callable[[OrderTerms, OrderTerms], QuoteResult],
    preview: Callable[[OrderTerms, OrderTerms], PreviewResult],
) -> SimulatedFill:
    """``quote`` and ``preview`` get the terms of the order, and those of the executed part. Their errors are raised."""
    conditions = [_awaited(execution, following.best_out, paid) for execution in following.either]
    execution, awaited = min(zip(following.either, conditions, strict=True), key=lambda each: _nearness(each[1]))
    terms, is_met = execution.terms, awaited is None or awaited.is_met
    if following.least is not None:
        part = largest_part(following.least, terms.amount, partial(_is_paid, execution.terms, paid))
        terms, is_met = part_of(terms, part or following.least), part is not None
    if is_met or terms.limit_price is None:
        found = preview(following.order, terms)
    else:
        found = _unpaid(quote(following.order, terms))
    return SimulatedFill(
        **dict(found),
        would="execute" if is_met and following.is_due else "rest",
        at=following.at,
        waits_for=tuple(each for each in conditions if each is not None),
    )


def _unpaid(quote: QuoteResult) -> PreviewResult:
    """The preview of an execution that must wait for its limit price."""
    fee = quote.network_fee or "0"
    return PreviewResult(quote=quote, succeeds=True, error=None, units_consumed=None, network_fee=fee, logs=())


def _awaited(execution: PlannedExecution, best_out: int, paid: Paid) -> Awaited | None:
    """The distance to the condition, by the same query as the triggers, which accepts any price."""
    condition, terms = execution.condition, execution.terms
    if condition is None:
        return None
    out = paid(replace(request_of(terms), max_cost_bps=BPS, exit_bps=BPS, has_own_floor=False))
    best = max(best_out, out)
    fires_at, away = condition.fires_at(best), condition.away(terms.pair.price(terms.amount, out), best)
    return Awaited(
        kind=condition.kind,
        reads=condition.describe(),
        price=None if fires_at is None else format_significant(fires_at),
        away=None if away is None else format_significant(away * 100, 4),
        is_met=condition.bound(best).is_met(out),
    )


def _nearness(awaited: Awaited | None) -> tuple[bool, Decimal]:
    """Sort key: the condition that is met first has the smallest."""
    if awaited is None or awaited.away is None:
        return awaited is not None, Decimal(0)
    return False, Decimal(awaited.away)


def _is_paid(terms: OrderTerms, paid: Paid, amount_in: int) -> bool:
    """Whether a part is paid the limit of the whole, and its share of the order's own minimum."""
    try:
        return paid(replace(request_of(terms), amount=amount_in)) >= minimum_of_part(terms, amount_in)
    except OrderdError:
        return False
