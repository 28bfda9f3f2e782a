"""Finds the best route for an order among the pools of all venues, or the reason why there is none."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from itertools import combinations, permutations
from typing import Final

from orderd.amm.side import Quote
from orderd.amm.swap import U64_MAX
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mid import mid_of, with_enough_liquidity
from orderd.domain.money import BPS, LAMPORTS_PER_SOL
from orderd.domain.quote import (
    Hop,
    QuoteRequest,
    Route,
    RoutingDecision,
    VenueQuote,
)
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.engine.routing.cooling import Cooling
from orderd.engine.routing.outline import Outline, outline
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.quote_collection import Answers, Pair, QuoteCollector, ReadBatch
from orderd.engine.routing.search import (
    MAX_LEGS,
    AnySearch,
    Candidate,
    Fits,
    Search,
    SearchLimits,
    first_that_may_be,
    quoted,
    venue_quotes,
)
from orderd.engine.routing.search_out import SearchOut
from orderd.engine.routing.space import bytes_of_swaps
from orderd.engine.routing.venue_refusals import no_offer_error, reasons, unless_missed
from orderd.solana.programs.compute_budget import priority_fee
from orderd.solana.transaction import TransactionVersion
from orderd.venues.base import OpenPool, Venue

_UNITS_PER_LEG: Final = 70_000
"""The compute units that another leg adds to a transaction: exact enough to compare it with its gain."""
_LOOKING_SECONDS: Final = 10.0
_WARM_SECONDS: Final = 60.0
_WATCHED_SECONDS: Final = 5.0
"""How often a watched pair is read without a hint that it has changed."""


class Router:
    """Finds routes over all venues. Thread-safe."""

    def __init__(
        self,
        venues: Sequence[Venue],
        *,
        read: ReadBatch,
        intermediates: Sequence[Token] = (),
        timeout_ms: int,
        max_price_impact_bps: int,
        max_total_cost_bps: int = BPS,
        guard: PriceGuard,
        max_slot_lag: int,
        unit_price: Callable[[], int],
        threads: int,
        cooling: Cooling | None = None,
        rent_of_way: Callable[[str], int] = lambda _: 0,
        watched: Sequence[Pair] = (),
        bytes_of_tables: int = 0,
        version: Callable[[], TransactionVersion] = lambda: TransactionVersion.V0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``intermediates`` are the tokens that a route of two hops may take, ``unit_price`` micro-lamports per unit.

        ``rent_of_way`` returns the lamports that it costs to pass through a mint of which the wallet has no account.
        ``watched`` are pairs that are read whether or not orders ask for them. ``bytes_of_tables`` is what naming
        lookup tables takes of a transaction of version 0, ``version`` the one that transactions are made in.
        """
        self._venues = {venue.kind: venue for venue in venues}
        self._intermediates = tuple(intermediates)
        self._max_price_impact_bps = max_price_impact_bps
        self._max_total_cost_bps = max_total_cost_bps
        self._guard = guard
        self._unit_price = unit_price
        self._bytes_of_tables = bytes_of_tables
        self._version = version
        self._rent_of_way = rent_of_way
        self._sol_prices: dict[str, tuple[tuple[OpenPool, ...], int]] = {}
        self._cooling = cooling or Cooling()
        self._clock = clock
        self._requested_at: dict[Pair, float] = {}
        self._watched = dict.fromkeys(watched, -_WATCHED_SECONDS)
        self._collector = QuoteCollector(
            venues, read=read, cooling=self._cooling, timeout_ms=timeout_ms, max_slot_lag=max_slot_lag, threads=threads
        )

    def venue_of(self, quote: VenueQuote) -> Venue:
        return self._venues[quote.pool_kind]

    def refused(self, pool: str, reason: str) -> None:
        """A program refused this pool's swap with a lasting error: exclude the pool for a while, and drop its
        prices."""
        self._cooling.cool(pool, reason)
        self._guard.distrust(pool)

    # Pools

    def pools(self, pairs: Sequence[Pair]) -> dict[Pair, Answers]:
        """The pools of each pair at all venues."""
        return self._collector.ask(pairs)

    def discover(self) -> None:
        """Look up the pools between the intermediate tokens in advance."""
        self.pools([*((one.mint, other.mint) for one, other in combinations(self._intermediates, 2)), *self._watched])

    def latest_answers(self) -> Mapping[Pair, Answers]:
        """The last read of each pair, for any request."""
        return self._collector.latest_answers

    def pools_for(self, requests: Iterable[QuoteRequest]) -> dict[Pair, Answers]:
        """The pools of all pairs that routes of these requests may use, as far as known without a look-up."""
        pairs = dict.fromkeys(pair for each in requests for pair in self._pairs(each))
        self._requested_at |= dict.fromkeys(pairs, self._clock())
        return self._collector.ask([pair for pair in pairs if self._collector.knows(pair)])

    def learn(self, request: QuoteRequest) -> None:
        """Start a look-up of the request's unknown pools in the background. Returns immediately."""
        self._collector.learn([*self._pairs(request)])

    def has_pools(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> bool:
        """Whether ``found`` has all that the request can be traded in."""
        return all(pair in found for pair in self._pairs(request))

    def outline(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> Outline:
        """The outline of the market for the request's pair, from the pools ``found``."""
        first, last = request.mint_in, request.mint_out
        over = {
            token.mint: (found[first, token.mint].pools, found[token.mint, last].pools)
            for token in self._through(request)
        }
        ways = [(found[first, last].pools,), *over.values()]
        legs = min(MAX_LEGS, sum(len(hop) for way in ways if all(way) for hop in way))
        if legs <= 1:
            return outline(ways, 0)
        rent = max((self._rent_of_way(mint) for mint, way in over.items() if all(way)), default=0)
        fees = (legs - 1) * priority_fee(_UNITS_PER_LEG, self._unit_price())
        return outline(ways, self._worth_of(last, found, fees + rent) + 1)

    def keep_warm(self) -> None:
        """Read again the changed pools of pairs that orders used in the last minute, for the next order.

        Watched pairs are read too, and each of them from time to time even without a hint.
        """
        now = self._clock()
        recent_pairs = [pair for pair, at in self._requested_at.copy().items() if at > now - _WARM_SECONDS]
        if not recent_pairs:
            self._requested_at.clear()
        changed = {pair for pair in (*recent_pairs, *self._watched) if self._collector.has_changed(pair)}
        changed |= {pair for pair, read in self._watched.items() if now - read >= _WATCHED_SECONDS}
        if changed:
            self._watched |= dict.fromkeys(self._watched.keys() & changed, now)
            self._collector.ask(list(changed))

    def find_new_pools(self, pair: Pair, seconds: float = _LOOKING_SECONDS) -> bool:
        """Look up the pools of all routes between two tokens again. Returns whether there are new ones.

        A venue that has not answered after ``seconds`` continues in the background.
        """
        known = {(one.mint, other.mint) for one, other in permutations(self._intermediates, 2)}
        pairs = [each for each in self._pairs(QuoteRequest(*pair, 1)) if each not in known]
        return self._collector.find_new_pools(pairs, seconds)

    def hints(self, request: QuoteRequest) -> int:
        """How many hints there have been that the market of the request's pair has moved, on any way."""
        return sum(map(self._collector.hints, self._pairs(request)))

    def _through(self, request: QuoteRequest) -> list[Token]:
        return [token for token in self._intermediates if token.mint not in (request.mint_in, request.mint_out)]

    def _pairs(self, request: QuoteRequest) -> Iterator[Pair]:
        yield request.mint_in, request.mint_out
        for token in self._through(request):
            yield request.mint_in, token.mint
            yield token.mint, request.mint_out

    # The best route

    def route(
        self,
        request: QuoteRequest,
        slippage_bps: int,
        fits: Fits,
        found: Mapping[Pair, Answers] | None = None,
        *,
        preferred: Fits | None = None,
    ) -> RoutingDecision:
        """The best route among those that fit, and all pools' quotes. ``found`` is what ``pools_for`` has just
        returned. Routes that ``preferred`` accepts come before all others.

        Raises OrderdError: ROUTE_* or POOL_* if no venue offers anything, ROUTE_PRICE_IMPACT if all routes move the
        price too far or a smaller order would receive more, ROUTE_VENUES_UNAVAILABLE if that may be because a venue did
        not answer, ROUTE_PRICE_DEVIATION if pools are missing and the others pay much less than the last time,
        ROUTE_PRICE_UNKNOWN if pools are missing and it is not known what they paid, TX_TOO_LARGE if none fits.
        """
        if preferred is not None:
            with suppress(OrderdError):
                return self.route(request, slippage_bps, lambda route: preferred(route) and fits(route), found)
        direct = (request.mint_in, request.mint_out)
        pairs = list(self._pairs(request))
        found = self._collector.ask(pairs) if found is None else {pair: found[pair] for pair in pairs}
        worth_of = partial(self._worth_of, request.mint_out, found)
        cost_per_leg = worth_of(priority_fee(_UNITS_PER_LEG, self._unit_price()))
        max_impact_bps, max_cost_bps = self._bounds(request)
        limits = SearchLimits(max_impact_bps, max_cost_bps, self._room(direct), fits)
        kind: type[AnySearch] = SearchOut if request.exact_out else Search
        search = kind(request.amount, cost_per_leg, slippage_bps, limits)

        answers = found[direct]
        offers = search.offers(answers.pools)
        quotes = tuple(
            pool.venue_quote(single)
            for pool, single in zip(answers.pools, offers.singles, strict=True)
            if isinstance(single, Quote)
        )
        names = dict.fromkeys(venue.name for venue in self._venues.values())
        refusals = reasons(answers, offers.singles, quotes, names)
        candidates = [*search.direct(offers)]
        for token in self._through(request):
            first, second = found[direct[0], token.mint].pools, found[token.mint, direct[1]].pools
            if first and second:
                rent = worth_of(self._rent_of_way(token.mint))
                candidates += search.by_way_of(token, first, second, rent)
        if not candidates and not quotes and offers.steep is None:
            raise no_offer_error(refusals, has_pools=any(each.pools for each in found.values()))
        steep = [Route((Hop(venue_quotes(answers.pools, offers.steep.legs)),))] if offers.steep is not None else []
        chosen = first_that_may_be(candidates, limits, steep)
        if chosen is None or (offers.less is not None and search.is_better(offers.less, chosen)):
            part = None if offers.less is None else search.describe_part(offers.less, request)
            raise unless_missed(refusals, _refused(chosen, part, steep, limits))
        present = {pool.address for each in found.values() for pool in each.pools}
        taken = {(hop.legs[0].mint_in, hop.mint_out) for hop in chosen.route.hops}
        silent = {pool for pair in {direct, *taken} for pool in found[pair].silent}
        listed = _listed(found.values())
        self._guard.check(
            chosen.route,
            quotes,
            present,
            listed,
            silent,
            has_own_floor=request.has_own_floor,
            max_deviation_bps=request.max_deviation_bps,
            depth_of=partial(_depth, answers.pools),
        )
        mid = partial(_mid, chosen.route, quotes, found)
        return RoutingDecision(chosen.route, quotes, refusals, chosen.through, max_impact_bps, mid)

    def _room(self, pair: Pair) -> int:
        """Bytes that the swaps of a route may take."""
        version = self._version()
        tables = self._bytes_of_tables if version == TransactionVersion.V0 else 0
        return bytes_of_swaps(*pair, version) - tables

    def _bounds(self, request: QuoteRequest) -> tuple[int, int]:
        """The maximum price impact, and the maximum total cost, in basis points."""
        if request.exit_bps is not None:
            return request.exit_bps, min(request.exit_bps, request.max_cost_bps)
        return self._max_price_impact_bps, min(self._max_total_cost_bps, request.max_cost_bps)

    def _worth_of(self, mint_out: str, found: Mapping[Pair, Answers], lamports: int) -> int:
        """The value of lamports in base units of the bought token, at the best pool's price of SOL; 0 if there is
        none."""
        if mint_out == WSOL_MINT:
            return lamports
        pools = found[WSOL_MINT, mint_out].pools if (WSOL_MINT, mint_out) in found else ()
        known, price = self._sol_prices.get(mint_out, ((), 0))
        if known != pools:
            for_one = [(pool, quoted(pool, LAMPORTS_PER_SOL)) for pool in pools]
            quotes = [pool.venue_quote(quote) for pool, quote in for_one if quote is not None]
            price = max((quote.amount_out for quote in with_enough_liquidity(quotes)), default=0)
            self._sol_prices[mint_out] = pools, price
        return lamports * price // LAMPORTS_PER_SOL


def _mid(route: Route, quotes: Sequence[VenueQuote], found: Mapping[Pair, Answers]) -> Fraction | None:
    """``quotes`` are those of the pair itself for the whole amount."""
    if len(route.hops) == 1:
        return mid_of(route, [quotes])
    return mid_of(route, [_offers(hop, found) for hop in route.hops])


def _offers(hop: Hop, found: Mapping[Pair, Answers]) -> Iterator[VenueQuote]:
    for pool in found[hop.legs[0].mint_in, hop.mint_out].pools:
        if (quote := quoted(pool, hop.amount_in)) is not None:
            yield pool.venue_quote(quote)


def _depth(pools: Sequence[OpenPool], address: str) -> int:
    """The input until the pool's price has fallen by a tenth; a large number if it is not one of the pair's pools."""
    for pool in pools:
        if pool.address == address:
            curve = pool.curve(U64_MAX)
            return curve.taken(curve.start * 21 // 20)
    return U64_MAX


def _listed(answers: Iterable[Answers]) -> frozenset[str] | None:
    """The known pools of these pairs; None if a venue could not list them."""
    listed: frozenset[str] = frozenset()
    for each in answers:
        if each.listed is None:
            return None
        listed |= each.listed
    return listed


def _refused(chosen: Candidate | None, part: str | None, steep: Sequence[Route], limits: SearchLimits) -> OrderdError:
    """Why there is no route for the whole amount, and for which ``part`` of it there is one."""
    at_most = f"; {part}" if part is not None else ""
    best_steep = max(map(_rate, steep), default=Fraction(0))
    best_costly = max(map(_rate, limits.too_costly), default=Fraction(0))
    if part is not None and (chosen is not None or not (steep or limits.too_costly)):
        detail = f"one transaction has no room for pools that pay more for all of it than for a part{at_most}"
        return OrderdError(ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY, detail)
    if best_costly > best_steep:
        best = max(limits.too_costly, key=_rate)
        return OrderdError(
            ErrorCode.ROUTE_TOTAL_COST,
            f"the best route, over {best.main.venue}, costs {best.total_cost_bps} basis points in fees and impact, "
            f"the limit is {limits.max_total_cost_bps}{at_most}",
        )
    if not steep:
        return OrderdError(ErrorCode.TX_TOO_LARGE, "no route that pays this order fits into one transaction")
    best = max(steep, key=_rate)
    return OrderdError(
        ErrorCode.ROUTE_PRICE_IMPACT,
        f"the best route, over {best.main.venue}, moves the price by {best.price_impact_bps} "
        f"basis points, the limit is {limits.max_price_impact_bps}{at_most}",
    )


def _rate(route: Route) -> Fraction:
    """The output per base unit of input. Among routes for the same amount, the highest rate is the best."""
    return Fraction(route.amount_out, route.amount_in)
