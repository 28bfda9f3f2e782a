"""The condition of a resting order, as a bound on what the best route pays for its whole amount.

All kinds come down to two comparisons: a limit or a take-profit is met if the route pays at least the bound, a stop
if it pays at most the bound, whichever token of the pair is sold. Bounds are rounded so that a met bound means that the
price is met exactly.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import format_amount
from orderd.domain.order import OrderKind
from orderd.domain.price import PairPrice, parse_price

_HUNDRED: Final = 100
_TRAILS: Final = 1024
"""Maximum number of parsed trails that are kept: resting orders share few texts, which each price change needs."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Met by a route that pays at least (``is_least``), or at most, ``amount_out`` base units."""

    amount_out: int
    is_least: bool

    def is_met(self, amount_out: int) -> bool:
        return amount_out >= self.amount_out if self.is_least else amount_out <= self.amount_out


@dataclass(frozen=True, slots=True)
class Trail:
    """The distance to the best price: a fraction of it if ``is_percent``, otherwise a price difference.

    ``text`` is its stored form: ``3%`` or ``2.5``.
    """

    distance: Fraction
    is_percent: bool
    text: str

    @classmethod
    def parse(cls, text: str) -> "Trail":
        """``3%`` or ``2.5``. Raises OrderdError PRICE_INVALID."""
        return _parsed_trail(text)

    def behind(self, pair: PairPrice, amount_in: int, best_out: int) -> int:
        """The maximum output of a route, in base units, that is this far behind one with the output ``best_out``."""
        is_sale = pair.quote == pair.token_out
        if self.is_percent:  # The amount cancels out. In a rising market this runs once per order and change.
            part, whole = self.distance.numerator, self.distance.denominator
            return best_out * (whole - part) // whole if is_sale else best_out * whole // (whole + part)
        best = pair.price(amount_in, best_out)
        price = best - self.distance if is_sale else best + self.distance
        return int(pair.amount_out(amount_in, price)) if price > 0 else 0


@lru_cache(_TRAILS)
def _parsed_trail(text: str) -> Trail:
    if not text.endswith("%"):
        price = parse_price(text)
        return Trail(Fraction(Decimal(price)), is_percent=False, text=price)
    percent = parse_price(text[:-1].rstrip())
    if (distance := Fraction(Decimal(percent)) / _HUNDRED) >= 1:
        raise OrderdError(ErrorCode.PRICE_INVALID, f"a trail of {text} is as far as the whole price")
    return Trail(distance, is_percent=True, text=f"{percent}%")


def limit_out(pair: PairPrice, amount_in: int, price: str) -> int:
    """The minimum output of the amount at this price or a better one, in base units."""
    exact = pair.amount_out(amount_in, Fraction(Decimal(price)))
    return max(-(-exact.numerator // exact.denominator), 1)


def stop_out(pair: PairPrice, amount_in: int, price: str) -> int:
    """The maximum output of the amount at this price or a worse one, in base units."""
    return int(pair.amount_out(amount_in, Fraction(Decimal(price))))


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a resting order. Prices are canonical decimal strings."""

    kind: OrderKind
    pair: PairPrice
    amount_in: int
    price: str | None
    trail: Trail | None = None

    def bound(self, best_out: int = 0) -> Bound:
        """The bound on the output. ``best_out`` is the best output of routes while the order rested, which a trail
        follows; 0 before the first one."""
        if self.trail is not None:
            worst = self.trail.behind(self.pair, self.amount_in, best_out) if best_out else 0
            return Bound(worst, is_least=False)
        assert self.price is not None, "an order without a trail has a price"
        if self.is_adverse:
            return Bound(stop_out(self.pair, self.amount_in, self.price), is_least=False)
        return Bound(limit_out(self.pair, self.amount_in, self.price), is_least=True)

    @property
    def is_adverse(self) -> bool:
        """Whether it waits for a worse price. Then one check does not suffice, because a single trade may cause it."""
        return self.kind in ADVERSE

    @property
    def is_above(self) -> bool:
        """Whether it is met at or above its price in the pair's unit; otherwise at or below it."""
        return (self.pair.quote == self.pair.token_out) != self.is_adverse

    def fires_at(self, best_out: int = 0) -> Fraction | None:
        """The price at which it is met, in the pair's unit; None for a trail whose best price is not known yet."""
        if self.price is not None:
            return Fraction(self.price)
        out = self.bound(best_out).amount_out
        return self.pair.price(self.amount_in, out) if out else None

    def away(self, market: Fraction, best_out: int = 0) -> Fraction | None:
        """How far the market's price, in the pair's unit, has to move until it is met, as a part of that price; 0 if it
        is met. None if the trigger price is not known.
        """
        fires_at = self.fires_at(best_out)
        if fires_at is None:
            return None
        away = fires_at / market - 1
        return max(Fraction(0), away if self.is_above else -away)

    def describe(self) -> str:
        """Both readings: ``105 USDC per SOL = at least 157.5 USDC``."""
        if self.trail is not None:
            distance = self.trail.text if self.trail.is_percent else f"{self.trail.text} {self.pair.unit}"
            return f"{distance} behind the best price"
        bound = self.bound()
        amount = format_amount(bound.amount_out, self.pair.token_out.decimals)
        words = "at least" if bound.is_least else "at most"
        return f"{self.price} {self.pair.unit} = {words} {amount} {self.pair.token_out.symbol}"


CONFIRMED_BY: Final = 2
"""Default number of slots that confirm a stop. More than one, because a single trade does not make a market price."""
MAX_SLIPPAGE_BPS: Final = 500
"""Default maximum slippage of a stop."""
ADVERSE: Final = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT, OrderKind.TRAILING})
"""Kinds that wait for the price to get worse."""
