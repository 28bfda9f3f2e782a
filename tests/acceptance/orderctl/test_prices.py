"""Quotes and fills follow a price that is set on the local chain, in all kinds of pools."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from orderd.domain.pool_kind import PoolKind
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.orderctl.conftest import Orderctl
from tests.acceptance.prices import Prices
from tests.conftest import QUICK

NEAR = Decimal("0.005")
"""Tolerance for fees, bins and depth."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    always_read = {"ORDERD_POOL_MAX_AGE_MS": "0"}
    with running_daemon(tmp_path_factory.mktemp("orderd"), QUICK | always_read | shared_database) as running:
        yield running


@pytest.fixture
def prices(daemon: Daemon) -> Prices:
    return Prices(daemon.log.parent)


@pytest.mark.parametrize("price", ["95", "60.5", "400", "101.66"])
def test_quotes_of_all_kinds_of_pools_follow_the_price(orderctl: Orderctl, prices: Prices, price: str) -> None:
    prices.wait(prices.set(price))

    quote = json.loads(orderctl("quote", "SOL", "USDC", "1", "-o", "json").out)

    assert {offer["pool_kind"] for offer in quote["quotes"]} == {str(kind) for kind in PoolKind}
    for offer in quote["quotes"]:
        assert 1 - NEAR < Decimal(offer["amount_out"]) / Decimal(price) < 1 + NEAR


def test_consecutive_orders_are_filled_at_the_price(orderctl: Orderctl, prices: Prices) -> None:
    prices.wait(prices.set("120"))

    for number in range(2):
        name = f"at-120-{number}"
        assert orderctl("submit", "SOL", "USDC", "20", "--client-order-id", name, "--watch").code == 0
        filled = json.loads(orderctl("show", name, "-o", "json").out)["order"]
        assert 1 - NEAR < Decimal(filled["amount_out"]) / 20 / 120 < 1
