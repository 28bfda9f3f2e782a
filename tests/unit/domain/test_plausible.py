"""Implausible prices are refused, with their reading in both units and the market price."""

from typing import Any

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind
from orderd.domain.plausible import check_plausible
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of

SOL = 10**9
PAYS = 100 * 10**6
"""The output of 1 SOL in base units of USDC."""


def terms(amount_in: int = SOL, **others: Any) -> OrderTerms:
    return OrderTerms(*registry_of("simnet").pair("SOL", "USDC"), amount_in, slippage_bps=50, **others)


def refusal(asked: OrderTerms, amount_out: int = PAYS) -> OrderdError:
    with pytest.raises(OrderdError) as refused:
        check_plausible(asked, amount_out)
    return refused.value


@pytest.mark.parametrize("price", ["500.01", "19.99", "0.01"])
def test_a_price_more_than_five_times_off_is_refused_with_both_readings(price: str) -> None:
    error = refusal(terms(kind=OrderKind.LIMIT, limit_price=price))
    assert error.code is ErrorCode.PRICE_OFF_MARKET
    assert f"is {price} USDC per SOL, and the market pays 100 USDC per SOL" in error.detail
    assert "SOL per USDC the same limit price would be" in error.detail


@pytest.mark.parametrize("price", ["500", "20", "105"])
def test_a_price_up_to_five_times_off_is_accepted(price: str) -> None:
    check_plausible(terms(kind=OrderKind.LIMIT, limit_price=price), PAYS)


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        (OrderKind.STOP, {"stop_price": "100"}),
        (OrderKind.STOP, {"stop_price": "101"}),
        (OrderKind.STOP_LIMIT, {"stop_price": "101", "limit_price": "90"}),
        (OrderKind.TAKE_PROFIT, {"take_profit_price": "100"}),
        (OrderKind.TAKE_PROFIT, {"take_profit_price": "99"}),
    ],
)
def test_a_price_that_would_trigger_at_once_is_refused(kind: OrderKind, price: dict[str, Any]) -> None:
    error = refusal(terms(kind=kind, **price))
    assert error.code is ErrorCode.PRICE_WRONG_SIDE
    assert "the market pays 100 USDC per SOL already" in error.detail


def test_the_stop_of_a_purchase_is_above_the_market() -> None:
    usdc, sol = registry_of("simnet").pair("USDC", "SOL")
    above, below = (
        OrderTerms(usdc, sol, PAYS, slippage_bps=50, kind=OrderKind.STOP, stop_price=price) for price in ("105", "95")
    )
    check_plausible(above, SOL)
    assert refusal(below, SOL).code is ErrorCode.PRICE_WRONG_SIDE


@pytest.mark.parametrize(
    ("profit", "stop", "is_wrong"), [("105", "95", False), ("99", "95", True), ("105", "101", True)]
)
def test_both_prices_of_an_oco_are_checked(profit: str, stop: str, is_wrong: bool) -> None:
    asked = terms(kind=OrderKind.OCO, take_profit_price=profit, stop_price=stop)
    if is_wrong:
        assert refusal(asked).code is ErrorCode.PRICE_WRONG_SIDE
    else:
        check_plausible(asked, PAYS)


def test_a_trail_must_be_shorter_than_the_price() -> None:
    check_plausible(terms(kind=OrderKind.TRAILING, trail="3%"), PAYS)
    check_plausible(terms(kind=OrderKind.TRAILING, trail="99"), PAYS)
    assert refusal(terms(kind=OrderKind.TRAILING, trail="100")).code is ErrorCode.PRICE_OFF_MARKET


def test_a_market_order_is_always_plausible() -> None:
    check_plausible(terms(), PAYS)
