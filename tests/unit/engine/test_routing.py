"""Routing chooses the route that pays most; a slow, unavailable or faulty venue does not block orders from others."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from queue import SimpleQueue
from typing import cast

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.swap import U64_MAX
from orderd.domain.errors import ErrorCode, OrderdError, OutageError
from orderd.domain.money import parse_amount
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import UNANSWERED, Hop, QuoteRequest, Route, RoutingDecision, VenueQuote
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import WELL_KNOWN
from orderd.engine.routing.offers import offer_of
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.routing.space import UNITS_OF_SWAPS
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool
from orderd.pools.raydium_cpmm.maths.side import CpmmSide
from orderd.solana.rpc import RpcClient
from orderd.venues.base import Liquidity, OpenPool
from orderd.venues.reading import Reading, read_batch
from tests.samples.counted import Counted

SOL, USDC, CHILLGUY = WELL_KNOWN["simnet"][:3]
REQUEST = QuoteRequest(SOL.mint, USDC.mint, 1_500_000_000)
SLIPPAGE_BPS = 50
QUOTE = VenueQuote(
    venue=VenueName.RAYDIUM,
    pool="pool",
    pool_kind=PoolKind.RAYDIUM_CPMM,
    mint_in=SOL.mint,
    mint_out=USDC.mint,
    amount_in=REQUEST.amount,
    amount_out=152_400_000,
    fee=3_750_000,
    fee_mint=SOL.mint,
    price_impact_bps=Decimal("0.63"),
    slot=7,
    compute_units=40_000,
)
KINDS = {VenueName.RAYDIUM: PoolKind.RAYDIUM_CPMM, VenueName.METEORA: PoolKind.METEORA_DLMM}

DEEP = 10**15


def side(price: float, depth: int = DEEP, fee: int = 0) -> CpmmSide:
    """A pool that sells at ``price`` base units for one, with a fee of ``fee`` millionths.

    ``depth`` is its depth in base units of the token sold.
    """
    pool = CpmmPool(fee, 0, 0, 0, depth, int(depth * price), 0, 0, 0, 0, 0, 0, 0, False)
    return CpmmSide(pool, zero_for_one=True)


@dataclass
class StubVenue:
    """A venue with pools by pair, or one that answers with what ``answer`` returns or raises."""

    name: VenueName
    sides: Mapping[tuple[str, str], Sequence[CpmmSide]] = field(default_factory=dict)
    fresh: bool = False
    slot: int = 7
    units: int = 40_000
    answer: Callable[[], Liquidity] | None = None
    remembered: frozenset[str] = frozenset()
    looked_up: bool = True
    hinted: bool = False

    @property
    def kind(self) -> PoolKind:
        return KINDS[self.name]

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        raise AssertionError("routing must not ask for addresses")

    def known(self, mint_in: str, mint_out: str) -> frozenset[str]:
        return self.remembered

    def find_new_pools(self, mint_in: str, mint_out: str) -> bool:
        return False

    def is_fresh(self, mint_in: str, mint_out: str) -> bool:
        return self.fresh

    def is_known(self, mint_in: str, mint_out: str) -> bool:
        return self.looked_up

    def has_changed(self, mint_in: str, mint_out: str) -> bool:
        return self.hinted

    def hints(self, mint_in: str, mint_out: str) -> int:
        return int(self.hinted)

    def reading(self, mint_in: str, mint_out: str) -> Reading[Liquidity | None]:
        """The stub needs no accounts of a common read."""
        yield from ()
        return None

    def liquidity(self, mint_in: str, mint_out: str) -> Liquidity:
        if self.answer is not None:
            return self.answer()
        return Liquidity(
            tuple(
                OpenPool(
                    self.name,
                    f"{self.name} {number}",
                    self.kind,
                    mint_in,
                    mint_out,
                    self.slot,
                    each,
                    self.units,
                    0,
                    VAULTS,
                )
                for number, each in enumerate(self.sides.get((mint_in, mint_out), ()))
            )
        )

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        raise AssertionError("routing builds nothing")

    def account_size(self, quote: VenueQuote) -> int:
        raise AssertionError("routing builds nothing")

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int, *, small: bool
    ) -> Instruction:
        raise AssertionError("routing builds nothing")


PAIR = (SOL.mint, USDC.mint)
VAULTS = (Pubkey.from_string(SOL.mint), Pubkey.from_string(USDC.mint))


nothing_to_read = partial(read_batch, cast("RpcClient", None))


def offering(name: VenueName, *sides: CpmmSide, fresh: bool = False, slot: int = 7) -> StubVenue:
    return StubVenue(name, {PAIR: sides}, fresh, slot)


def failing(name: VenueName, error: Exception) -> StubVenue:
    def fail() -> Liquidity:
        raise error

    return StubVenue(name, answer=fail)


def router(
    *venues: StubVenue,
    timeout_ms: int = 5_000,
    max_price_impact_bps: int = 500,
    max_total_cost_bps: int = 10_000,
    price: int = 0,
    rent_of_way: int = 0,
    clock: Callable[[], float] = time.monotonic,
    watched: Sequence[tuple[str, str]] = (),
) -> Router:
    return Router(
        venues,
        read=nothing_to_read,
        intermediates=(SOL, USDC),
        timeout_ms=timeout_ms,
        max_price_impact_bps=max_price_impact_bps,
        max_total_cost_bps=max_total_cost_bps,
        guard=PriceGuard(500),
        max_slot_lag=20,
        unit_price=lambda: price,
        threads=2,
        rent_of_way=lambda _: rent_of_way,
        clock=clock,
        watched=watched,
    )


def decide(routes: Router, request: QuoteRequest = REQUEST, fits: Fits = lambda _: True) -> RoutingDecision:
    return routes.route(request, SLIPPAGE_BPS, fits)


@pytest.mark.parametrize("fresh", [True, False], ids=["cached state", "queried in parallel"])
def test_the_pool_that_pays_most_wins_and_all_quotes_are_kept(fresh: bool) -> None:
    decision = decide(
        router(
            offering(VenueName.RAYDIUM, side(0.1016), fresh=fresh),
            offering(VenueName.METEORA, side(0.1017), side(0.1), fresh=fresh),
        )
    )
    assert decision.route.is_single
    assert (decision.route.main.venue, decision.route.main.pool) == (VenueName.METEORA, "meteora 0")
    assert [quote.amount_out // 10**6 for quote in decision.quotes] == [152, 152, 149]
    assert decision.gain_bps == 0


def test_the_mid_price_is_reported_with_the_route() -> None:
    sides = [side(price, fee=2_500) for price in (0.1017, 0.1015)]
    decision = decide(router(offering(VenueName.RAYDIUM, sides[0]), offering(VenueName.METEORA, sides[1])))
    assert decision.mid() == Fraction(1016, 10_000), "the mid is between both pools, before fees"


def test_pools_of_many_orders_are_read_once() -> None:
    routes = router(offering(VenueName.RAYDIUM, side(100.0)), offering(VenueName.METEORA, side(101.0)))
    larger = replace(REQUEST, amount=REQUEST.amount * 2)
    found = routes.pools_for([REQUEST, larger])
    assert next(iter(found)) == (REQUEST.mint_in, REQUEST.mint_out)
    for request in (REQUEST, larger):
        assert routes.route(request, SLIPPAGE_BPS, lambda _: True, found) == decide(routes, request)


def test_recently_requested_pairs_are_read_again_after_a_change() -> None:
    asked, now = list[tuple[str, str]](), [0.0]
    venue = offering(VenueName.RAYDIUM, side(0.1))

    def is_fresh(*pair: str) -> bool:
        asked.append((pair[0], pair[1]))
        return False

    venue.is_fresh = is_fresh  # type: ignore[method-assign,assignment]
    routes = router(venue, clock=lambda: now[0])
    venue.hinted = True
    routes.keep_warm()
    assert asked == [], "an idle daemon must not read pools"
    routes.pools_for([REQUEST])
    for later, hinted, reads in ((1.0, False, False), (59.0, True, True), (61.0, True, False), (62.0, True, False)):
        asked.clear()
        now[0], venue.hinted = later, hinted
        routes.keep_warm()
        assert ((REQUEST.mint_in, REQUEST.mint_out) in asked) == reads


def test_a_watched_pair_is_read_when_it_changes_and_every_five_seconds() -> None:
    now, venue = [100.0], offering(VenueName.RAYDIUM, side(0.1))
    routes = router(venue, clock=lambda: now[0], watched=[PAIR])
    reads = list[float]()

    def liquidity(*_: str) -> Liquidity:
        reads.append(now[0])
        return Liquidity()

    venue.answer = liquidity
    for at, hinted in ((100.0, False), (101.0, False), (102.0, True), (104.0, False), (107.0, False)):
        now[0], venue.hinted = at, hinted
        routes.keep_warm()
    assert reads == [100.0, 102.0, 107.0]


def test_the_last_state_of_a_pair_can_be_inspected() -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1)))
    assert routes.latest_answers() == {}
    routes.pools([PAIR])
    assert [pool.mint_out for pool in routes.latest_answers()[PAIR].pools] == [USDC.mint]


def test_pairs_with_unknown_pools_are_not_read_in_the_batch() -> None:
    venue = offering(VenueName.RAYDIUM, side(0.1))
    routes = router(venue)
    assert routes.has_pools(REQUEST, routes.pools_for([REQUEST]))
    venue.looked_up = False
    found = routes.pools_for([REQUEST])
    assert (found, routes.has_pools(REQUEST, found)) == ({}, False)
    assert decide(routes).route.main.venue is VenueName.RAYDIUM, "a single order looks the pools up"


def test_a_venue_with_unknown_pools_is_queried_in_the_background_until_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: SimpleQueue[str] = SimpleQueue()

    def fail() -> Liquidity:
        asked.put("asked")
        raise OrderdError(ErrorCode.RPC_UNAVAILABLE, "away")

    away, there = StubVenue(VenueName.METEORA, answer=fail, looked_up=False), offering(VenueName.RAYDIUM, side(0.1016))
    routes = router(away, there)
    routes.learn(REQUEST)
    asked.get(timeout=5)
    routes.learn(REQUEST)
    assert asked.empty(), "the venue was queried a moment ago"
    monkeypatch.setattr("orderd.engine.routing.quote_collection._LEARN_SECONDS", 0.0)
    while asked.empty():  # until the previous lookup has ended
        routes.learn(REQUEST)
    away.looked_up = True
    routes.learn(REQUEST)
    assert routes.has_pools(REQUEST, routes.pools_for([REQUEST]))


@pytest.mark.parametrize("hangs", [False, True])
def test_a_venue_that_never_lists_its_pools_does_not_block_resting_orders(
    monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    asked, ended = SimpleQueue[str](), threading.Event()

    def fail() -> Liquidity:
        asked.put("asked")
        if hangs:
            ended.wait(30)
        raise OrderdError(ErrorCode.RPC_UNAVAILABLE, "away")

    away, there = StubVenue(VenueName.METEORA, answer=fail, looked_up=False), offering(VenueName.RAYDIUM, side(0.1016))
    routes = router(away, there)
    routes.learn(REQUEST)
    asked.get(timeout=5)
    assert routes.pools_for([REQUEST]) == {}, "the venue is waited for at first"
    monkeypatch.setattr("orderd.engine.routing.quote_collection._AWAITED_SECONDS", 0.0)
    found = routes.pools_for([REQUEST])
    assert routes.has_pools(REQUEST, found)
    decision = routes.route(REQUEST, SLIPPAGE_BPS, lambda _: True, found)
    assert decision.route.main.venue is VenueName.RAYDIUM
    (refusal,) = decision.refusals
    assert (refusal.venue, refusal.code in UNANSWERED) == (VenueName.METEORA, True)
    monkeypatch.setattr("orderd.engine.routing.quote_collection._LEARN_SECONDS", 0.0)
    while not hangs and asked.empty():  # the venue is still queried in the background
        routes.pools_for([REQUEST])
    ended.set()


def test_an_order_that_moves_the_price_is_split_over_both_venues() -> None:
    depth = 10**12
    venues = [offering(name, side(0.1, depth)) for name in VenueName]
    decision = decide(router(*venues), replace(REQUEST, amount=10**10))
    assert {leg.venue for leg in decision.route.legs} == set(VenueName)
    assert decision.route.amount_in == 10**10
    single = max(quote.amount_out for quote in decision.quotes)
    assert decision.route.amount_out > single
    # Half of the order has half the impact: 1 % of depth costs 1 % alone, two halves 0.5 %.
    assert decision.gain_bps is not None
    assert 49 < decision.gain_bps < 50


def test_a_leg_that_costs_more_than_it_gains_is_not_used() -> None:
    depth = 10**15
    venues = [offering(name, side(0.1, depth)) for name in VenueName]
    assert len(decide(router(*venues)).route.legs) == 2
    dear = decide(router(*venues, price=10**9))  # 70,000 units at 1,000 lamports: 0.07 SOL per leg
    assert len(dear.route.legs) == 1


@pytest.mark.parametrize(("largest", "legs"), [(3, 3), (2, 2), (1, 1)])
def test_a_route_that_does_not_fit_gets_fewer_legs(largest: int, legs: int) -> None:
    venue = offering(VenueName.RAYDIUM, *[side(0.1, 10**12)] * 4)
    decision = decide(router(venue), replace(REQUEST, amount=10**10), lambda route: len(route.legs) <= largest)
    assert len(decision.route.legs) == legs


@pytest.mark.parametrize(("fee", "refused"), [(99_000, False), (101_000, True), (990_000, True)])
def test_fees_and_impact_together_are_limited(fee: int, refused: bool) -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1, fee=fee)), max_total_cost_bps=1_000)
    if not refused:
        assert decide(routes).route.is_single
        return
    with pytest.raises(OrderdError) as caught:
        decide(routes)
    assert caught.value.code is ErrorCode.ROUTE_TOTAL_COST
    assert f"costs {fee // 100}" in caught.value.detail


def test_a_pool_that_costs_too_much_does_not_block_others() -> None:
    dear, fair = side(11.0, fee=990_000), side(0.1)
    routes = router(offering(VenueName.RAYDIUM, dear, fair), max_total_cost_bps=1_000)
    assert [leg.pool for leg in decide(routes).route.legs] == ["raydium 1"]


def test_the_costs_of_two_hops_are_added() -> None:
    pools = {(USDC.mint, SOL.mint): [side(10, fee=60_000)], (SOL.mint, CHILLGUY.mint): [side(0.5, fee=60_000)]}
    venue = StubVenue(VenueName.METEORA, pools)
    assert len(decide(router(venue, max_total_cost_bps=1_200), BUY_CHILLGUY).route.hops) == 2
    with pytest.raises(OrderdError) as caught:
        decide(router(venue, max_total_cost_bps=1_000), BUY_CHILLGUY)
    assert caught.value.code is ErrorCode.ROUTE_TOTAL_COST


@pytest.mark.parametrize(("rent", "hops"), [(0, 2), (2_039_280, 1)])
def test_a_two_hop_route_must_gain_more_than_the_rent_of_its_account(rent: int, hops: int) -> None:
    """20 USDC buy slightly more through SOL: less than the rent of an account at 0.5 CHILLGUY per lamport."""
    direct = {(USDC.mint, CHILLGUY.mint): [side(4.985)]}
    routes = router(StubVenue(VenueName.METEORA, THROUGH_SOL | direct), rent_of_way=rent)
    assert len(decide(routes, replace(BUY_CHILLGUY, amount=2 * 10**7)).route.hops) == hops


THROUGH_SOL = {(USDC.mint, SOL.mint): [side(10, 10**15)], (SOL.mint, CHILLGUY.mint): [side(0.5)]}
BUY_CHILLGUY = QuoteRequest(USDC.mint, CHILLGUY.mint, 10**8)


def test_a_pair_without_a_pool_is_traded_through_another_token() -> None:
    decision = decide(router(StubVenue(VenueName.METEORA, THROUGH_SOL)), BUY_CHILLGUY)
    first, second = decision.route.hops
    assert decision.through == SOL
    assert (first.amount_in, first.mint_out, second.mint_out) == (10**8, SOL.mint, CHILLGUY.mint)
    # The second hop spends only the minimum of the first hop, which has half of the slippage.
    assert second.amount_in == -(-first.amount_out * 9_975 // 10_000)
    assert decision.quotes == ()
    assert decision.gain_bps is None
    assert decision.mid() == 5, "the mid of both pairs"


@pytest.mark.parametrize(("price", "hops"), [(4.9, 2), (5.1, 1)])
def test_two_hops_are_used_if_they_pay_more_than_the_direct_pair(price: float, hops: int) -> None:
    direct = {(USDC.mint, CHILLGUY.mint): [side(price)]}
    decision = decide(router(StubVenue(VenueName.METEORA, THROUGH_SOL | direct)), BUY_CHILLGUY)
    assert len(decision.route.hops) == hops
    assert len(decision.quotes) == 1


def test_one_of_two_hops_may_be_split() -> None:
    shallow = {(USDC.mint, SOL.mint): [side(10, 10**11)] * 2, (SOL.mint, CHILLGUY.mint): [side(0.5)]}
    decision = decide(router(StubVenue(VenueName.METEORA, shallow)), replace(BUY_CHILLGUY, amount=10**9))
    assert [len(hop.legs) for hop in decision.route.hops] == [2, 1]


def test_both_hops_share_the_compute_units() -> None:
    shallow = {(USDC.mint, SOL.mint): [side(10, 10**11)] * 2, (SOL.mint, CHILLGUY.mint): [side(0.5)]}
    decision = decide(router(StubVenue(VenueName.METEORA, shallow, units=500_000)), replace(BUY_CHILLGUY, amount=10**9))
    assert [len(hop.legs) for hop in decision.route.hops] == [1, 1]
    assert decision.route.compute_units <= UNITS_OF_SWAPS


def test_two_pools_that_do_not_fit_together_are_replaced() -> None:
    pools = {(USDC.mint, SOL.mint): [side(10), side(9.9)], (SOL.mint, CHILLGUY.mint): [side(0.5), side(0.49)]}
    best = {("meteora 0", "meteora 0"), ("meteora 1", "meteora 0")}

    def fits(route: Route) -> bool:
        return len(route.legs) == 2 and tuple(leg.pool for leg in route.legs) not in best

    decision = decide(router(StubVenue(VenueName.METEORA, pools)), BUY_CHILLGUY, fits)
    assert [leg.pool for leg in decision.route.legs] == ["meteora 0", "meteora 1"]


def test_an_order_is_refused_if_no_route_fits() -> None:
    with pytest.raises(OrderdError) as caught:
        decide(router(StubVenue(VenueName.METEORA, THROUGH_SOL)), BUY_CHILLGUY, lambda _: False)
    assert caught.value.code is ErrorCode.TX_TOO_LARGE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OrderdError(ErrorCode.RPC_UNAVAILABLE, "refused"), ErrorCode.RPC_UNAVAILABLE),
        (OrderdError(ErrorCode.POOL_CLOSED, "closed"), ErrorCode.POOL_CLOSED),
        (ZeroDivisionError("a bug"), ErrorCode.SERVICE_INTERNAL),
    ],
)
def test_an_order_trades_at_one_venue_while_the_other_is_unavailable(error: Exception, code: ErrorCode) -> None:
    decision = decide(router(failing(VenueName.RAYDIUM, error), offering(VenueName.METEORA, side(0.1))))
    assert decision.route.main.venue is VenueName.METEORA
    assert [(refusal.venue, refusal.code) for refusal in decision.refusals] == [(VenueName.RAYDIUM, code)]


def test_venue_requests_are_timed_and_errors_counted() -> None:
    counted = Counted()
    down, up = failing(VenueName.RAYDIUM, ZeroDivisionError("a bug")), offering(VenueName.METEORA, side(0.1))
    decide(router(down, up))
    errors = {"venue": "raydium", "kind": down.kind, "code": ErrorCode.SERVICE_INTERNAL}
    assert counted("orderd_venue_errors_total", **errors) == 1
    for venue in (down, up):
        assert counted("orderd_venue_answer_seconds_count", venue=venue.name, kind=venue.kind) == 1


@pytest.fixture
def stuck() -> Iterator[StubVenue]:
    """A venue that answers only after the test."""
    over = threading.Event()

    def wait() -> Liquidity:
        over.wait()
        return Liquidity()

    yield StubVenue(VenueName.RAYDIUM, answer=wait)
    over.set()


def test_a_late_venue_is_left_out(stuck: StubVenue) -> None:
    counted, kind = Counted(), stuck.kind
    decision = decide(router(stuck, offering(VenueName.METEORA, side(0.1)), timeout_ms=50))
    assert decision.route.main.venue is VenueName.METEORA
    assert [refusal.code for refusal in decision.refusals] == [ErrorCode.SERVICE_TIMEOUT]
    late = {"venue": "raydium", "kind": kind, "code": ErrorCode.SERVICE_TIMEOUT}
    assert counted("orderd_venue_errors_total", **late) == 1


@pytest.mark.parametrize(("slot", "stale"), [(80, False), (79, True)])
def test_a_venue_whose_state_is_too_old_is_left_out(slot: int, stale: bool) -> None:
    old = offering(VenueName.RAYDIUM, side(0.2), slot=slot)
    routes = router(old, offering(VenueName.METEORA, side(0.1), slot=100))
    decision = decide(routes, replace(REQUEST, has_own_floor=True))
    assert decision.route.main.venue is (VenueName.METEORA if stale else VenueName.RAYDIUM)
    assert [refusal.code for refusal in decision.refusals] == [ErrorCode.ROUTE_STALE] * stale


def test_all_pools_of_a_lagging_node_are_too_old() -> None:
    venue = offering(VenueName.RAYDIUM, side(0.1), slot=100)
    routes = router(venue)
    decide(routes)
    venue.slot = 79
    with pytest.raises(OrderdError, match="is of slot 79, the newest seen is 100") as caught:
        decide(routes)
    assert caught.value.code is ErrorCode.ROUTE_VENUES_UNAVAILABLE
    venue.slot = 101
    assert decide(routes).route.slot == 101


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((ErrorCode.RPC_UNAVAILABLE, ErrorCode.RPC_RATE_LIMITED), ErrorCode.ROUTE_VENUES_UNAVAILABLE),
        ((ErrorCode.ROUTE_NOT_FOUND, ErrorCode.RPC_UNAVAILABLE), ErrorCode.ROUTE_VENUES_UNAVAILABLE),
        ((ErrorCode.ROUTE_NOT_FOUND, ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY), ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY),
        ((ErrorCode.ROUTE_NOT_FOUND, ErrorCode.ROUTE_NOT_FOUND), ErrorCode.ROUTE_NOT_FOUND),
        ((ErrorCode.RPC_WRONG_CHAIN, ErrorCode.RPC_UNAVAILABLE), ErrorCode.RPC_WRONG_CHAIN),
    ],
)
def test_the_most_informative_reason_is_given_without_a_quote(
    codes: tuple[ErrorCode, ErrorCode], expected: ErrorCode
) -> None:
    venues = [failing(name, OrderdError(code, "why")) for name, code in zip(VenueName, codes, strict=True)]
    with pytest.raises(OrderdError, match="raydium: why; meteora: why") as caught:
        decide(router(*venues))
    assert caught.value.code is expected
    assert isinstance(caught.value, OutageError), "no other order of the pair gets an offer"


def test_pools_that_refuse_the_amount_give_the_reason() -> None:
    with pytest.raises(OrderdError, match="raydium: pool raydium 0: zero_output") as caught:
        decide(router(offering(VenueName.RAYDIUM, side(0.1))), replace(REQUEST, amount=1))
    assert caught.value.code is ErrorCode.ROUTE_AMOUNT_TOO_SMALL


def test_a_route_above_the_maximum_price_impact_is_refused() -> None:
    venue = offering(VenueName.RAYDIUM, side(0.1, 10**11))
    with pytest.raises(OrderdError, match=r"by 909\.10 basis points, the limit is 500") as caught:
        decide(router(venue), replace(REQUEST, amount=10**10))
    assert caught.value.code is ErrorCode.ROUTE_PRICE_IMPACT


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (OrderdError(ErrorCode.RPC_UNAVAILABLE, "refused"), ErrorCode.ROUTE_VENUES_UNAVAILABLE),
        (OrderdError(ErrorCode.POOL_CLOSED, "closed"), ErrorCode.ROUTE_PRICE_IMPACT),
        (ZeroDivisionError("a bug"), ErrorCode.ROUTE_PRICE_IMPACT),
    ],
)
def test_an_order_is_not_refused_if_an_unavailable_venue_might_fill_it(trouble: Exception, expected: ErrorCode) -> None:
    shallow = offering(VenueName.RAYDIUM, side(0.1, 10**11))
    with pytest.raises(OrderdError, match=r"by 909\.10 basis points") as caught:
        decide(router(shallow, failing(VenueName.METEORA, trouble)), replace(REQUEST, amount=10**10))
    assert caught.value.code is expected


@pytest.mark.parametrize("amount", [1, 10**10])
def test_an_unavailable_venue_that_only_some_orders_need_is_no_outage(amount: int) -> None:
    """One amount is too small for the pool that is left, the other too large; others have a route over it."""
    away = failing(VenueName.METEORA, OrderdError(ErrorCode.RPC_UNAVAILABLE, "refused"))
    routes = router(offering(VenueName.RAYDIUM, side(0.1, 10**11)), away)
    with pytest.raises(OrderdError) as caught:
        decide(routes, replace(REQUEST, amount=amount))
    assert caught.value.code is ErrorCode.ROUTE_VENUES_UNAVAILABLE
    assert not isinstance(caught.value, OutageError)
    assert decide(routes, replace(REQUEST, amount=10**6)).route.main.venue is VenueName.RAYDIUM


def test_the_best_route_within_the_maximum_price_impact_is_chosen() -> None:
    """The shallow pool gets the part that keeps the whole order within the limit."""
    dear_and_shallow, cheap_and_deep = side(0.2, 10**10), side(0.1, DEEP)
    amount = replace(REQUEST, amount=10**10)
    routes = router(offering(VenueName.RAYDIUM, dear_and_shallow, cheap_and_deep))
    decision = decide(routes, amount)
    assert [leg.pool for leg in decision.route.legs] == ["raydium 1", "raydium 0"]
    assert Decimal(499) < decision.route.price_impact_bps <= 500
    assert len(decision.quotes) == 2
    assert decision.gain_bps is not None
    assert decision.gain_bps > 0, "the gain is relative to the best allowed pool"
    unlimited = decide(
        router(offering(VenueName.RAYDIUM, dear_and_shallow, cheap_and_deep), max_price_impact_bps=9_000), amount
    )
    assert len(unlimited.route.legs) == 2
    assert unlimited.route.amount_out > decision.route.amount_out


def test_a_refusal_for_price_impact_names_the_amount_that_can_be_sold() -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1, 10**11)))
    with pytest.raises(OrderdError) as caught:
        decide(routes, replace(REQUEST, amount=10**10, token=SOL))
    amount = re.search(r"; ([\d.]+) SOL can be sold$", caught.value.detail)
    assert amount is not None
    most = parse_amount(amount[1], SOL.decimals)
    assert 499 < decide(routes, replace(REQUEST, amount=most)).route.price_impact_bps <= 500


def test_a_single_pool_must_fit_too() -> None:
    venue = offering(VenueName.RAYDIUM, side(0.1), side(0.09))
    decision = decide(router(venue), fits=lambda route: [leg.pool for leg in route.legs] == ["raydium 1"])
    assert [leg.pool for leg in decision.route.legs] == ["raydium 1"]
    with pytest.raises(OrderdError) as caught:
        decide(router(venue), fits=lambda _: False)
    assert caught.value.code is ErrorCode.TX_TOO_LARGE


def test_an_order_is_refused_if_a_part_of_it_would_receive_more() -> None:
    """Two shallow pools cannot be combined with the third, which pays little, because two legs are the maximum."""
    room = U64_MAX - 10**12
    good = [CpmmSide(CpmmPool(0, 0, 0, 0, room, room // 10, 0, 0, 0, 0, 0, 0, 0, False), True) for _ in range(2)]
    routes = router(offering(VenueName.RAYDIUM, *good, side(0.01)), max_price_impact_bps=10_000)

    def fits(route: Route) -> bool:
        return len(route.legs) < 3

    assert len(decide(routes, replace(REQUEST, amount=19 * 10**11), fits).route.legs) == 2
    with pytest.raises(OrderdError, match="base units can be sold") as caught:
        decide(routes, replace(REQUEST, amount=21 * 10**11), fits)
    assert caught.value.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY


@pytest.mark.parametrize("exact_out", [False, True])
def test_a_nearly_empty_pool_with_an_extreme_price_does_not_block_others(exact_out: bool) -> None:
    """Two pools can fill the order within the limit. Two nearly empty pools pay 100,000 times as much for small
    amounts, so that a part of the order would receive more than the whole."""
    deep = side(0.14985, 10_074_411_229_949), side(0.14983, 15_203_921_127_606)
    odd = side(451.13, 354_780_354), side(42_177.8, 14_066_808)
    amount = 108_153_739_985
    request = replace(REQUEST, amount=amount * 149 // 1_000 if exact_out else amount, exact_out=exact_out)
    without = decide(router(offering(VenueName.RAYDIUM, *deep), max_price_impact_bps=100), request).route
    route = decide(router(offering(VenueName.RAYDIUM, *deep, *odd), max_price_impact_bps=100), request).route
    assert (route.amount_out, -route.amount_in) >= (without.amount_out, -without.amount_in)


def test_an_unavailable_pool_counts_as_missing_only_for_orders_it_could_have_filled() -> None:
    tiny, deep = side(0.2, 10**8), side(0.1)
    venue = offering(VenueName.RAYDIUM, deep, tiny)
    routes, small = router(venue), replace(REQUEST, amount=10**6)
    assert decide(routes, small).route.main.pool == "raydium 1"
    venue.sides = {PAIR: [deep]}
    assert decide(routes).route.main.pool == "raydium 0"
    with pytest.raises(OrderdError) as caught:
        decide(routes, small)
    assert caught.value.code is ErrorCode.ROUTE_PRICE_DEVIATION


def test_the_price_of_sol_ignores_nearly_empty_pools() -> None:
    """Otherwise a further leg would seem 100,000 times too expensive, and the order would not be split."""
    deep = side(0.1, 10**12), side(0.1, 10**12)
    venue = offering(VenueName.RAYDIUM, *deep, side(10**4, 10**5))
    assert len(decide(router(venue, price=10**6), replace(REQUEST, amount=10**10)).route.legs) >= 2


def test_no_order_goes_to_a_much_worse_pool_while_the_best_one_is_unavailable() -> None:
    deep, junk = offering(VenueName.RAYDIUM, side(0.1)), offering(VenueName.METEORA, side(0.05))
    routes = router(deep, junk)
    decide(routes)
    deep.answer = Liquidity
    with pytest.raises(
        OrderdError, match="pays 4999 basis points less than the last one did, the limit is 500"
    ) as caught:
        decide(routes)
    assert caught.value.code is ErrorCode.ROUTE_PRICE_DEVIATION
    deep.answer = None
    assert decide(routes).route.main.venue is VenueName.RAYDIUM


TERMS = OrderTerms(SOL, USDC, REQUEST.amount, slippage_bps=50)


def test_a_quote_is_reported_in_whole_tokens() -> None:
    offer = offer_of(TERMS, RoutingDecision(Route.single(QUOTE), (QUOTE,), ()))
    chosen = offer.chosen
    assert (chosen.amount_out, chosen.price, chosen.fee, chosen.fee_token) == ("152.4", "101.6", "0.00375", "SOL")
    assert offer.min_amount_out == 151_638_000
    assert [(leg.hop, leg.share, leg.amount_out) for leg in offer.route] == [(1, "100", "152.4")]
    assert offer.gain_bps == "0.00"


def test_a_two_hop_quote_names_the_token_between_its_hops() -> None:
    terms = OrderTerms(USDC, CHILLGUY, 3 * 10**8, slippage_bps=50)
    hops = (
        Hop(
            (
                replace(QUOTE, mint_in=USDC.mint, mint_out=SOL.mint, amount_in=2 * 10**8, amount_out=2 * 10**9),
                replace(QUOTE, mint_in=USDC.mint, mint_out=SOL.mint, amount_in=10**8, amount_out=10**9),
            )
        ),
        Hop((replace(QUOTE, mint_in=SOL.mint, mint_out=CHILLGUY.mint, amount_in=29 * 10**8, amount_out=10**10),)),
    )
    offer = offer_of(terms, RoutingDecision(Route(hops), (), (), SOL))
    assert [(leg.hop, leg.token_in, leg.token_out, leg.share, leg.amount_in) for leg in offer.route] == [
        (1, "USDC", "SOL", "66.67", "200"),
        (1, "USDC", "SOL", "33.33", "100"),
        (2, "SOL", "CHILLGUY", "100", "2.9"),
    ]
    assert (offer.chosen.amount_out, offer.chosen.fee_token, offer.gain_bps) == ("10000", "USDC", None)


def test_a_quote_of_zero_after_slippage_is_refused() -> None:
    with pytest.raises(OrderdError) as caught:
        offer_of(replace(TERMS, slippage_bps=10_000), RoutingDecision(Route.single(QUOTE), (QUOTE,), ()))
    assert caught.value.code is ErrorCode.ROUTE_AMOUNT_TOO_SMALL
