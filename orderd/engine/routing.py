"""Finding the best route: all pools of the pair, splits over several of them, and ways by another token.

What counts is what is received after all pools' fees, less what each leg costs the network in the token that is
bought. See `orderd.amm.split` for how an amount is shared, `orderd.domain.quote.Route` for what two hops promise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from orderd.amm.side import Quote
from orderd.amm.split import Leg, Offers, Split, best_split
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import (
    Hop,
    QuoteRequest,
    Route,
    RoutingDecision,
    VenueQuote,
    first_hop_floor,
)
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.engine.cooling import Cooling
from orderd.engine.inquiry import Answers, Inquiry, Pair
from orderd.engine.price_guard import PriceGuard
from orderd.engine.refusals import nothing_offered, reasons
from orderd.solana.programs.compute_budget import priority_fee
from orderd.venues.base import OpenPool, Venue

MAX_LEGS: Final = 3
_UNITS_A_LEG: Final = 70_000
"""What one leg more adds to a transaction, in compute units: enough to weigh it against what it gains."""
_ONE_SOL: Final = 10**9

Fits = Callable[[Route], bool]
"""Whether a route's legs fit into one transaction."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A route and what it is worth; ``smaller`` are those that take its place where it does not fit."""

    route: Route
    through: Token | None
    worth: int
    smaller: Callable[[], Iterable["_Candidate"]]


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
    ) -> None:
        """``intermediates`` are the tokens that a route of two hops may take, ``unit_price`` micro-lamports a unit."""
        self._venues = {venue.kind: venue for venue in venues}
        self._intermediates = tuple(intermediates)
        self._max_price_impact_bps = max_price_impact_bps
        self._guard = guard
        self._unit_price = unit_price
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
        routes move the price too far, ROUTE_PRICE_DEVIATION where pools are missing and the others pay much less than
        the last time, TX_TOO_LARGE where none fits.
        """
        direct = (request.mint_in, request.mint_out)
        through = [token for token in self._intermediates if token.mint not in direct]
        hops = [pair for token in through for pair in ((direct[0], token.mint), (token.mint, direct[1]))]
        found = self._inquiry.ask([direct, *hops])
        cost_a_leg = self._cost_a_leg(request.mint_out, found)
        search = _Search(request.amount_in, cost_a_leg, slippage_bps)

        answers = found[direct]
        offers = search.offers(answers.pools, MAX_LEGS)
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
            candidates += search.by_way_of(token, first, second)
        if not candidates:
            raise nothing_offered(refusals)
        chosen = _first_that_may_be(candidates, fits, self._max_price_impact_bps)
        self._guard.check(chosen.route, quotes, {pool.address for each in found.values() for pool in each.pools})
        return RoutingDecision(chosen.route, quotes, refusals, chosen.through, self._max_price_impact_bps)

    def _cost_a_leg(self, mint_out: str, found: Mapping[Pair, Answers]) -> int:
        """In base units of what is bought, at the best pool's price for a SOL; nothing where no pool tells it."""
        lamports = priority_fee(_UNITS_A_LEG, self._unit_price())
        if mint_out == WSOL_MINT:
            return lamports
        pools = found[WSOL_MINT, mint_out].pools if (WSOL_MINT, mint_out) in found else ()
        known, price = self._sol_prices.get(mint_out, ((), 0))
        if known != pools:
            prices = [quote.amount_out for pool in pools if (quote := _quoted(pool, _ONE_SOL)) is not None]
            price = max(prices, default=0)
            self._sol_prices[mint_out] = pools, price
        return lamports * price // _ONE_SOL


