"""A pool that is known and does not answer may be the market: without an earlier price nobody sells to the others."""

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
    """A venue that does not answer, and what it knew of the pair."""
    return replace(failing(VenueName.RAYDIUM, AWAY), remembered=frozenset(remembered))


def refused(routes: Router) -> OrderdError:
    with pytest.raises(OrderdError) as caught:
        decide(routes)
    return caught.value


@pytest.mark.parametrize(
    ("error", "code"), [(AWAY, AWAY.code), (ZeroDivisionError("a bug"), ErrorCode.SERVICE_INTERNAL)]
)
def test_where_a_known_pool_is_silent_an_order_waits(error: Exception, code: ErrorCode) -> None:
    routes = router(replace(failing(VenueName.RAYDIUM, error), remembered=frozenset({"deep"})), JUNK)
    assert refused(routes).code is ErrorCode.ROUTE_PRICE_UNKNOWN
    assert refused(routes).is_awaited
    assert "of the pair's pools deep did not answer" in refused(routes).detail
    own = decide(routes, replace(REQUEST, has_own_floor=True))
    assert own.route.main.venue is VenueName.METEORA
    assert [refusal.code for refusal in own.refusals] == [code]
    assert refused(routes).code is ErrorCode.ROUTE_PRICE_UNKNOWN, "what that one was paid is no price for others"


def test_a_pool_whose_state_is_too_old_is_silent() -> None:
    behind = offering(VenueName.RAYDIUM, side(0.1), slot=79)
    routes = router(behind, offering(VenueName.METEORA, side(0.05), slot=100))
    assert "raydium 0 did not answer" in refused(routes).detail
    behind.slot = 100
    assert decide(routes).route.main.venue is VenueName.RAYDIUM


def test_a_venue_of_which_no_pool_is_known_keeps_no_order_waiting() -> None:
    assert decide(router(away(), JUNK)).route.main.venue is VenueName.METEORA


def test_an_address_in_the_configuration_that_another_venue_answers_for_is_not_silent() -> None:
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


def test_a_pool_that_holds_nothing_on_one_side_has_answered() -> None:
    decision = decide(router(offering(VenueName.RAYDIUM, side(0.0)), JUNK))
    assert [quote.venue for quote in decision.quotes] == [VenueName.METEORA]


def test_a_pool_on_the_way_by_another_token_counts_where_the_order_goes_that_way() -> None:
    pools = {(USDC.mint, SOL.mint): [side(10)], (SOL.mint, CHILLGUY.mint): [side(0.5)]}
    through, silent = StubVenue(VenueName.METEORA, pools), away("deep")
    with pytest.raises(OrderdError) as caught:
        decide(router(silent, through), BUY_CHILLGUY)
    assert caught.value.code is ErrorCode.ROUTE_PRICE_UNKNOWN


@pytest.mark.parametrize(("own", "dear"), [(99, True), (101, False), (5_000, False)])
def test_an_order_may_have_a_lower_limit_of_costs_than_others(own: int, dear: bool) -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1, fee=9_999)), max_total_cost_bps=1_000)
    request = replace(REQUEST, max_cost_bps=own)
    if not dear:
        assert decide(routes, request).route.is_single
        return
    with pytest.raises(OrderdError, match=f"the limit is {own}") as caught:
        decide(routes, request)
    assert caught.value.code is ErrorCode.ROUTE_TOTAL_COST


def test_no_order_has_a_higher_limit_of_costs_than_the_daemon() -> None:
    routes = router(offering(VenueName.RAYDIUM, side(0.1, fee=200_000)), max_total_cost_bps=1_000)
    with pytest.raises(OrderdError, match="the limit is 1000"):
        decide(routes, replace(REQUEST, max_cost_bps=5_000))
