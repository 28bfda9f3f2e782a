"""Checks an order's prices for plausibility against the market's current price for the same amount."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.exits import stop_of, take_profit_of
from orderd.domain.money import format_significant
from orderd.domain.order import OrderKind
from orderd.domain.terms import OrderTerms
from orderd.domain.trigger import Condition

MAX_FACTOR: Final = 5
"""A price this many times off the market is a mistake: it is in the other unit, or lacks a digit."""


def check_plausible(terms: OrderTerms, amount_out: int) -> None:
    """``amount_out`` is the output of the best route for the whole amount, in base units.

    Raises OrderdError PRICE_OFF_MARKET, or PRICE_WRONG_SIDE if the order would fire at once.
    """
    market = terms.pair.price(terms.amount, amount_out)
    now = terms.pair.price_text(terms.amount, amount_out)
    for name, price in _prices(terms):
        if not market / MAX_FACTOR <= price <= market * MAX_FACTOR:
            other = f"{terms.pair.base.symbol} per {terms.pair.quote.symbol}"
            raise OrderdError(
                ErrorCode.PRICE_OFF_MARKET,
                f"the {name} is {format_significant(price)} {terms.pair.unit}, and the market pays {now}; in {other} "
                f"the same {name} would be {format_significant(1 / price)}",
            )
    ends = (take_profit_of(terms), stop_of(terms)) if terms.kind is OrderKind.OCO else (terms,)
    for each in ends:
        if each.trigger is not None:
            _check_side(each.trigger, amount_out, now)


def _check_side(trigger: Condition, amount_out: int, now: str) -> None:
    bound = trigger.bound(amount_out)
    if trigger.trail is not None:
        if bound.amount_out == 0:
            detail = f"a trail of {trigger.trail.text} is as far as the whole price: the market pays {now}"
            raise OrderdError(ErrorCode.PRICE_OFF_MARKET, detail)
        return
    if bound.is_met(amount_out):
        moved = "worse" if trigger.is_adverse else "better"
        raise OrderdError(
            ErrorCode.PRICE_WRONG_SIDE,
            f"a {trigger.kind} order waits for a {moved} price than the current one: "
            f"it would fire at {trigger.describe()}, and the market pays {now} already",
        )


def _prices(terms: OrderTerms) -> Iterator[tuple[str, Fraction]]:
    given = {
        "limit price": terms.limit_price,
        "stop price": terms.stop_price,
        "take-profit price": terms.take_profit_price,
        "take-profit price that follows": terms.then_take_profit_price,
        "stop price that follows": terms.then_stop_price,
    }
    return ((name, Fraction(price)) for name, price in given.items() if price is not None)