class _Search:
    """The routes for one order, built from the pools of each pair."""

    def __init__(self, amount_in: int, cost_a_leg: int, slippage_bps: int) -> None:
        self._amount_in = amount_in
        self._cost = cost_a_leg
        self._slippage_bps = slippage_bps

    def offers(self, pools: Sequence[OpenPool], max_legs: int) -> Offers:
        return _split(pools, self._amount_in, max_legs, self._cost)

    def direct(self, pools: Sequence[OpenPool], offers: Offers) -> Iterator[_Candidate]:
        """The best split; in its place, one with fewer legs, and in the place of the best pool, all others."""
        split = offers.best
        if split is None:
            return
        fewer = len(split.legs) - 1

        def smaller() -> Iterable[_Candidate]:
            if fewer:
                return self.direct(pools, self.offers(pools, fewer))
            return (
                self._candidate(_nothing, None, Hop((pool.told(single),)))
                for pool, single in zip(pools, offers.singles, strict=True)
                if isinstance(single, Quote)
            )

        yield self._candidate(smaller, None, Hop(_told(pools, split.legs)))

    def by_way_of(self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool]) -> Iterator[_Candidate]:
        """Two hops, one of which may be split; in the place of two pools, all other pairs of them."""
        # What a leg costs is known in the token that is bought: it counts when whole routes are compared.
        for start in _distinct(first, self._amount_in, MAX_LEGS - 1, 0):
            sure = first_hop_floor(start.amount_out, self._slippage_bps)
            for rest in _distinct(second, sure, MAX_LEGS - len(start.legs), self._cost):
                is_pair = len(start.legs) == len(rest.legs) == 1
                smaller = partial(self._pairs, token, first, second) if is_pair else _nothing
                yield self._candidate(smaller, token, Hop(_told(first, start.legs)), Hop(_told(second, rest.legs)))

    def _pairs(self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool]) -> Iterator[_Candidate]:
        for start in first:
            bought = _quoted(start, self._amount_in)
            if bought is None:
                continue
            sure = first_hop_floor(bought.amount_out, self._slippage_bps)
            for rest in second:
                paid = _quoted(rest, sure)
                if paid is not None:
                    yield self._candidate(_nothing, token, Hop((start.told(bought),)), Hop((rest.told(paid),)))

    def _candidate(self, smaller: Callable[[], Iterable[_Candidate]], through: Token | None, *hops: Hop) -> _Candidate:
        route = Route(hops)
        return _Candidate(route, through, route.amount_out - self._cost * len(route.legs), smaller)


def _nothing() -> Iterable[_Candidate]:
    return ()


def _first_that_may_be(candidates: list[_Candidate], fits: Fits, max_price_impact_bps: int) -> _Candidate:
    """The candidate that is worth most; one that is too large, or moves the price too far, is replaced.

    Raises OrderdError: ROUTE_PRICE_IMPACT or TX_TOO_LARGE.
    """
    steep: Route | None = None
    while candidates:
        best = max(candidates, key=lambda each: each.worth)
        is_steep = best.route.price_impact_bps > max_price_impact_bps
        if not is_steep and fits(best.route):
            return best
        if is_steep and steep is None:
            steep = best.route
        candidates.remove(best)
        candidates += best.smaller()
    if steep is None:
        raise OrderdError(ErrorCode.TX_TOO_LARGE, "no route that pays this order fits into one transaction")
    raise OrderdError(
        ErrorCode.ROUTE_PRICE_IMPACT,
        f"the best route, over {steep.main.venue}, moves the price by {steep.price_impact_bps} "
        f"basis points, the limit is {max_price_impact_bps}",
    )


def _split(pools: Sequence[OpenPool], amount_in: int, max_legs: int, cost_a_leg: int) -> Offers:
    return best_split([pool.side for pool in pools], amount_in, max_legs=max_legs, cost_a_leg=cost_a_leg)


def _distinct(pools: Sequence[OpenPool], amount_in: int, max_legs: int, cost_a_leg: int) -> Iterator[Split]:
    """The best split of one leg, of two, ... as far as more legs pay more."""
    for legs in range(1, max_legs + 1):
        best = _split(pools, amount_in, legs, cost_a_leg).best
        if best is not None and len(best.legs) == legs:
            yield best


def _told(pools: Sequence[OpenPool], legs: Sequence[Leg]) -> tuple[VenueQuote, ...]:
    return tuple(pools[leg.position].told(leg.quote) for leg in legs)


def _quoted(pool: OpenPool, amount_in: int) -> Quote | None:
    try:
        return pool.side.quote(amount_in)
    except SwapError:
        return None
