"""The kind of an order follows from its prices; each kind has defaults, and contradictory terms are refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.exits import exit_of, stop_of, take_profit_of
from orderd.domain.order import Floor, OrderKind, TimeInForce
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_checking import check_prices
from orderd.domain.terms_formatting import format_terms, price_reads
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.trigger import Bound
from orderd.domain.well_known import registry_of

PRICES: dict[OrderKind, dict[str, str]] = {
    OrderKind.MARKET: {},
    OrderKind.LIMIT: {"limit_price": "105"},
    OrderKind.STOP: {"stop_price": "95"},
    OrderKind.STOP_LIMIT: {"stop_price": "95", "limit_price": "94"},
    OrderKind.TAKE_PROFIT: {"take_profit_price": "120"},
    OrderKind.TRAILING: {"trail": "3%"},
    OrderKind.ON_LIQUIDITY: {"limit_price": "105", "min_liquidity": "5000"},
}
ALL = pytest.mark.parametrize("kind", PRICES)
EXECUTED_BY_OTHERS = {OrderKind.OCO, OrderKind.TWAP}


def given(**terms: Any) -> GivenTerms:
    return GivenTerms(token_in="SOL", token_out="USDC", amount_in="1.5", **terms)


def meant(**terms: Any) -> OrderTerms:
    return understood(given(**terms), registry_of("simnet"), "0.5")


def refusal(**terms: Any) -> OrderdError:
    with pytest.raises(OrderdError) as refused:
        check_prices(given(**terms))
    return refused.value


def test_every_kind_is_covered() -> None:
    assert PRICES.keys() == set(OrderKind) - EXECUTED_BY_OTHERS


@ALL
def test_the_kind_follows_from_the_prices_whether_named_or_not(kind: OrderKind) -> None:
    assert meant(**PRICES[kind]).kind is kind
    assert meant(**PRICES[kind], type=kind).kind is kind


@pytest.mark.parametrize(("kind", "other"), [(kind, other) for kind in PRICES for other in OrderKind if kind != other])
def test_a_kind_that_contradicts_the_prices_is_refused(kind: OrderKind, other: OrderKind) -> None:
    error = refusal(**PRICES[kind], type=other)
    assert error.code is ErrorCode.ORDER_TERMS_CONTRADICT
    assert f"make it a {kind} order, and not {other}" in error.detail


def test_a_take_profit_may_have_a_limit() -> None:
    terms = meant(take_profit_price="120", limit_price="119")
    assert terms.kind is OrderKind.TAKE_PROFIT
    assert (terms.trigger is not None, terms.least) == (True, 178_500_000)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"take_profit_price": "120", "trail": "3%"}, "either take_profit or trailing"),
        ({"stop_price": "95", "take_profit_price": "120", "trail": "3%"}, "either stop or take_profit or trailing"),
        ({"stop_price": "95", "trail": "3%"}, "either stop or trailing"),
        ({"trail": "3%", "limit_price": "105"}, "a trailing stop has no limit price"),
        ({"max_slippage": "5"}, "max_slippage is for stops, and not for market"),
        ({"max_slippage": "5", "take_profit_price": "120"}, "and not for take_profit"),
        ({"max_slippage": "5", "stop_price": "95", "limit_price": "94"}, "and not for stop_limit"),
        ({"confirm": 2, "limit_price": "105"}, "only a stop and an order on liquidity are confirmed"),
        ({"confirm_for": "2s", "take_profit_price": "120"}, "only a stop and an order on liquidity are confirmed"),
        ({"min_liquidity": "5000"}, "belongs to an order with limit_price"),
        ({"min_liquidity": "5000", "stop_price": "95"}, "and with no other price"),
        ({"min_liquidity": "5000", "stop_price": "95", "limit_price": "94"}, "and with no other price"),
        ({"min_liquidity": "5000", "limit_price": "105", "partial": True}, "partial is for limit orders"),
        ({"type": OrderKind.ON_LIQUIDITY, "limit_price": "105"}, "which has limit_price and min_liquidity"),
        ({"max_pool_fee": "5", "limit_price": "105"}, "need min_liquidity"),
        ({"allow": "mint_authority"}, "need min_liquidity"),
        ({"time_in_force": "gtc"}, "time_in_force is for limit orders"),
        ({"time_in_force": "ioc", "stop_price": "95", "limit_price": "94"}, "time_in_force is for limit orders"),
        ({"valid_for": "5m", "expires": "2026-12-01T09:30:00Z"}, "valid_for or expires, and not both"),
        ({"slices": 3, "over": "2s"}, "3 executions within 2s are more than one per second"),
    ],
)
def test_contradictory_terms_are_refused(terms: dict[str, Any], why: str) -> None:
    error = refusal(**terms)
    assert error.code is ErrorCode.ORDER_TERMS_CONTRADICT
    with pytest.raises(OrderdError, match=why):
        raise error


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"limit_price": "abc"}, ErrorCode.PRICE_INVALID),
        ({"stop_price": "0"}, ErrorCode.PRICE_INVALID),
        ({"take_profit_price": "-1"}, ErrorCode.PRICE_INVALID),
        ({"trail": "100%"}, ErrorCode.PRICE_INVALID),
        ({"stop_price": "95", "max_slippage": "101"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE),
        ({"stop_price": "95", "confirm_for": "2"}, ErrorCode.TIME_INVALID),
        ({"valid_for": "5 minutes"}, ErrorCode.TIME_INVALID),
        ({"limit_price": "1", "min_liquidity": "1", "max_holder": "101"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE),
        ({"limit_price": "1", "min_liquidity": "1", "allow": "everything"}, ErrorCode.REQUEST_INVALID),
        ({"expires": "soon"}, ErrorCode.TIME_INVALID),
    ],
)
def test_an_invalid_price_or_time_is_refused(terms: dict[str, Any], code: ErrorCode) -> None:
    assert refusal(**terms).code is code


@ALL
def test_each_kind_has_its_defaults(kind: OrderKind) -> None:
    terms = meant(**PRICES[kind])
    exits = kind in (OrderKind.STOP, OrderKind.TRAILING)
    stops = exits or kind is OrderKind.STOP_LIMIT
    assert terms.max_slippage_bps == (500 if exits else None)
    at_the_moment = exits or kind is OrderKind.TAKE_PROFIT
    assert terms.floor is (Floor.EACH if at_the_moment else Floor.FIRST), "stops take the current price"
    is_on_liquidity = kind is OrderKind.ON_LIQUIDITY
    assert terms.confirm == (2 if stops else 1 if is_on_liquidity else None)
    guards = terms.max_pool_fee_bps, terms.max_round_trip_loss_bps, terms.max_holder_bps, terms.allowed_traits
    assert guards == ((500, 1_000, None, None) if is_on_liquidity else (None,) * 4)
    assert terms.time_in_force is (TimeInForce.GTC if kind is OrderKind.LIMIT else None)
    assert (terms.confirm_seconds, terms.valid_seconds, terms.expires_at) == (None, None, None)


@ALL
def test_all_but_market_orders_rest(kind: OrderKind) -> None:
    assert meant(**PRICES[kind]).rests == (kind is not OrderKind.MARKET)


@pytest.mark.parametrize(("time_in_force", "rests"), [("gtc", True), ("ioc", True), ("fok", False)])
def test_only_fill_or_kill_limit_orders_do_not_rest(time_in_force: str, rests: bool) -> None:
    assert meant(limit_price="105", time_in_force=time_in_force).rests is rests


def test_an_immediate_or_cancel_order_may_be_filled_in_part() -> None:
    terms = meant(limit_price="105", time_in_force="ioc")
    assert (terms.partial, terms.min_fill_bps, terms.valid_seconds, terms.is_family) == (True, 1_000, 5, True)
    assert meant(limit_price="105", time_in_force="ioc", valid_for="9s", min_fill="50").valid_seconds == 9
    assert meant(limit_price="105", time_in_force="ioc", expires="2126-12-01T09:30:00Z").valid_seconds is None


def test_explicit_terms_override_defaults() -> None:
    terms = meant(stop_price="95", max_slippage="12.5", confirm=3, confirm_for="2s", floor="first", valid_for="1d")
    assert (terms.max_slippage_bps, terms.confirm, terms.confirm_seconds) == (1_250, 3, 2)
    assert (terms.floor, terms.valid_seconds) == (Floor.FIRST, 86_400)
    assert meant(expires="2026-12-01T10:30:00+01:00").expires_at == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "waits_for", "has_to_pay"),
    [
        (OrderKind.MARKET, None, None),
        (OrderKind.LIMIT, None, 157_500_000),
        (OrderKind.STOP, Bound(142_500_000, is_least=False), None),
        (OrderKind.STOP_LIMIT, Bound(142_500_000, is_least=False), 141_000_000),
        (OrderKind.TAKE_PROFIT, Bound(180_000_000, is_least=True), None),
        (OrderKind.TRAILING, Bound(0, is_least=False), None),
    ],
)
def test_each_kind_has_its_condition_and_minimum(
    kind: OrderKind, waits_for: Bound | None, has_to_pay: int | None
) -> None:
    terms = meant(**PRICES[kind])
    assert (None if terms.trigger is None else terms.trigger.bound()) == waits_for
    assert (None if terms.limit is None else terms.limit.bound().amount_out) == has_to_pay
    assert terms.least == has_to_pay


@pytest.mark.parametrize(("min_out", "least"), [("157", 157_500_000), ("158", 158_000_000)])
def test_the_minimum_is_the_higher_of_limit_and_min_out(min_out: str, least: int) -> None:
    assert meant(limit_price="105", min_out=min_out).least == least


def test_prices_are_described_with_their_amounts() -> None:
    assert price_reads(meant()) is None
    assert price_reads(meant(limit_price="105")) == "105 USDC per SOL = at least 157.5 USDC"
    assert price_reads(meant(stop_price="95", limit_price="94")) == (
        "95 USDC per SOL = at most 142.5 USDC; then 94 USDC per SOL = at least 141 USDC"
    )
    assert price_reads(meant(limit_price="105", min_liquidity="5000")) == (
        "pools that hold 5000 SOL, and 105 USDC per SOL = at least 157.5 USDC"
    )


@ALL
def test_displayed_terms_are_parsed_to_the_same_terms(kind: OrderKind) -> None:
    terms = meant(**PRICES[kind], valid_for="90s", slippage="0.5")
    again = GivenTerms.model_validate(format_terms(terms).model_dump(exclude_none=True))
    assert understood(again, registry_of("simnet"), "7") == terms


def test_a_stop_and_a_take_profit_make_an_oco_of_two_orders() -> None:
    oco = meant(take_profit_price="120", stop_price="90")
    assert (oco.kind, oco.is_family, oco.rests, oco.trigger) == (OrderKind.OCO, True, True, None)
    profit, stop = take_profit_of(oco), stop_of(oco)
    assert (profit.kind, profit.take_profit_price, profit.stop_price) == (OrderKind.TAKE_PROFIT, "120", None)
    assert (stop.kind, stop.take_profit_price, stop.stop_price) == (OrderKind.STOP, None, "90")
    assert (profit.max_slippage_bps, stop.max_slippage_bps) == (None, 500)
    assert price_reads(oco) == "120 USDC per SOL = at least 180 USDC; or 90 USDC per SOL = at most 135 USDC"


def test_the_minimum_fill_is_above_zero() -> None:
    with pytest.raises(OrderdError, match="min_fill is above 0 %") as refused:
        meant(limit_price="105", partial=True, min_fill="0")
    assert refused.value.code is ErrorCode.ORDER_TERMS_CONTRADICT


@pytest.mark.parametrize(
    ("prices", "kind"),
    [
        ({"then_take_profit": "120", "then_stop": "90"}, OrderKind.OCO),
        ({"then_take_profit": "120"}, OrderKind.TAKE_PROFIT),
        ({"then_stop": "90"}, OrderKind.STOP),
    ],
)
def test_an_exit_order_sells_what_its_entry_buys(prices: dict[str, str], kind: OrderKind) -> None:
    entry = meant(**prices)
    assert entry.is_entry
    follower = exit_of(entry)
    assert (follower.kind, follower.is_entry) == (kind, False)
    assert (follower.amount_in, follower.exact_out) == (None, None), (
        "the exit's amount is known only after the entry's fill"
    )
    assert price_reads(follower) == "; or ".join(f"{price} USDC per SOL" for price in prices.values())
    assert (follower.token_in, follower.token_out) == (entry.token_out, entry.token_in)


def test_a_stop_without_slippage_accepts_more_slippage_after_each_failed_attempt() -> None:
    """It begins at a fifth of the maximum; the daemon's default slippage is 0.5 %."""
    stop = meant(slippage=None, stop_price="95")
    assert [stop.in_try(failures).slippage_bps for failures in (0, 1, 2, 3, 400)] == [100, 200, 400, 500, 500]
    assert format_terms(stop).slippage_widens
    assert stop.in_try(1).in_try(0).slippage_bps == 200, "the displayed slippage of an attempt differs from its own"
    narrow = meant(slippage=None, stop_price="95", max_slippage="0.3")
    assert narrow.in_try(0).slippage_bps == 30, "the slippage exceeds the maximum"


def test_an_explicit_slippage_applies_to_all_attempts() -> None:
    for terms in (meant(slippage="0.1", stop_price="95"), meant(slippage=None, take_profit_price="120")):
        assert terms.in_try(3) is terms
        assert not format_terms(terms).slippage_widens


def test_only_the_stop_of_an_oco_accepts_more_slippage() -> None:
    oco = meant(slippage=None, take_profit_price="120", stop_price="95")
    assert (take_profit_of(oco).slippage_widens, stop_of(oco).slippage_widens) == (False, True)
    assert take_profit_of(oco).slippage_bps == 50
