"""Finding the best route: all pools of the pair, splits over several of them, and ways by another token.

What counts is what is received after all pools' fees, less what each leg costs the network in the token that is
bought. See `orderd.amm.split` for how an amount is shared, `orderd.domain.quote.Route` for what two hops promise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from orderd.amm.pouring import Load
from orderd.amm.side import Quote
from orderd.amm.split import NOTABLY, Leg, Offers, Room, Split, best_split
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS
from orderd.domain.quote import (
    Hop,
    QuoteRequest,
    Route,
    RoutingDecision,
    VenueQuote,
    first_hop_floor,
)
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.engine.routing.cooling import Cooling
from orderd.engine.routing.inquiry import Answers, Inquiry, Pair
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.space import UNITS_OF_SWAPS, bytes_of_swaps
from orderd.engine.routing.venue_refusals import nothing_offered, reasons
from orderd.solana.programs.compute_budget import priority_fee
from orderd.venues.base import OpenPool, Venue

MAX_LEGS: Final = 3
_UNITS_A_LEG: Final = 70_000
"""What one leg more adds to a transaction, in compute units: enough to weigh it against what it gains."""
_ONE_SOL: Final = 10**9
_MILLIONTHS_A_BPS: Final = 100

Fits = Callable[[Route], bool]
"""Whether a route may be taken and its legs fit into one transaction: the last word on each."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A route and what it is worth; ``others`` are those that take its place where it may not be taken."""

    route: Route
    through: Token | None
    worth: int
    others: Callable[[], Iterable["_Candidate"]]


