"""Splits one order over several pools so that it pays the most within one transaction.

``water_filling`` finds how given legs share an amount. This module chooses the legs, with the same price level as a
bound. At the price of s, a pool's surplus is its output above that price. For a set of pools, the sum of their
surpluses, each less the cost of a leg, plus the value of the whole amount at s, is more than the set can pay, for any s
(weak duality). So each set has an upper bound before its shares are computed.

The search is best-first: the set with the highest bound is examined next, and gets a lower bound. First its shares are
computed within the available compute units; then the amounts are computed by the pools' own integer swaps; if it moves
the price too far, its shares are computed again within the impact limit; finally ``Room.fits`` decides. A set that has
passed all stages and still has the highest bound is the best one. Sets of one pool are treated like all others.

A set that cannot take the whole amount within its limits competes with the part that it takes. Where that pays notably
more than any set that takes it all, the whole is not worth selling. A pool with an outlying price is not a reason for
that: the limit of what depth may cost holds for the mean over all legs, and a pool that begins far above all others
uses up what they need to take the rest. If a part has such a leg, the search is repeated for the whole amount alone:
that pool then takes less, or nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import ceil
from typing import Final, NamedTuple

from orderd.amm.curve import NEVER, Curve, value_at
from orderd.amm.level import level_of
from orderd.amm.side import Quote, Side
from orderd.amm.split import Leg, Offers, Room, Split
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.amm.water_filling import MILLION, Filling, Load, WaterFilling

_NEGLIGIBLE: Final = 30
"""A possible gain below 2 ** -30 over an exact split is not worth examining a set."""
NOTABLY: Final = 11
"""A part must pay 2 ** -11 (0.05 %) more than the whole amount to prevent its sale. An order that falls into the small
gap between two sets, where ticks end, should be routed and not refused."""
_TRIMMED: Final = 20
"""A part is reduced by 2 ** -20, so that rounding cannot take it beyond the pools' liquidity."""
_NEAR_LIMIT: Final = 20
_ROUNDED: Final = 3
_AIMS: Final = 3
"""``_AIMS`` is the maximum number of tries for a split within the impact limit; a try is accepted if it is within
``_NEAR_LIMIT`` of the limit. ``_ROUNDED`` allows for the rounding of the legs' impacts. In millionths."""

_OUTLYING: Final = MILLION // 20
"""A leg that moves its pool's price further than this, in a split that may not do so, has a pool whose price is not
that of the others; millionths."""
_FAR_ABOVE: Final = 2
"""The same applies to a leg that moves its pool's price too far for the split, and pays this many times as much as
another leg."""

_TOO_MUCH: Final = frozenset(
    {
        SwapErrorKind.INSUFFICIENT_LIQUIDITY,
        SwapErrorKind.AMOUNT_IN_EXCEEDS_U64,
        SwapErrorKind.VAULT_BALANCE_OVERFLOW,
    }
)
"""Errors after which the pool may take a smaller amount."""


CurveOf = Callable[[int, int], Curve]
"""Returns the curve of the pool at a position, up to this number of ticks or bins."""


def best_split(
    sides: Sequence[Side],
    amount_in: int,
    *,
    max_legs: int,
    cost_per_leg: int,
    room: Room | None = None,
    curve_of: CurveOf | None = None,
) -> Offers:
    """The best way to sell ``amount_in`` over at most ``max_legs`` of ``sides``, within ``room``; by default there is
    no limit.

    ``cost_per_leg`` is the cost of a leg in base units of output. The split never pays less than the best single pool
    that fits, costs included. ``curve_of`` is for callers that already have the sides' curves.
    """
    singles = tuple(_quoted(side, amount_in) for side in sides)

    def curve(position: int, most_steps: int) -> Curve:
        return Curve(sides[position].segments(), amount_in, most_steps)

    room = room or Room()
    search = partial(_Search, sides, singles, amount_in, max_legs, cost_per_leg, room, curve_of or curve)
    any_part = search(entire=False)
    found = any_part.best()
    if found is None or found.amount_in == amount_in:
        return Offers(singles, found, None, any_part.steep)
    best = search(entire=True).best() if _has_outlier(found, room) else None
    return Offers(singles, best, None if best is not None else found, any_part.steep)


