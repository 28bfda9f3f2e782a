"""The part of an order that one transaction executes, if it is not the whole order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from orderd.domain.money import BPS
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.terms import OrderTerms
from orderd.domain.trigger import limit_out

_STEPS_BITS: Final = 10
"""The largest part that is paid is found to a thousandth."""


def share_of_minimum(terms: OrderTerms, amount_in: int) -> int | None:
    """The share of the order's own minimum that a part of its amount has to get, in base units, rounded up; None if it
    has none. So all parts together get at least the whole minimum."""
    return None if terms.min_out is None else -(-terms.min_out * amount_in // terms.amount)


def minimum_of_part(terms: OrderTerms, amount_in: int) -> int:
    """What a part of a limit order has to get at least, in base units: its limit, and its share of the order's own
    minimum."""
    assert terms.limit_price is not None, "only what has a limit has parts"
    return max(limit_out(terms.pair, amount_in, terms.limit_price), share_of_minimum(terms, amount_in) or 0)


def rest_of(terms: OrderTerms, amount_in: int) -> OrderTerms:
    """The terms of an order of which only this amount is left."""
    return replace(terms, amount_in=amount_in, min_out=share_of_minimum(terms, amount_in))


def part_of(terms: OrderTerms, amount_in: int) -> OrderTerms:
    """The terms of an order that sells a part of the amount at once, at the limit of the whole order if it has one, and
    for its share of the order's own minimum."""
    return OrderTerms(
        token_in=terms.token_in,
        token_out=terms.token_out,
        amount_in=amount_in,
        slippage_bps=terms.slippage_bps,
        min_out=share_of_minimum(terms, amount_in),
        max_cost_bps=terms.max_cost_bps,
        floor=terms.floor,
        use_wrapped=terms.use_wrapped,
        kind=OrderKind.MARKET if terms.limit_price is None else OrderKind.LIMIT,
        limit_price=terms.limit_price,
        time_in_force=None if terms.limit_price is None else TimeInForce.FOK,
    )


def first_part(terms: OrderTerms) -> OrderTerms:
    """The part that is executed first: for a TWAP its first execution, for other orders the whole order."""
    if terms.slices is None:
        return terms
    return part_of(terms, max(terms.amount // terms.slices, 1))


def least_part(terms: OrderTerms) -> OrderTerms:
    """The smallest part that one transaction may sell. The price of an order in parts is checked with it, because the
    whole amount would move the market much more than its parts do.
    """
    if terms.slices is not None:
        return replace(terms, amount_in=max(terms.amount // terms.slices, 1))
    if terms.min_fill_bps is not None:
        return replace(terms, amount_in=-(-terms.amount * terms.min_fill_bps // BPS))
    return terms


def largest_part(least: int, most: int, is_paid: Callable[[int], bool]) -> int | None:
    """The largest amount between the two that ``is_paid``, to a thousandth; None if not even ``least`` is."""
    if is_paid(most):
        return most
    if not is_paid(least):
        return None
    step = max((most - least) >> _STEPS_BITS, 1)
    while most - least > step:
        middle = (least + most) // 2
        least, most = (middle, most) if is_paid(middle) else (least, middle)
    return least
