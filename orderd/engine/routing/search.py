"""The routes for one order: splits over the pools of its pair, and ways by another token, within their limits.

Routes are compared by their output after all pools' fees, less the network cost of each leg in the bought token. See
``orderd.amm.best_split`` for how an amount is shared, ``orderd.domain.quote.Route`` for what two hops promise.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from decimal import Decimal
from functools import partial
from typing import Final

from orderd.amm.best_split import NOTABLY, CurveOf, best_split
from orderd.amm.side import Quote
from orderd.amm.split import Leg, Offers, Room, Split
from orderd.amm.swap import SwapError
from orderd.amm.water_filling import Load
from orderd.domain.frozen import dataclass
from orderd.domain.money import BPS
from orderd.domain.quote import Hop, QuoteRequest, Route, VenueQuote, first_hop_floor
from orderd.domain.tokens import Token
from orderd.engine.routing.space import UNITS_OF_SWAPS
from orderd.venues.base import OpenPool

MAX_LEGS: Final = 3
_MILLIONTHS_PER_BPS: Final = 100

Fits = Callable[[Route], bool]
"""The final decision on a route: whether it is allowed, and its legs fit into one transaction."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route and its value; ``others`` replace it if it may not be used."""

    route: Route
    through: Token | None
    worth: int
    others: Callable[[], Iterable["Candidate"]]


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Limits of a route: price impact, cost with fees, bytes of its swaps, and the final check whether it fits.
    ``too_costly`` are the routes that were left out for their cost, ``fitting`` the splits that were found to fit,
    as routes."""

    max_price_impact_bps: int
    max_total_cost_bps: int
    bytes_of_swaps: int
    fits: Fits
    too_costly: list[Route] = field(default_factory=list)
    fitting: list[tuple[Split, Route]] = field(default_factory=list)

    def too_steep(self, route: Route) -> bool:
        return route.price_impact_bps > self.max_price_impact_bps

    def costs_too_much(self, route: Route) -> bool:
        if route.total_cost_bps <= self.max_total_cost_bps:
            return False
        self.too_costly.append(route)
        return True

    def room(self, pools: Sequence[OpenPool]) -> Room:
        """The limits of a split or a purchase over these pools."""

        def may_fit(legs: tuple[int, ...]) -> bool:
            shared = {pools[leg].kind: pools[leg].size_shared for leg in legs}
            return sum(pools[leg].size for leg in legs) + sum(shared.values()) <= self.bytes_of_swaps

        def fits(split: Split) -> bool:
            route = Route((Hop(venue_quotes(pools, split.legs)),))
            if self.too_steep(route) or self.costs_too_much(route) or not self.fits(route):
                return False
            self.fitting.append((split, route))
            return True

        return Room(_loads(pools), UNITS_OF_SWAPS, self.max_price_impact_bps * _MILLIONTHS_PER_BPS, may_fit, fits)

    def room_for_hop(self, pools: Sequence[OpenPool], units: int, taken: Decimal = Decimal(0)) -> Room:
        """The limits of a hop that may use this many units, if the other hop has ``taken`` this many basis points."""
        kept = (BPS - self.max_price_impact_bps) / (1 - taken / BPS) if taken < BPS else Decimal(BPS)
        impact = max(int((BPS - kept) * _MILLIONTHS_PER_BPS), 0)
        return Room(_loads(pools), units, impact, self.room(pools).may_fit)


class AnySearch(ABC):
    """The routes for one order, built from the pools of each pair. ``amount`` is what it sells, or what it buys."""

    def __init__(self, amount: int, cost_per_leg: int, slippage_bps: int, limits: SearchLimits) -> None:
        self._amount = amount
        self._cost = cost_per_leg
        self._slippage_bps = slippage_bps
        self._limits = limits

    def offers(self, pools: Sequence[OpenPool]) -> Offers:
        """The offers of the pools of the order's pair, each alone and as the best split."""
        return self._shared(pools, self._amount, MAX_LEGS, self._cost, self._limits.room(pools))

    def direct(self, offers: Offers) -> Iterator[Candidate]:
        """The best of these offers, which fits."""
        if offers.best is not None:
            (route,) = (route for split, route in self._limits.fitting if split is offers.best)
            yield self._candidate(no_candidates, None, route)

    @abstractmethod
    def by_way_of(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[Candidate]:
        """Two hops, one of which may be split; in the place of two pools, all other pairs of them.

        ``rent`` is what the wallet's account between the hops costs, in base units of what is bought.
        """

    @abstractmethod
    def is_better(self, less: Split, chosen: Candidate) -> bool:
        """Whether a part of the amount pays notably more than all of it."""

    @abstractmethod
    def describe_part(self, less: Split, request: QuoteRequest) -> str:
        """The part of the order that has a route."""

    @abstractmethod
    def _shared(self, pools: Sequence[OpenPool], amount: int, max_legs: int, cost_per_leg: int, room: Room) -> Offers:
        """An amount, sold to these pools or bought from them."""

    @abstractmethod
    def _worth(self, route: Route, costs: int) -> int:
        """The value by which routes are compared: more is better. ``costs`` in base units of the bought token."""

    def _distinct(
        self,
        pools: Sequence[OpenPool],
        amount: int,
        max_legs: int,
        cost_per_leg: int,
        units: int,
        taken: Decimal = Decimal(0),
    ) -> Iterator[tuple[VenueQuote, ...]]:
        """A hop's best splits over one leg, two legs, and so on, as long as more legs are better."""
        room = self._limits.room_for_hop(pools, units, taken)
        for legs in range(1, max_legs + 1):
            best = self._shared(pools, amount, legs, cost_per_leg, room).best
            if best is not None and len(best.legs) == legs:
                yield venue_quotes(pools, best.legs)

    def _candidate(
        self, others: Callable[[], Iterable[Candidate]], through: Token | None, route: Route, *, rent: int = 0
    ) -> Candidate:
        return Candidate(route, through, self._worth(route, self._cost * len(route.legs) + rent), others)


class Search(AnySearch):
    """For an order that sells an exact amount."""

    def by_way_of(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[Candidate]:
        units = UNITS_OF_SWAPS - min(pool.units for pool in second)
        # The cost of a leg is known in the bought token, so it is applied when whole routes are compared.
        starts = [*self._distinct(first, self._amount, MAX_LEGS - 1, 0, units)]
        if any(sum(leg.compute_units for leg in start) * 2 > UNITS_OF_SWAPS for start in starts):
            starts += self._distinct(first, self._amount, MAX_LEGS - 1, 0, UNITS_OF_SWAPS // 2)
        found = False
        for start in map(Hop, starts):
            sure = first_hop_floor(start.amount_out, self._slippage_bps)
            left = UNITS_OF_SWAPS - sum(leg.compute_units for leg in start.legs)
            legs = MAX_LEGS - len(start.legs)
            for rest in self._distinct(second, sure, legs, self._cost, left, start.price_impact_bps):
                is_pair = len(start.legs) == len(rest) == 1
                others = partial(self._pairs, token, first, second, rent) if is_pair else no_candidates
                found = True
                yield self._candidate(others, token, Route((start, Hop(rest))), rent=rent)
        if not found:  # The routes that do not fit show why.
            yield from self._pairs(token, first, second, rent)

    def is_better(self, less: Split, chosen: Candidate) -> bool:
        return less.worth(self._cost) > chosen.worth + (chosen.worth >> NOTABLY)

    def describe_part(self, less: Split, request: QuoteRequest) -> str:
        return f"{request.describe(less.amount_in)} can be sold"

    def _shared(self, pools: Sequence[OpenPool], amount: int, max_legs: int, cost_per_leg: int, room: Room) -> Offers:
        sides, curves = [pool.side for pool in pools], curves_of(pools)
        return best_split(sides, amount, max_legs=max_legs, cost_per_leg=cost_per_leg, room=room, curve_of=curves)

    def _worth(self, route: Route, costs: int) -> int:
        return route.amount_out - costs

    def _pairs(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[Candidate]:
        for start in first:
            bought = quoted(start, self._amount)
            if bought is None:
                continue
            sure = first_hop_floor(bought.amount_out, self._slippage_bps)
            for rest in second:
                paid = quoted(rest, sure)
                if paid is not None:
                    hops = Hop((start.venue_quote(bought),)), Hop((rest.venue_quote(paid),))
                    yield self._candidate(no_candidates, token, Route(hops), rent=rent)


def no_candidates() -> Iterable[Candidate]:
    return ()


def first_that_may_be(candidates: list[Candidate], limits: SearchLimits, steep: list[Route]) -> Candidate | None:
    """The best candidate that fits; routes that move the price too far are added to ``steep``."""
    while candidates:
        best = max(candidates, key=lambda each: each.worth)
        if limits.too_steep(best.route):
            steep.append(best.route)
        elif best.through is None or (not limits.costs_too_much(best.route) and limits.fits(best.route)):
            return best
        candidates.remove(best)
        candidates += best.others()
    return None


def _loads(pools: Sequence[OpenPool]) -> tuple[Load, ...]:
    return tuple(Load(pool.units, pool.units_per_step) for pool in pools)


def curves_of(pools: Sequence[OpenPool]) -> CurveOf:
    return lambda position, most_steps: pools[position].curve(most_steps)


def venue_quotes(pools: Sequence[OpenPool], legs: Sequence[Leg]) -> tuple[VenueQuote, ...]:
    return tuple(pools[leg.position].venue_quote(leg.quote) for leg in legs)


def quoted(pool: OpenPool, amount_in: int) -> Quote | None:
    try:
        return pool.side.quote(amount_in)
    except SwapError:
        return None