def _has_outlier(split: Split, room: Room) -> bool:
    """Whether a leg's pool has another price than the others."""
    least = min(Fraction(leg.quote.amount_out, leg.quote.amount_in) for leg in split.legs)

    def is_outlying(leg: Leg) -> bool:
        impact = leg.quote.price_impact * MILLION
        is_dear = leg.quote.amount_out > _FAR_ABOVE * least * leg.quote.amount_in
        return impact > room.impact and (impact > _OUTLYING or is_dear)

    return any(map(is_outlying, split.legs))


def _quoted(side: Side, amount_in: int) -> Quote | SwapError:
    try:
        return side.quote(amount_in)
    except SwapError as error:
        return error


class _Binding(IntEnum):
    """The limit that has excluded sets so far; it determines which other sets are worth examining.

    A pool whose first unit is more expensive than the last unit of the best single pool is useless besides that pool.
    It may be useful beside another pool, if those two do not fit together and the others cannot take the whole amount
    as cheaply. If the amounts of legs are limited, any pool may be useful.
    """

    NOTHING = 0
    SIZE = 1
    AMOUNTS = 2


class _Step(NamedTuple):
    """A pending step of the search for one set; ordered by the set's bound, the highest first.

    ``at`` is a method without its search: a bound one would make a reference cycle, and leave about eighty objects per
    order to the garbage collector.
    """

    minus_at_most: int
    turn: int
    at: Callable[..., Split | None]
    what: tuple[object, ...]