class Router:
    """Finds routes over all venues. Thread-safe."""

    def __init__(
        self,
        venues: Sequence[Venue],
        *,
        intermediates: Sequence[Token] = (),
        timeout_ms: int,
        max_price_impact_bps: int,
        guard: PriceGuard,
        max_slot_lag: int,
        unit_price: Callable[[], int],
        threads: int,
        cooling: Cooling | None = None,
        rent_of_way: Callable[[str], int] = lambda _: 0,
    ) -> None:
        """``intermediates`` are the tokens that a route of two hops may take, ``unit_price`` micro-lamports a unit.

        ``rent_of_way`` tells the lamports that it costs to pass through a mint, where the wallet has no account of it.
        """
        self._venues = {venue.kind: venue for venue in venues}
        self._intermediates = tuple(intermediates)
        self._max_price_impact_bps = max_price_impact_bps
        self._guard = guard
        self._unit_price = unit_price
        self._rent_of_way = rent_of_way
        self._sol_prices: dict[str, tuple[tuple[OpenPool, ...], int]] = {}
        self._cooling = cooling or Cooling()
        self._inquiry = Inquiry(
            venues, cooling=self._cooling, timeout_ms=timeout_ms, max_slot_lag=max_slot_lag, threads=threads
        )

    def venue_of(self, quote: VenueQuote) -> Venue:
        return self._venues[quote.pool_kind]

    def refused(self, pool: str, reason: str) -> None:
        """A program refused this pool's swap for good: leave the pool out for a while, and believe no price of it."""
        self._cooling.cool(pool, reason)
        self._guard.distrust(pool)

    def pools(self, pairs: Sequence[Pair]) -> dict[Pair, Answers]:
        """What each pair can be traded in now, at all venues."""
        return self._inquiry.ask(pairs)

    def route(self, request: QuoteRequest, slippage_bps: int, fits: Fits) -> RoutingDecision:
        """The best route among those that fit, and all pools' quotes.

        Raises OrderdError: ROUTE_* or POOL_* where no venue offers anything, ROUTE_PRICE_IMPACT where all
        routes move the price too far or a smaller order would receive more, ROUTE_PRICE_DEVIATION where pools are
        missing and the others pay much less than the last time, TX_TOO_LARGE where none fits.
        """
        direct = (request.mint_in, request.mint_out)
        through = [token for token in self._intermediates if token.mint not in direct]
        hops = [pair for token in through for pair in ((direct[0], token.mint), (token.mint, direct[1]))]
        found = self._inquiry.ask([direct, *hops])
        worth_of = partial(self._worth_of, request.mint_out, found)
        cost_a_leg = worth_of(priority_fee(_UNITS_A_LEG, self._unit_price()))
        limits = _Limits(self._max_price_impact_bps, bytes_of_swaps(*direct), fits)
        search = _Search(request.amount_in, cost_a_leg, slippage_bps, limits)

        answers = found[direct]
        offers = search.offers(answers.pools)
        quotes = tuple(
            pool.told(single)
            for pool, single in zip(answers.pools, offers.singles, strict=True)
            if isinstance(single, Quote)
        )
        names = dict.fromkeys(venue.name for venue in self._venues.values())
        refusals = reasons(answers, offers.singles, quotes, names)
        candidates = [*search.direct(answers.pools, offers)]
        for token in through:
            first, second = found[direct[0], token.mint].pools, found[token.mint, direct[1]].pools
            if first and second:
                rent = worth_of(self._rent_of_way(token.mint))
                candidates += search.by_way_of(token, first, second, rent)
        if not candidates and not quotes and offers.steep is None:
            raise nothing_offered(refusals)
        steep = [Route((Hop(_told(answers.pools, offers.steep.legs)),))] if offers.steep is not None else []
        chosen = _first_that_may_be(candidates, limits, steep)
        if chosen is None or _pays_more(offers.less, chosen.worth, cost_a_leg):
            raise _refused(chosen, offers.less, steep, self._max_price_impact_bps)
        self._guard.check(chosen.route, quotes, {pool.address for each in found.values() for pool in each.pools})
        return RoutingDecision(chosen.route, quotes, refusals, chosen.through, self._max_price_impact_bps)

    def _worth_of(self, mint_out: str, found: Mapping[Pair, Answers], lamports: int) -> int:
        """In base units of what is bought, at the best pool's price for a SOL; nothing where no pool tells it."""
        if mint_out == WSOL_MINT:
            return lamports
        pools = found[WSOL_MINT, mint_out].pools if (WSOL_MINT, mint_out) in found else ()
        known, price = self._sol_prices.get(mint_out, ((), 0))
        if known != pools:
            prices = [quote.amount_out for pool in pools if (quote := _quoted(pool, _ONE_SOL)) is not None]
            price = max(prices, default=0)
            self._sol_prices[mint_out] = pools, price
        return lamports * price // _ONE_SOL


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a route may take: so much of the price, so many bytes for its swaps; and the last word on what fits."""

    max_price_impact_bps: int
    bytes_of_swaps: int
    fits: Fits

    def too_steep(self, route: Route) -> bool:
        return route.price_impact_bps > self.max_price_impact_bps

    def room(self, pools: Sequence[OpenPool]) -> Room:
        """The same for a split over these pools."""

        def may_fit(legs: tuple[int, ...]) -> bool:
            shared = {pools[leg].kind: pools[leg].size_shared for leg in legs}
            return sum(pools[leg].size for leg in legs) + sum(shared.values()) <= self.bytes_of_swaps

        def fits(split: Split) -> bool:
            route = Route((Hop(_told(pools, split.legs)),))
            return not self.too_steep(route) and self.fits(route)

        return Room(_loads(pools), UNITS_OF_SWAPS, self.max_price_impact_bps * _MILLIONTHS_A_BPS, may_fit, fits)

    def room_for_hop(self, pools: Sequence[OpenPool], units: int, taken: Decimal = Decimal(0)) -> Room:
        """For a hop that may use so many units, where the other one has ``taken`` so many basis points."""
        kept = (BPS - self.max_price_impact_bps) / (1 - taken / BPS) if taken < BPS else Decimal(BPS)
        impact = max(int((BPS - kept) * _MILLIONTHS_A_BPS), 0)
        return Room(_loads(pools), units, impact, self.room(pools).may_fit)


class _Search:
    """The routes for one order, built from the pools of each pair."""

    def __init__(self, amount_in: int, cost_a_leg: int, slippage_bps: int, limits: _Limits) -> None:
        self._amount_in = amount_in
        self._cost = cost_a_leg
        self._slippage_bps = slippage_bps
        self._limits = limits

    def offers(self, pools: Sequence[OpenPool]) -> Offers:
        return _split(pools, self._amount_in, MAX_LEGS, self._cost, self._limits.room(pools))

    def direct(self, pools: Sequence[OpenPool], offers: Offers) -> Iterator[_Candidate]:
        """The best split, which fits."""
        if offers.best is not None:
            yield self._candidate(_nothing, None, Hop(_told(pools, offers.best.legs)))

    def by_way_of(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[_Candidate]:
        """Two hops, one of which may be split; in the place of two pools, all other pairs of them.

        ``rent`` is what the wallet's account between the hops costs, in base units of what is bought.
        """
        units = UNITS_OF_SWAPS - min(pool.units for pool in second)
        # What a leg costs is known in the token that is bought: it counts when whole routes are compared.
        starts = [*self._distinct(first, self._amount_in, MAX_LEGS - 1, 0, units)]
        if any(sum(leg.compute_units for leg in start) * 2 > UNITS_OF_SWAPS for start in starts):
            starts += self._distinct(first, self._amount_in, MAX_LEGS - 1, 0, UNITS_OF_SWAPS // 2)
        found = False
        for start in map(Hop, starts):
            sure = first_hop_floor(start.amount_out, self._slippage_bps)
            left = UNITS_OF_SWAPS - sum(leg.compute_units for leg in start.legs)
            legs = MAX_LEGS - len(start.legs)
            for rest in self._distinct(second, sure, legs, self._cost, left, start.price_impact_bps):
                is_pair = len(start.legs) == len(rest) == 1
                others = partial(self._pairs, token, first, second, rent) if is_pair else _nothing
                found = True
                yield self._candidate(others, token, start, Hop(rest), rent=rent)
        if not found:  # What does not fit tells why.
            yield from self._pairs(token, first, second, rent)

    def _distinct(
        self,
        pools: Sequence[OpenPool],
        amount_in: int,
        max_legs: int,
        cost_a_leg: int,
        units: int,
        taken: Decimal = Decimal(0),
    ) -> Iterator[tuple[VenueQuote, ...]]:
        """A hop's best split of one leg, of two, ... as far as more legs pay more."""
        room = self._limits.room_for_hop(pools, units, taken)
        for legs in range(1, max_legs + 1):
            best = _split(pools, amount_in, legs, cost_a_leg, room).best
            if best is not None and len(best.legs) == legs:
                yield _told(pools, best.legs)

    def _pairs(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[_Candidate]:
        for start in first:
            bought = _quoted(start, self._amount_in)
            if bought is None:
                continue
            sure = first_hop_floor(bought.amount_out, self._slippage_bps)
            for rest in second:
                paid = _quoted(rest, sure)
                if paid is not None:
                    hops = Hop((start.told(bought),)), Hop((rest.told(paid),))
                    yield self._candidate(_nothing, token, *hops, rent=rent)

    def _candidate(
        self, others: Callable[[], Iterable[_Candidate]], through: Token | None, *hops: Hop, rent: int = 0
    ) -> _Candidate:
        route = Route(hops)
        return _Candidate(route, through, route.amount_out - self._cost * len(route.legs) - rent, others)


def _nothing() -> Iterable[_Candidate]:
    return ()


def _first_that_may_be(candidates: list[_Candidate], limits: _Limits, steep: list[Route]) -> _Candidate | None:
    """The candidate that is worth most of those that fit; routes that move the price too far are added to ``steep``."""
    while candidates:
        best = max(candidates, key=lambda each: each.worth)
        if limits.too_steep(best.route):
            steep.append(best.route)
        elif best.through is None or limits.fits(best.route):
            return best
        candidates.remove(best)
        candidates += best.others()
    return None


def _pays_more(less: Split | None, worth: int, cost_a_leg: int) -> bool:
    """Whether a part of the amount pays notably more than all of it."""
    return less is not None and less.worth(cost_a_leg) > worth + (worth >> NOTABLY)


def _refused(
    chosen: _Candidate | None, less: Split | None, steep: Sequence[Route], max_price_impact_bps: int
) -> OrderdError:
    """Why there is no route for the whole amount, and for how much of it there is one."""
    at_most = f"; {less.amount_in} base units can be sold" if less is not None else ""
    if less is not None and (chosen is not None or not steep):
        told = f"one transaction has no room for pools that pay more for all of it than for a part{at_most}"
        return OrderdError(ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY, told)
    if not steep:
        return OrderdError(ErrorCode.TX_TOO_LARGE, "no route that pays this order fits into one transaction")
    best = max(steep, key=lambda route: route.amount_out)
    return OrderdError(
        ErrorCode.ROUTE_PRICE_IMPACT,
        f"the best route, over {best.main.venue}, moves the price by {best.price_impact_bps} "
        f"basis points, the limit is {max_price_impact_bps}{at_most}",
    )


def _loads(pools: Sequence[OpenPool]) -> tuple[Load, ...]:
    return tuple(Load(pool.units, pool.units_a_step) for pool in pools)


def _split(pools: Sequence[OpenPool], amount_in: int, max_legs: int, cost_a_leg: int, room: Room) -> Offers:
    return best_split([pool.side for pool in pools], amount_in, max_legs=max_legs, cost_a_leg=cost_a_leg, room=room)


def _told(pools: Sequence[OpenPool], legs: Sequence[Leg]) -> tuple[VenueQuote, ...]:
    return tuple(pools[leg.position].told(leg.quote) for leg in legs)


def _quoted(pool: OpenPool, amount_in: int) -> Quote | None:
    try:
        return pool.side.quote(amount_in)
    except SwapError:
        return None
