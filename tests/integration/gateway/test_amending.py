"""Amending orders over the port, and the checks before an order with a price is accepted."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from db.connection import database
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.terms import OrderTerms
from orderd.engine.allowance import NOTIONAL_DECIMALS
from tests.integration.gateway.api_keys import bearer, issue
from tests.integration.gateway.conftest import CallRefusedError, PlayedMarket, Rig
from tests.integration.gateway.test_rest import problem
from tests.integration.orders import built, sign

pytestmark = pytest.mark.asyncio

_LIMIT = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "limit_price": "105"}


class RefusingMarket(PlayedMarket):
    """A market in which every price is implausible; records the terms it was asked about."""

    def __init__(self) -> None:
        self.asked: list[OrderTerms] = []

    def check_prices(self, terms: OrderTerms) -> None:
        self.asked.append(terms)
        raise OrderdError(ErrorCode.PRICE_OFF_MARKET, "105 against 1")


@pytest.fixture
def moves(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> RefusingMarket:
    market = RefusingMarket()
    monkeypatch.setattr(rig.market, "check_prices", market.check_prices)
    return market


@pytest_asyncio.fixture
async def order(http: httpx.AsyncClient) -> AsyncIterator[str]:
    """A resting limit order."""
    answer = await http.post("/api/orders", json=_LIMIT, headers={"Idempotency-Key": "mine"})
    assert (answer.status_code, answer.json()["order"]["status"]) == (201, "open")
    yield answer.json()["order"]["id"]


async def test_an_amended_order_stays_the_same_order(http: httpx.AsyncClient, order: str) -> None:
    answer = await http.patch(f"/api/orders/{order}", json={"limit_price": "104", "amount_in": "2"})
    changed = answer.json()["order"]
    assert (answer.status_code, changed["id"], changed["client_order_id"]) == (200, order, "mine")
    assert (changed["limit_price"], changed["amount_in"], changed["seq"]) == ("104", "2", 2)
    assert changed["price_reads"] == "104 USDC per SOL = at least 208 USDC"
    again = await http.post("/api/orders", json=_LIMIT, headers={"Idempotency-Key": "mine"})
    assert (again.status_code, again.json()["order"]["id"]) == (200, order), "the original submission is not recognised"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"limit_price": "dear"}, 422, "PRICE_INVALID"),
        ({"stop_price": "95"}, 422, "ORDER_TERMS_CONTRADICT"),
        ({"expires": "2020-01-01T00:00:00Z"}, 422, "TIME_PAST"),
        ({"paused": True}, 409, "ORDER_NOT_AMENDABLE"),
        ({"colour": "green"}, 422, "REQUEST_INVALID"),
    ],
)
async def test_invalid_amendments_are_refused(
    http: httpx.AsyncClient, order: str, body: dict[str, Any], status: int, code: str
) -> None:
    problem(await http.patch(f"/api/orders/{order}", json=body), status, code)
    assert (await http.get(f"/api/orders/{order}")).json()["order"]["seq"] == 1


async def test_an_order_that_does_not_rest_cannot_be_amended(http: httpx.AsyncClient, rig: Rig) -> None:
    answer = await http.post("/api/orders", json={"token_in": "SOL", "token_out": "USDC", "amount_in": "1"})
    problem(await http.patch(answer.headers["location"], json={"amount_in": "2"}), 409, "ORDER_NOT_AMENDABLE")


async def test_amended_prices_are_checked_against_the_market_and_times_are_not(
    http: httpx.AsyncClient, order: str, moves: RefusingMarket
) -> None:
    problem(await http.patch(f"/api/orders/{order}", json={"limit_price": "104"}), 422, "PRICE_OFF_MARKET")
    assert [terms.limit_price for terms in moves.asked] == ["104"]
    assert (await http.patch(f"/api/orders/{order}", json={"valid_for": "1h"})).status_code == 200


async def test_a_resubmitted_order_is_recognised_before_market_and_time_are_checked(
    http: httpx.AsyncClient, order: str, moves: RefusingMarket
) -> None:
    assert (await http.post("/api/orders", json=_LIMIT, headers={"Idempotency-Key": "mine"})).status_code == 200
    assert moves.asked == []
    problem(await http.post("/api/orders", json=_LIMIT), 422, "PRICE_OFF_MARKET")


async def test_an_already_expired_order_is_refused(http: httpx.AsyncClient) -> None:
    for body in (_LIMIT, {"token_in": "SOL", "token_out": "USDC", "amount_in": "1"}):
        refused = problem(
            await http.post("/api/orders", json=body | {"expires": "2020-01-01T00:00:00Z"}), 422, "TIME_PAST"
        )
        assert "2020-01-01" in refused["detail"]


async def test_an_amendment_must_stay_within_the_limits_of_its_key(rig: Rig) -> None:
    """Otherwise a small order could be amended to any size."""
    most = 150 * 10**NOTIONAL_DECIMALS
    token = issue("trade", max_notional_per_order=most, max_notional_per_day=most)
    async with rig.client(additional_headers=bearer(token)) as trader:
        await trader.call("order.submit", **_LIMIT, client_order_id="mine")
        assert (await trader.call("order.amend", order="mine", amount_in="1.5"))["order"]["amount_in"] == "1.5"
        with pytest.raises(CallRefusedError) as refused:
            await trader.call("order.amend", order="mine", amount_in="1.6")
        assert refused.value.problem.code is ErrorCode.LIMIT_ORDER
        with pytest.raises(CallRefusedError) as refused:
            await trader.call("order.submit", **_LIMIT, client_order_id="another")
        assert refused.value.problem.code is ErrorCode.LIMIT_DAY
        await trader.call("order.amend", order="mine", amount_in="0.5")
        await trader.call("order.submit", **_LIMIT, client_order_id="another")


async def test_a_key_amends_orders_of_another_key_only_within_its_own_limits(rig: Rig) -> None:
    """Otherwise it could have any order of its account sold at once, by a lower limit price."""
    most = 150 * 10**NOTIONAL_DECIMALS
    unlimited, limited = issue("trade"), issue("trade", max_notional_per_order=most, max_notional_per_day=most)
    async with rig.client(additional_headers=bearer(unlimited)) as trader:
        await trader.call("order.submit", **_LIMIT | {"amount_in": "1.6"}, client_order_id="large")
        await trader.call("order.submit", **_LIMIT, client_order_id="small")
    async with rig.client(additional_headers=bearer(limited)) as assistant:
        for change in ({"limit_price": "104"}, {"valid_for": "5m"}):
            with pytest.raises(CallRefusedError) as refused:
                await assistant.call("order.amend", order="large", **change)
            assert refused.value.problem.code is ErrorCode.LIMIT_ORDER
        await assistant.call("order.amend", order="small", limit_price="104")
        await assistant.call("order.amend", order="small", limit_price="103")
        with pytest.raises(CallRefusedError) as refused:
            await assistant.call("order.submit", **_LIMIT, client_order_id="one-more")
        assert refused.value.problem.code is ErrorCode.LIMIT_DAY, "the order that it has amended counts as its own"


async def test_a_cancel_of_a_signed_order_is_requested(http: httpx.AsyncClient) -> None:
    with database.connection_context():
        live = sign(built(), "sig")
    for _ in ("first cancel", "repeated cancel"):
        answer = await http.delete(f"/api/orders/{live.order.id}")
        amended = answer.json()["order"]
        assert (answer.status_code, amended["status"], amended["cancel_requested"]) == (202, "submitted", True)
    assert (await http.get(f"/api/orders/{live.order.id}")).json()["order"]["cancel_requested"]


async def test_an_unsigned_order_is_cancelled_at_once(http: httpx.AsyncClient, order: str, rig: Rig) -> None:
    for _ in ("first cancel", "repeated cancel"):
        answer = await http.delete(f"/api/orders/{order}")
        assert (answer.status_code, answer.json()["order"]["status"]) == (200, "cancelled")
        assert "cancel_requested" not in answer.json()["order"]


async def test_a_simulated_fill_is_quoted_at_the_market(http: httpx.AsyncClient, order: str) -> None:
    refused = problem(await http.get(f"/api/orders/{order}/simulated-fill"), 422, "ROUTE_NOT_FOUND")
    assert refused["detail"] == "no pool trades SOL"
    problem(await http.get("/api/orders/nobody/simulated-fill"), 404, "ORDER_NOT_FOUND")
