"""The mid price with which a fill is compared: the neutral price of the pair when its route was chosen.

A pool has one price before fees, at which the next small swap in either direction is made. Pools of a pair differ in
it, so the mid is between two of them: the pool that is best for selling the order's amount, and the one that is best
for buying it, each after fee and price impact. So a nearly empty pool does not move the mid; the prices that count are
those before fee and impact. A pool far below the best one does not count, because it may have nothing left to sell at
its price.
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from orderd.domain.price import canonical
from orderd.domain.quote import Route, VenueQuote

_APART: Final = 20
"""A pool whose price differs from the best one's by more than one part in this number does not count, nor does one
whose fee and price impact take more than that of an amount, if others take less."""
_ENOUGH: Final = 1 - Decimal(1) / _APART
"""The fraction that fee and price impact must leave in the latter case."""
_TOLD: Final = Context(prec=18)


class _Offer(NamedTuple):
    """A pool's price for one unit after fee and price impact, the fraction that these leave, and its price before
    both."""

    paid: Decimal
    kept: Decimal
    spot: Fraction

    @property
    def taken(self) -> Decimal:
        """The pool's price for a buyer: about the same impact and fee are added to its price."""
        return self.paid / (self.kept * self.kept)


def mid_of(route: Route, offers: Sequence[Iterable[VenueQuote]]) -> Fraction | None:
    """Base units bought per base unit sold, over the route's tokens; None if it is not known.

    ``offers`` are, hop by hop, the quotes of the pair's pools for the whole input of the hop.
    """
    mid: Fraction | None = None
    for hop, quotes in zip(route.hops, offers, strict=True):
        between = mid_between((*hop.legs, *quotes))
        if between is None:
            return None
        mid = between if mid is None else mid * between
    return mid


def mid_between(quotes: Iterable[VenueQuote]) -> Fraction | None:
    """Base units bought per base unit sold, from the quotes of one pair's pools for an amount."""
    offers = [
        _Offer(Decimal(each.amount_out) / each.amount_in, kept, each.spot)
        for each, kept in _with_enough(quotes)
        if each.spot is not None and kept > 0
    ]
    if not offers:
        return None
    bid = max(offers, key=lambda offer: offer.paid).spot
    near = [offer for offer in offers if _are_near(bid, offer.spot)]
    return _mean(bid, min(near, key=lambda offer: offer.taken).spot)


def with_enough_liquidity(quotes: Iterable[VenueQuote]) -> list[VenueQuote]:
    """The offers of pools with enough liquidity for the amount; all if no pool has enough."""
    return [each for each, _ in _with_enough(quotes)]


def _with_enough(quotes: Iterable[VenueQuote]) -> list[tuple[VenueQuote, Decimal]]:
    """The same, each with what it leaves of one."""
    kept = [(each, each.kept) for each in quotes]
    return [each for each in kept if each[1] >= _ENOUGH] or kept


# In whole numbers: fractions look for a common divisor at each step.


def _mean(one: Fraction, other: Fraction) -> Fraction:
    total = one.numerator * other.denominator + other.numerator * one.denominator
    return Fraction(total, 2 * one.denominator * other.denominator)


def _are_near(one: Fraction, other: Fraction) -> bool:
    first, second = one.numerator * other.denominator, other.numerator * one.denominator
    return abs(first - second) * _APART <= max(first, second)


def text(mid: Fraction, decimals_in: int, decimals_out: int) -> str:
    """The mid in whole tokens, as a decimal string of 18 significant digits, rounded half even. For display only."""
    price = _TOLD.divide(Decimal(mid.numerator), Decimal(mid.denominator))
    return canonical(price.scaleb(decimals_in - decimals_out))