class _Search:
    """A priority queue of sets of pools by their upper bound, less the cost of their legs."""

    def __init__(
        self,
        sides: Sequence[Side],
        singles: Sequence[Quote | SwapError],
        amount: int,
        max_legs: int,
        cost_per_leg: int,
        room: Room,
        curve_of: CurveOf,
        *,
        entire: bool,
    ) -> None:
        """If ``entire``, splits of a part of the amount are passed over."""
        self.steep: Split | None = None
        self._sides = sides
        self._singles = singles
        self._entire = entire
        self._amount = amount
        self._cost = cost_per_leg
        self._room = room
        self._loads = room.loads or [Load()] * len(sides)
        self._curve_of = curve_of
        self._curves = {
            index: curve
            for index, single in enumerate(singles)
            if (isinstance(single, Quote) or single.kind in _TOO_MUCH) and (curve := self._curve(index)) is not None
        }
        self._largest = min(max_legs, len(self._curves))
        self._water = WaterFilling(self._curves, amount, self._loads, room.units)
        self._rankings: dict[int, tuple[int, list[tuple[int, int]]]] = {}
        self._near = self._taken_while_cheap()
        self._binding = _Binding.NOTHING
        self._put_off: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        self._tried: set[tuple[int, ...]] = set()
        self._turn = count()
        self._open: list[_Step] = []

    # The search

    def best(self) -> Split | None:
        """The best split that fits: of the whole amount or, if it pays notably more, of a part."""
        for index, single in enumerate(self._singles):
            if isinstance(single, Quote) and index in self._curves:
                self._queue_step(_key(single.amount_out - self._cost), _Search._judge_single, Leg(index, single))
        if (
            not self._open or len(self._near) > 1
        ):  # otherwise no set pays more than the best pool, unless that does not fit
            self._try_first()
        while self._open:
            step = heappop(self._open)
            found = step.at(self, *step.what)
            if found is not None:
                return found
        return None

    def _queue_step(self, at_most: int, at: Callable[..., Split | None], *what: object) -> None:
        heappush(self._open, _Step(-at_most, next(self._turn), at, what))

    def _try_first(self) -> None:
        for size in range(1, self._largest + 1):
            self._try(tuple(range(size)))

    def _try(self, ranks: tuple[int, ...]) -> None:
        """Queue a set, given by its pools' ranks in surplus. Sets of better ranks have a higher bound and were queued
        earlier."""
        if ranks not in self._tried:
            self._tried.add(ranks)
            base, ranked = self._ranked(self._largest)
            at_most = base + sum(ranked[rank][0] for rank in ranks)
            self._queue_step(at_most, _Search._consider, at_most, ranks, tuple(ranked[rank][1] for rank in ranks))

    def _consider(self, at_most: int, ranks: tuple[int, ...], legs: tuple[int, ...]) -> None:
        """Examine a set if it can be useful and could fit, and queue the sets next to it in rank."""
        in_vain = self._is_useless(legs)
        if in_vain:
            self._put_off.append((at_most, ranks, legs))
            if self._binding is _Binding.NOTHING:  # the sets next to it are useless too
                return
        for place, rank in enumerate(ranks, start=1):
            if rank + 1 < (ranks[place] if place < len(ranks) else len(self._curves)):
                self._try((*ranks[: place - 1], rank + 1, *ranks[place:]))
        if in_vain or (len(legs) == 1 and isinstance(self._singles[legs[0]], Quote)):
            return
        if sum(self._loads[leg].units for leg in legs) > self._room.units or not self._room.may_fit(legs):
            self._bind(_Binding.SIZE)
        elif self._binding and len(legs) < self._largest:  # the level for larger sets would be a weak bound
            base, ranked = self._ranked(len(legs))
            self._queue_step(base + sum(surplus for surplus, leg in ranked if leg in legs), _Search._fill, legs)
        else:
            self._fill(legs)

    def _is_useless(self, legs: tuple[int, ...]) -> bool:
        """Whether a set has an expensive pool that is useless, by the known limits."""
        cheap = [self._near[leg] for leg in legs if leg in self._near]
        if len(cheap) == len(legs) or self._binding is _Binding.AMOUNTS:
            return False
        return self._binding is _Binding.NOTHING or sum(cheap) >= self._amount

    def _bind(self, what: _Binding) -> None:
        """Note a limit that excluded a set. Sets that were put off as useless are queued again."""
        if what > self._binding:
            self._binding = what
            self._try_first()
            for at_most, *which in self._put_off:
                self._queue_step(at_most, _Search._consider, at_most, *which)
            self._put_off.clear()

    # The stages of a set

    def _fill(self, legs: tuple[int, ...]) -> None:
        filling = self._water.best(legs)
        if filling.reaches:
            self._bind(_Binding.AMOUNTS)
        if filling.shares:
            self._queue_step(filling.paid - self._cost * len(filling.shares), _Search._compute, legs, filling)

    def _compute(self, legs: tuple[int, ...], filling: Filling) -> None:
        split = self._exact(filling)
        if split is not None:
            self._queue_step(self._key(split), _Search._judge, split, legs, filling.reaches)

    def _judge_single(self, leg: Leg) -> Split | None:
        return self._judge(Split((leg,)), (leg.position,), None)

    def _judge(self, split: Split, legs: tuple[int, ...], reaches: Mapping[int, int] | None) -> Split | None:
        """The split, if it fits. ``reaches`` are those of its shares; None for a single pool's quote."""
        if self._units(split) > self._room.units:
            self._bind(_Binding.AMOUNTS)
            if reaches is None:
                self._fill(legs)
        elif split.price_impact * MILLION > self._room.impact:
            self._bind(_Binding.AMOUNTS)
            if split.amount_in == self._amount and self.steep is None:
                self.steep = split
            self._flatten(legs, reaches or {})
        elif self._may_be(split) and self._room.fits(split):
            return split
        else:
            self._bind(_Binding.SIZE)
        return None

    def _flatten(self, legs: tuple[int, ...], reaches: Mapping[int, int]) -> None:
        """Compute the shares of a set again within the impact limit. Several tries are needed, because a part of what
        the curve counts as depth is a rising fee."""
        aim, best = self._room.impact - _ROUNDED, None
        for _ in range(_AIMS):
            split = self._exact(self._water.gentle(legs, reaches, max(aim, 0), entire=self._entire))
            if split is None:
                break
            spare = self._room.impact - _ROUNDED - ceil(split.price_impact * MILLION)
            if spare >= 0:
                best = split
                if spare <= _NEAR_LIMIT:
                    break
            aim += spare
        if best is not None and self._may_be(best):
            self._queue_step(self._key(best), _Search._judge, best, legs, reaches)

    def _may_be(self, split: Split) -> bool:
        return not self._entire or split.amount_in == self._amount

    def _exact(self, filling: Filling) -> Split | None:
        """The split with the pools' own quotes; None if a pool refuses its part."""
        amounts = {leg: share.amount_in for leg, share in filling.shares.items()}
        if not filling.whole:
            amounts = {leg: amount - (amount >> _TRIMMED) - 1 for leg, amount in amounts.items()}
        quotes = {leg: self._quote(leg, amount) for leg, amount in amounts.items()}
        legs = [Leg(index, quote) for index, quote in quotes.items() if isinstance(quote, Quote)]
        if not legs or len(legs) < len(quotes):
            return None
        return Split(tuple(sorted(legs, key=lambda leg: -leg.quote.amount_in)))

    # Pools and curves

    def _quote(self, index: int, amount: int) -> Quote | SwapError:
        return self._singles[index] if amount == self._amount else _quoted(self._sides[index], amount)

    def _units(self, split: Split) -> int:
        return sum(self._loads[leg.position].of(leg.quote.steps) for leg in split.legs)

    def _key(self, split: Split) -> int:
        worth = split.worth(self._cost)
        return _key(worth) - (worth >> NOTABLY if split.amount_in < self._amount else 0)

    def _curve(self, index: int) -> Curve | None:
        """The pool's curve, as far as the compute units allow; None if the pool cannot be used."""
        load, limit = self._loads[index], U64_MAX
        if load.units > self._room.units:
            return None
        if load.per_step:
            limit = (self._room.units - load.units) // load.per_step
        curve = self._curve_of(index, limit)
        return curve if curve.start < NEVER else None

    def _ranked(self, size: int) -> tuple[int, list[tuple[int, int]]]:
        """At the level at which the best ``size`` pools take the whole amount: the amount's value there, and the pools
        by surplus less the cost of a leg, the largest first."""
        if size not in self._rankings:
            near = [self._curves[index] for index in self._near]
            lowest = min(curve.start for curve in near)
            level = level_of(lambda s: self._taken_by_best(near, s, size), lowest, self._amount).above
            surpluses = [(curve.surplus(level) - self._cost, index) for index, curve in self._curves.items()]
            self._rankings[size] = value_at(self._amount, level), sorted(surpluses, reverse=True)
        return self._rankings[size]

    def _taken_while_cheap(self) -> dict[int, int]:
        """What the pool that pays the most for the whole amount, and all others whose first unit is cheaper than its
        last one, take until their price equals its last one."""
        paid = [(each.amount_out, -index) for index, each in enumerate(self._singles) if isinstance(each, Quote)]
        best = -max(paid)[1] if paid else None
        enough = self._curves[best].end(self._amount) if best in self._curves else NEVER
        cheap = {index: curve for index, curve in self._curves.items() if curve.start < enough or index == best}
        return {index: curve.taken(enough) for index, curve in cheap.items()}

    def _taken_by_best(self, curves: Sequence[Curve], s: int, size: int) -> int:
        """The input up to s of the ``size`` pools with the largest surplus at s."""
        ranked = sorted(((curve.surplus(s), curve) for curve in curves), key=lambda each: -each[0])
        return sum(curve.taken(s) for surplus, curve in ranked[:size] if surplus > self._cost)


def _key(worth: int) -> int:
    return worth + (worth >> _NEGLIGIBLE)
