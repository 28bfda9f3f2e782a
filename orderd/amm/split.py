"""Splitting one order over several pools so that it pays the most.

Where the legs are given, the best split is the one after which no leg's marginal price is better than another's: the
amounts are poured in like water until all stand at one level, s of `curve`. Which legs to take is decided by the same
level. At the price of s, a pool's surplus is what it pays above that price; for a set of pools, the sum of their
surpluses, each less the cost of a leg, and the whole amount's value at s is more than the set can pay, whatever s is
(weak duality). So the level at which the best sets together take just the amount ranks all sets by what they could pay
at most, and the search ends as soon as no set that is left could pay more than the best one found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

from orderd.amm.curve import NEVER, Curve, value_at
from orderd.amm.side import Quote, Side
from orderd.amm.swap import SwapError, SwapErrorKind

_LEVEL_BITS: Final = 24
"""How close the level is found. What it misses is spread at a price that is 2 ** -23 off, so it costs a millionth of
a basis point."""

_TOO_MUCH: Final = frozenset(
    {
        SwapErrorKind.INSUFFICIENT_LIQUIDITY,
        SwapErrorKind.AMOUNT_IN_EXCEEDS_U64,
        SwapErrorKind.VAULT_BALANCE_OVERFLOW,
    }
)
"""Refusals of an amount of which the pool may well take a part."""


class Leg(NamedTuple):
    """The part of an order that goes to the pool at `position` among those that were given."""

    position: int
    quote: Quote


@dataclass(frozen=True, slots=True)
class Split:
    """Legs in falling order of their input. Amounts in base units."""

    legs: tuple[Leg, ...]

    @property
    def amount_out(self) -> int:
        return sum(leg.quote.amount_out for leg in self.legs)

    def worth(self, cost_a_leg: int) -> int:
        """What is received less what its legs cost."""
        return self.amount_out - cost_a_leg * len(self.legs)


@dataclass(frozen=True, slots=True)
class Offers:
    """What each pool alone pays for the whole amount, or why it refuses, and the best split; None where none is."""

    singles: tuple[Quote | SwapError, ...]
    best: Split | None


def best_split(sides: Sequence[Side], amount_in: int, *, max_legs: int, cost_a_leg: int) -> Offers:
    """The best way to sell `amount_in` over at most `max_legs` of `sides`.

    `cost_a_leg` is what one leg costs, in base units of output. The split never pays less than the best single pool,
    costs included.
    """
    singles = tuple(_quoted(side, amount_in) for side in sides)
    alone = [Split((Leg(index, quote),)) for index, quote in enumerate(singles) if isinstance(quote, Quote)]
    best = max(alone, key=lambda split: split.amount_out, default=None)
    curves = {
        index: curve
        for index, single in enumerate(singles)
        if (isinstance(single, Quote) or single.kind in _TOO_MUCH)
        and (curve := Curve(sides[index].segments(), amount_in)).start < NEVER
    }
    if best is not None:
        # A pool whose first unit is dearer than the best pool's last one has no place beside it, nor in its stead.
        alone_in = best.legs[0].position
        enough = curves[alone_in].end(amount_in) if alone_in in curves else NEVER
        curves = {index: curve for index, curve in curves.items() if curve.start < enough or index == alone_in}
    if max_legs > 1 and len(curves) > 1:
        for amounts in _Search(curves, amount_in, max_legs, cost_a_leg).splits():
            found = _exact(sides, amounts)
            if found is not None:
                if best is None or found.worth(cost_a_leg) > best.worth(cost_a_leg):
                    best = found
                break
    return Offers(singles, best)


def _quoted(side: Side, amount_in: int) -> Quote | SwapError:
    try:
        return side.quote(amount_in)
    except SwapError as error:
        return error


def _exact(sides: Sequence[Side], amounts: dict[int, int]) -> Split | None:
    """The split as the pools compute it; None where one refuses its part."""
    quotes = {index: _quoted(sides[index], amount) for index, amount in amounts.items()}
    legs = [Leg(index, quote) for index, quote in quotes.items() if isinstance(quote, Quote)]
    return Split(tuple(sorted(legs, key=lambda leg: -leg.quote.amount_in))) if len(legs) == len(quotes) else None


class _Search:
    """The splits of one amount, by what the curves say of them."""

    def __init__(self, curves: dict[int, Curve], amount: int, max_legs: int, cost_a_leg: int) -> None:
        self.curves = curves
        self.amount = amount
        self.max_legs = max_legs
        self.cost = cost_a_leg

    def splits(self) -> list[dict[int, int]]:
        """Amounts by position for the sets worth a look, the one that pays most first."""
        level = _level(self._taken_by_best, self._lowest(self.curves), self.amount).above
        found: list[tuple[int, dict[int, int]]] = []
        most = -1
        for bound, legs in self._bounded(level):
            # A set that the bound puts no more than a billionth above the best one found is not worth its time.
            if bound <= most + (most >> 30):
                break
            amounts, paid = self._poured(legs)
            if amounts:
                found.append((paid - self.cost * len(amounts), amounts))
                most = max(most, found[-1][0])
        return [amounts for _, amounts in sorted(found, key=lambda each: -each[0])]

    def _lowest(self, legs: "Sequence[int] | dict[int, Curve]") -> int:
        return min(self.curves[leg].start for leg in legs)

    def _taken_by_best(self, s: int) -> int:
        """What the set with the greatest surplus at s takes."""
        ranked = sorted(((curve.surplus(s), curve) for curve in self.curves.values()), key=lambda each: -each[0])
        return sum(curve.at(s)[0] for surplus, curve in ranked[: self.max_legs] if surplus > self.cost)

    def _bounded(self, s: int) -> list[tuple[int, tuple[int, ...]]]:
        """All sets with what they can pay at most, less the cost of their legs; the most promising first."""
        surplus = {index: curve.surplus(s) - self.cost for index, curve in self.curves.items()}
        base = value_at(self.amount, s)
        sets = [
            (base + sum(surplus[index] for index in legs), legs)
            for size in range(1, min(self.max_legs, len(surplus)) + 1)
            for legs in combinations(surplus, size)
        ]
        return sorted(sets, key=lambda each: -each[0])

    def _poured(self, legs: tuple[int, ...]) -> tuple[dict[int, int], int]:
        """How these legs share the amount best, and what they pay; nothing where they cannot take it all."""
        curves = [self.curves[index] for index in legs]
        level = _level(lambda s: sum(curve.at(s)[0] for curve in curves), self._lowest(legs), self.amount)
        shares = [curve.at(level.below) for curve in curves]
        left = self.amount - sum(taken for taken, _ in shares)
        amounts: dict[int, int] = {}
        paid = 0
        for index, curve, (taken, out) in zip(legs, curves, shares, strict=True):
            more = min(curve.at(level.above)[0] - taken, left)
            left -= more
            if taken + more:
                amounts[index] = taken + more
                paid += out + value_at(more, level.above)
        return (amounts, paid) if left == 0 else ({}, 0)


class _Level(NamedTuple):
    """Less than the amount is taken at `below`, all of it at `above`; both are very near to each other."""

    below: int
    above: int


def _level(taken: Callable[[int], int], lowest: int, amount: int) -> _Level:
    """Where `taken`, which rises with s from `lowest` on, reaches `amount`; where it never does, beyond all prices."""
    below, step = lowest, (lowest >> 7) + 1
    above = below + step
    while taken(above) < amount and above < NEVER:
        step *= 2
        below, above = above, above + step
    while above - below > (above >> _LEVEL_BITS):
        middle = (below + above) // 2
        if taken(middle) < amount:
            below = middle
        else:
            above = middle
    return _Level(below, above)
