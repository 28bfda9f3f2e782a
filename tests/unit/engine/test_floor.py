"""The minimum output of an order: where it comes from, and the error if the best route pays less."""

import re
from dataclasses import replace

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import Floor, OrderKind
from orderd.domain.pool_kind import VenueName
from orderd.domain.quote import Route, VenueRefusal
from orderd.domain.terms import OrderTerms
from orderd.engine.routing.floor import check_floor, floor_of, request_of
from tests.unit.engine.test_routing import QUOTE, TERMS

ROUTE = Route.single(QUOTE)
OF_THE_QUOTE = 151_638_000


@pytest.mark.parametrize(
    ("floor", "own", "agreed", "least"),
    [
        (Floor.FIRST, None, None, OF_THE_QUOTE),
        (Floor.FIRST, None, 7, 7),
        (Floor.FIRST, OF_THE_QUOTE + 1, None, OF_THE_QUOTE + 1),
        (Floor.FIRST, OF_THE_QUOTE - 1, None, OF_THE_QUOTE),
        (Floor.EACH, None, 7, OF_THE_QUOTE),
        (Floor.EACH, OF_THE_QUOTE + 1, 7, OF_THE_QUOTE + 1),
    ],
)
def test_the_minimum_follows_the_first_or_each_quote_and_the_orders_own_minimum(
    floor: Floor, own: int | None, agreed: int | None, least: int
) -> None:
    assert floor_of(replace(TERMS, floor=floor, min_out=own), ROUTE, agreed) == least


def test_a_route_that_pays_exactly_the_minimum_is_accepted() -> None:
    check_floor(TERMS, ROUTE, QUOTE.amount_out)


def test_a_route_that_pays_less_is_refused_with_the_reason() -> None:
    with pytest.raises(OrderdError) as caught:
        check_floor(TERMS, ROUTE, QUOTE.amount_out + 1)
    assert (caught.value.code, caught.value.retryable) == (ErrorCode.ROUTE_BELOW_FLOOR, True)
    assert "pays 152.4 USDC, and the order accepts no less than 152.400001 USDC" in caught.value.detail


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (ErrorCode.RPC_UNAVAILABLE, ErrorCode.ROUTE_VENUES_UNAVAILABLE),
        (ErrorCode.POOL_CLOSED, ErrorCode.ROUTE_BELOW_FLOOR),
    ],
)
def test_an_order_waits_if_an_unavailable_venue_might_pay_its_minimum(code: ErrorCode, expected: ErrorCode) -> None:
    refusals = (VenueRefusal(VenueName.METEORA, code, "why"),)
    with pytest.raises(OrderdError, match=r"the best route pays 152\.4 USDC") as caught:
        check_floor(TERMS, ROUTE, QUOTE.amount_out + 1, refusals)
    assert caught.value.code is expected


def test_quotes_are_requested_within_the_orders_own_limits() -> None:
    own = request_of(replace(TERMS, min_out=1, max_cost_bps=70))
    assert (own.max_cost_bps, own.has_own_floor) == (70, True)
    any_order = request_of(TERMS)
    assert (any_order.max_cost_bps, any_order.has_own_floor) == (10_000, False)
    assert (any_order.mint_in, any_order.mint_out, any_order.amount) == (
        TERMS.token_in.mint,
        TERMS.token_out.mint,
        TERMS.amount_in,
    )


AT_105 = 157_500_000
"""The output of 1.5 SOL at this price."""
LIMIT = replace(TERMS, kind=OrderKind.LIMIT, limit_price="105")


@pytest.mark.parametrize("agreed", [None, 7, AT_105 + 7])
@pytest.mark.parametrize("floor", Floor)
def test_a_limit_price_is_the_minimum_whatever_the_quote(floor: Floor, agreed: int | None) -> None:
    assert floor_of(replace(LIMIT, floor=floor), ROUTE, agreed) == AT_105


@pytest.mark.parametrize(("own", "least"), [(AT_105 - 1, AT_105), (AT_105 + 1, AT_105 + 1)])
def test_the_higher_of_limit_price_and_own_minimum_applies(own: int, least: int) -> None:
    assert floor_of(replace(LIMIT, min_out=own), ROUTE) == least


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (replace(TERMS, min_out=AT_105), "its own min_out"),
        (LIMIT, "its limit, 105 USDC per SOL = at least 157.5 USDC"),
        (TERMS, "the floor of its first route, which holds in all attempts"),
    ],
)
def test_the_origin_of_the_minimum_is_reported(terms: OrderTerms, why: str) -> None:
    with pytest.raises(OrderdError, match=re.escape(why)):
        check_floor(terms, ROUTE, AT_105)


def test_a_fired_stop_is_sold_within_its_own_limits() -> None:
    request = request_of(replace(TERMS, kind=OrderKind.STOP, stop_price="95", max_slippage_bps=700))
    assert (request.exit_bps, request.max_deviation_bps, request.has_own_floor) == (700, 700, False)
    assert (request_of(LIMIT).exit_bps, request_of(LIMIT).has_own_floor) == (None, True)
