"""A known pool that does not answer may be the market: without an earlier price no order trades in the other pools."""

from dataclasses import replace

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import VenueName
from orderd.engine.routing.router import Router
from orderd.venues.base import Liquidity
from tests.unit.engine.test_routing import (
    BUY_CHILLGUY,
    CHILLGUY,
    PAIR,
    REQUEST,
    SOL,
    USDC,
    StubVenue,
    decide,
    failing,
    offering,
    router,
    side,
)

AWAY = OrderdError(ErrorCode.RPC_UNAVAILABLE, "refused")
JUNK = offering(VenueName.METEORA, side(0.05))


def away(*remembered: str) -> StubVenue:
    """A venue that does not answer, and the pools that it knew of the pair."""
    return replace(failing(VenueName.RAYDIUM, AWAY), remembered=frozenset(remembered))


def refused(routes: Router) -> OrderdError:
    with pytest.raises(OrderdError) as caught:
        decide(routes)
    return caught.value


@pytest.mark.parametrize(
    ("error", "code"), [(AWAY, AWAY.code), (ZeroDivisionError("a bug"), ErrorCode.SERVICE_INTERNAL)]
)
def test_an_order_waits_while_a_known_pool_is_silent(error: Exception, code: ErrorCode) -> None:
    routes = router(replace(failing(VenueName.RAYDIUM, error), remembered=frozenset({"deep"})), JUNK)
    assert refused(routes).code is ErrorCode.ROUTE_PRICE_UNKNOWN
    assert refused(routes).is_awaited
    assert "of the pair's pools deep did not answer" in refused(routes).detail
    own = decide(routes, replace(REQUEST, has_own_floor=True))
    assert own.route.main.venue is VenueName.METEORA
    assert [refusal.code for refusal in own.refusals] == [code]
    assert refused(routes).code is ErrorCode.ROUTE_PRICE_UNKNOWN, "an order with its own minimum must not set a price"


def test_a_pool_with_an_old_state_is_silent() -> None:
    behind = offering(VenueName.RAYDIUM, side(0.1), slot=79)
    routes = router(behind, offering(VenueName.METEORA, side(0.05), slot=100))
    assert "raydium 0 did not answer" in refused(routes).detail
    behind.slot = 100
    assert decide(routes).route.main.venue is VenueName.RAYDIUM


def test_a_venue_without_known_pools_delays_no_order() -> None:
    assert decide(router(away(), JUNK)).route.main.venue is VenueName.METEORA


def test_a_configured_pool_that_another_venue_answers_for_is_not_silent() -> None:
    other = offering(VenueName.METEORA, side(0.05))
    answer = other.liquidity(*PAIR)
    other.answer = lambda: replace(answer, listed=frozenset({"meteora 0", "closed"}))
    assert decide(router(away("meteora 0", "closed"), other)).route.main.pool == "meteora 0"
    assert "raydium 0 did not answer" in refused(router(away("meteora 0", "raydium 0"), other)).detail


@pytest.mark.parametrize("code", [ErrorCode.POOL_CLOSED, ErrorCode.POOL_UNSUPPORTED])
def test_a_pool_that_is_closed_or_unsupported_has_answered(code: ErrorCode) -> None:
    closed = Liquidity((), (OrderdError(code, "pool raydium 0 is switched off"),), frozenset({"raydium 0"}))
    venue = StubVenue(VenueName.RAYDIUM, answer=lambda: closed, remembered=frozenset({"raydium 0"}))
    assert decide(router(venue, JUNK)).route.main.venue is VenueName.METEORA


def test_a_pool_that_cools_down_has_answered() -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1)), JUNK)
    routes.refused("raydium 0", "its program refused with PoolDisabled")
    assert decide(routes).route.main.venue is VenueName.METEORA


def test_a_pool_with_an_empty_side_has_answered() -> None:
    decision = decide(router(offering(VenueName.RAYDIUM, side(0.0)), JUNK))
    assert [quote.venue for quote in decision.quotes] == [VenueName.METEORA]


def test_a_silent_pool_of_a_hop_counts_only_for_routes_through_it() -> None:
    pools = {(USDC.mint, SOL.mint): [side(10)], (SOL.mint, CHILLGUY.mint): [side(0.5)]}
    through, silent = StubVenue(VenueName.METEORA, pools), away("deep")
    with pytest.raises(OrderdError) as caught:
        decide(router(silent, through), BUY_CHILLGUY)
    assert caught.value.code is ErrorCode.ROUTE_PRICE_UNKNOWN


@pytest.mark.parametrize(("own", "dear"), [(99, True), (101, False), (5_000, False)])
def test_an_order_may_lower_its_maximum_cost(own: int, dear: bool) -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1, fee=9_999)), max_total_cost_bps=1_000)
    request = replace(REQUEST, max_cost_bps=own)
    if not dear:
        assert decide(routes, request).route.is_single
        return
    with pytest.raises(OrderdError, match=f"the limit is {own}") as caught:
        decide(routes, request)
    assert caught.value.code is ErrorCode.ROUTE_TOTAL_COST


def test_an_order_cannot_raise_its_maximum_cost_above_the_daemons() -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1, fee=200_000)), max_total_cost_bps=1_000)
    with pytest.raises(OrderdError, match="the limit is 1000"):
        decide(routes, replace(REQUEST, max_cost_bps=5_000))
