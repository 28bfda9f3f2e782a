"""What is bought is bought to the base unit, and costs no more than was agreed: in every kind of pool, as the chain's
own ledger has it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orderd.domain.money import parse_amount
from orderd.domain.quote import PoolKind
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.ledger import Landed, Ledger
from tests.acceptance.orderctl.conftest import ORDERCTL, Outcome
from tests.conftest import QUICK

SOL, USDC = 9, 6
SETTINGS = QUICK | {"ORDERD_VENUE_TIMEOUT_MS": "20000"}


class Trader:
    """orderctl, and the ledger that it cannot write."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.ledger = Ledger(daemon.log.parent)

    def __call__(self, *args: str) -> Outcome:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDERCTL_")}
        environment = {**inherited, "ORDERCTL_URL": self._daemon.url, "ORDERCTL_CONFIG": os.devnull}
        done = subprocess.run(
            [ORDERCTL, *args], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def show(self, order: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("show", order, "-o", "json").out)
        return found

    def landed(self, order_id: str) -> list[Landed]:
        return [each for each in self.ledger.transactions() if str(each.order_id) == order_id]

    def gains_usdc(self, amount: str) -> None:
        assert self("submit", "SOL", "USDC", amount, "--watch").code == 0


@pytest.fixture(params=PoolKind)
def trader_in_one_kind(
    request: pytest.FixtureRequest, tmp_path: Path, given_database: dict[str, str]
) -> Iterator[Trader]:
    """Where there is one kind of pool."""
    with running_daemon(tmp_path, SETTINGS | given_database | {"ORDERD_POOL_KINDS": str(request.param)}) as running:
        yield Trader(running)


@pytest.fixture
def trader(tmp_path: Path, given_database: dict[str, str]) -> Iterator[Trader]:
    with running_daemon(tmp_path, SETTINGS | given_database) as running:
        yield Trader(running)


def test_in_each_kind_of_pool_exactly_the_amount_is_bought_for_no_more_than_was_agreed(
    trader_in_one_kind: Trader,
) -> None:
    trader = trader_in_one_kind
    trader.gains_usdc("5")
    for token, mint, amount, sold, sold_mint, decimals in (
        ("SOL", WSOL_MINT, "1.500000001", "USDC", USDC_MINT, USDC),
        ("USDC", USDC_MINT, "123.456789", "SOL", WSOL_MINT, SOL),
    ):
        done = trader("buy", token, amount, "--with", sold, "--client-order-id", f"buy-{token}", "--watch")

        assert done.code == 0, done
        found = trader.show(f"buy-{token}")
        order, (attempt,) = found["order"], found["attempts"]
        (landed,) = trader.landed(order["id"])
        paid, most = -landed.received[sold_mint], parse_amount(order["max_amount_in"], decimals)
        assert landed.received == {mint: parse_amount(amount, USDC if token == "USDC" else SOL), sold_mint: -paid}
        assert 0 < paid <= most
        assert most == parse_amount(order["quoted_amount_in"], decimals) * 10_050 // 10_000
        assert (order["exact_out"], order["amount_out"], order["quoted_amount_out"]) == (amount, amount, amount)
        assert parse_amount(order["amount_in"], decimals) == paid
        assert attempt["max_amount_in"] == order["max_amount_in"]
        assert f"buy {amount} {token} with {sold}" in trader("show", f"buy-{token}").out
