"""A split of an order over several pools: its legs, its limits, and the offers that a search returns."""

from collections.abc import Callable, Sequence
from dataclasses import field
from fractions import Fraction
from typing import NamedTuple

from orderd.amm.side import Quote
from orderd.amm.swap import U64_MAX, SwapError
from orderd.amm.water_filling import MILLION, Load
from orderd.domain.frozen import dataclass


class Leg(NamedTuple):
    """The part of an order for the pool at ``position`` in the given list."""

    position: int
    quote: Quote


@dataclass(frozen=True, slots=True)
class Split:
    """Legs in descending order of their input. Amounts in base units."""

    legs: tuple[Leg, ...]

    @property
    def amount_in(self) -> int:
        return sum(leg.quote.amount_in for leg in self.legs)

    @property
    def amount_out(self) -> int:
        return sum(leg.quote.amount_out for leg in self.legs)

    @property
    def price_impact(self) -> Fraction:
        """The mean of the legs' impacts, weighted by their input."""
        if len(self.legs) == 1:
            return self.legs[0].quote.price_impact
        return sum((leg.quote.price_impact * leg.quote.amount_in for leg in self.legs), Fraction(0)) / self.amount_in

    def worth(self, cost_per_leg: int) -> int:
        """The output less the cost of its legs."""
        return self.amount_out - cost_per_leg * len(self.legs)


@dataclass(frozen=True, slots=True)
class Room:
    """The limits of a split.

    ``units`` is the maximum of compute units of all legs together, ``loads`` are those of each leg by position.
    ``impact`` is the maximum price impact in millionths. ``may_fit`` quickly tells whether these legs could fit with
    any amounts; ``fits`` decides.
    """

    loads: Sequence[Load] = ()
    units: int = U64_MAX
    impact: int = MILLION
    may_fit: Callable[[tuple[int, ...]], bool] = field(default=lambda _: True)
    fits: Callable[[Split], bool] = field(default=lambda _: True)


@dataclass(frozen=True, slots=True)
class Offers:
    """Each single pool's quote for the whole amount, or its error, and the best split; None if there is none.

    If a part of the amount pays notably more than the whole, there is no best split, and ``less`` is that part.
    ``steep`` is the best split that exceeds the impact limit; None if there was none.
    """

    singles: tuple[Quote | SwapError, ...]
    best: Split | None
    less: Split | None = None
    steep: Split | None = None
