"""orderctl depth: a quote per size and side, as a curve and a table."""

import json
from decimal import Decimal
from typing import Any

import pytest

from orderctl.display.depth import curve
from orderctl.output.depth import Depth, Level, Offer, Side
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import VenueName
from orderd.wire.pools import PoolsResult, PoolView
from orderd.wire.quotes import QuoteResult
from orderd.wire.rpc import Method
from tests.samples.orders import METEORA, QUOTE, RAYDIUM
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

ROUTE_MISSING = OrderdError(ErrorCode.ROUTE_NOT_FOUND, "no pool takes so much")


def market(params: dict[str, Any]) -> QuoteResult | OrderdError:
    """Raydium pays 99 and asks 101, Meteora 98 and 102; 1000 SOL are too much for both."""
    if params["token_in"] == "SOL":
        size = Decimal(params["amount_in"])
        if size >= 1000:
            return ROUTE_MISSING
        offers = tuple(
            pool.model_copy(update={"amount_out": f"{size * price}"}) for pool, price in ((RAYDIUM, 99), (METEORA, 98))
        )
        return QUOTE.model_copy(update={"chosen": offers[0], "quotes": offers})
    size = Decimal(params["exact_out"])
    offers = tuple(
        pool.model_copy(update={"amount_out": f"{size}", "amount_in": f"{size * price}"})
        for pool, price in ((RAYDIUM, 101), (METEORA, 102))
    )
    return QUOTE.model_copy(update={"chosen": offers[0], "quotes": offers})


@pytest.fixture(autouse=True)
def quotes(daemon: FakeDaemon) -> None:
    daemon.answers(Method.QUOTE, market)


def test_each_size_is_quoted_on_both_sides_relative_to_the_mid(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    document = json.loads(orderctl("depth", "SOL", "USDC", "--sizes", "10,1", "-o", "json").out)
    assert (document["schema"], document["mid"]) == ("orderctl.depth/1", "100.000000")
    assert [(level["side"], level["size"]) for level in document["levels"]] == [
        ("sell", "1"),
        ("buy", "1"),
        ("sell", "10"),
        ("buy", "10"),
    ]
    sell, buy = document["levels"][2:]
    assert sell["routed"] == {"amount": "990", "price": "99.0000000", "cost_bps": "100.00"}
    assert buy["routed"] == {"amount": "1010", "price": "101.000000", "cost_bps": "100.00"}
    assert {venue: offer["cost_bps"] for venue, offer in buy["venues"].items()} == {
        "meteora": "200.00",
        "raydium": "100.00",
    }
    assert next(params for method, params in daemon.calls if method == Method.QUOTE) == {
        "token_in": "SOL",
        "token_out": "USDC",
        "amount_in": "1",
    }


def test_a_size_without_a_route_shows_the_reason_besides_the_others(orderctl: Orderctl) -> None:
    outcome = orderctl("depth", "SOL", "USDC", "--sizes", "1,1000")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert any(line.split()[:2] == ["1000", "ROUTE_NOT_FOUND"] for line in lines)
    costs = ["100.00", "bp", "200.00", "bp", "100.00", "bp"]
    assert lines[-1].split() == ["1000", "101000", "USDC", "101.000000", *costs]
    assert orderctl("depth", "SOL", "USDC", "--sizes", "1000").code == 2, "no size has a price"


def test_default_sizes_depend_on_the_largest_pool(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    pool = PoolView(
        address=RAYDIUM.pool,
        venue=VenueName.RAYDIUM,
        kind=RAYDIUM.pool_kind,
        token_a="SOL",
        token_b="USDC",
        price="100",
        fee="0.25",
        reserve_a="250",
        reserve_b="25000",
        slot=1,
    )
    daemon.answers(Method.POOLS, PoolsResult(pools=(pool,), refusals=(), slot=1))
    document = json.loads(orderctl("depth", "SOL", "USDC", "-o", "json").out)
    sizes = [level["size"] for level in document["levels"] if level["side"] == "sell"]
    assert sizes == ["0.03", "0.1", "0.3", "1", "3", "10", "30", "100"]
    daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(), slot=1))
    assert "--sizes" in orderctl("depth", "SOL", "USDC").err


def test_an_invalid_size_is_refused_before_any_query(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    assert "AMOUNT_INVALID" in orderctl("depth", "SOL", "USDC", "--sizes", "1,max").err
    assert daemon.calls == []


def test_a_refusal_independent_of_the_size_is_reported_once(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.QUOTE, OrderdError(ErrorCode.TOKEN_UNKNOWN, "there is no UDSC"))
    assert "TOKEN_UNKNOWN" in orderctl("depth", "SOL", "UDSC", "--sizes", "1").err


def level(side: Side, size: str, price: str) -> Level:
    return Level(side=side, size=size, routed=Offer(amount="1", price=price, cost_bps="1"), venues={}, refusal=None)


def test_the_curve_has_small_sizes_on_the_left_and_high_prices_at_the_top() -> None:
    levels = (
        level("sell", "1", "100"),
        level("buy", "1", "100"),
        level("sell", "100", "90"),
        level("buy", "100", "110"),
    )
    lines = [line.plain for line in curve(Depth(base="SOL", quote="USDC", mid="100", levels=levels), 32, 7)]
    assert lines[0].endswith("⣀⣀⠤⠤⠒⠒⠉┤ 110")
    assert lines[4].endswith("⠤⢄⣀┤ 90")
    assert lines[2][0] not in " │", "both begin at the left"
    assert lines[-1] == "1 SOL        100 SOL"
    assert curve(Depth(base="SOL", quote="USDC", mid="100", levels=levels[:2]), 32, 7) == []
