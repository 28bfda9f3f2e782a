"""Purchases of exact amounts in every kind of pool: the amount received is exact and the cost stays within the agreed
maximum, by the chain's own ledger."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderd.domain.money import parse_amount
from orderd.domain.pool_kind import PoolKind
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.temporary import Daemon, running_daemon
from orderd.solana.rpc import RpcClient
from orderd.whole_file import read_address
from tests.acceptance.ledger import Landed, Ledger
from tests.acceptance.orderctl.conftest import ORDERCTL, Outcome
from tests.acceptance.prices import Prices
from tests.conftest import QUICK

SOL, USDC = 9, 6
SETTINGS = QUICK | {"ORDERD_VENUE_TIMEOUT_MS": "20000"}


class Trader:
    """Runs orderctl, and reads the ledger independently."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.ledger = Ledger(daemon.log.parent)

    def __call__(self, *args: str) -> Outcome:
        command, environment = [str(ORDERCTL), *args], self._environment()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDERCTL_")}
        return {**inherited, "ORDERCTL_URL": self._daemon.url, "ORDERCTL_CONFIG": os.devnull}

    def show(self, order: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("show", order, "-o", "json").out)
        return found

    def landed(self, order_id: str) -> list[Landed]:
        return [each for each in self.ledger.transactions() if str(each.order_id) == order_id]

    def follow(self, order: str) -> Iterator[dict[str, Any]]:
        """The order's events as they arrive."""
        command = [str(ORDERCTL), "watch", order, "-o", "jsonl"]
        with subprocess.Popen(command, env=self._environment(), stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            for line in watching.stdout:
                if (document := json.loads(line)).get("schema") == "orderctl.event/1":
                    yield document

    def set_faults(self, **faults: float) -> None:
        """Set faults of the local chain."""
        self._chain("simnet_setFaults", faults)

    def wrap(self, lamports: int) -> None:
        """Add wrapped SOL to the wallet."""
        self._chain("simnet_mintTokens", {"mint": WSOL_MINT, "owner": str(self.ledger.wallet), "amount": str(lamports)})
        prices = Prices(self._daemon.log.parent)
        prices.wait(prices.slot)  # the daemon reads confirmed state

    def _chain(self, method: str, given: dict[str, Any]) -> None:
        address = read_address(self._daemon.log.parent / "simnet" / "simnet.json")["http_url"]
        with closing(RpcClient(address)) as rpc:
            rpc.call(method, [given])

    def fund_usdc(self, amount: str) -> None:
        assert self("submit", "SOL", "USDC", amount, "--watch").code == 0


@pytest.fixture(params=PoolKind)
def trader_in_one_kind(
    request: pytest.FixtureRequest, tmp_path: Path, given_database: dict[str, str]
) -> Iterator[Trader]:
    """A trader on a chain with pools of one kind only."""
    with running_daemon(tmp_path, SETTINGS | given_database | {"ORDERD_POOL_KINDS": str(request.param)}) as running:
        yield Trader(running)


@pytest.fixture
def trader(tmp_path: Path, given_database: dict[str, str]) -> Iterator[Trader]:
    """A trader whose failed attempts are retried soon, but not at once."""
    with running_daemon(tmp_path, SETTINGS | given_database | {"ORDERD_RETRY_BASE_MS": "1500"}) as running:
        yield Trader(running)


def test_each_kind_of_pool_delivers_the_exact_amount_within_the_maximum_cost(
    trader_in_one_kind: Trader,
) -> None:
    trader = trader_in_one_kind
    trader.fund_usdc("5")
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


def test_a_retry_keeps_the_maximum_of_the_first_attempt(trader: Trader) -> None:
    trader.fund_usdc("5")
    trader.set_faults(failure_rate=1.0)
    assert trader("buy", "SOL", "2", "--with", "USDC", "--client-order-id", "retried", "--no-watch").code == 0
    for event in trader.follow("retried"):
        if event["data"]["kind"] == "retrying":
            trader.set_faults(failure_rate=0.0)

    found = trader.show("retried")

    order, attempts = found["order"], found["attempts"]
    assert (order["status"], order["amount_out"]) == ("confirmed", "2")
    assert [each["outcome"] for each in attempts] == ["failed", "landed"]
    assert {each["max_amount_in"] for each in attempts} == {order["max_amount_in"]}
    failed, filled = trader.landed(order["id"])
    assert (failed.succeeded, failed.received) == (False, {})
    assert filled.received[WSOL_MINT] == 2 * 10**9
    assert 0 < -filled.received[USDC_MINT] <= parse_amount(order["max_amount_in"], USDC)


def test_a_purchase_previews_its_cost_and_keeps_the_users_maximum(trader: Trader) -> None:
    trader.fund_usdc("5")
    quoted = json.loads(trader("quote", "USDC", "SOL", "--exact-out", "1.5", "-o", "json").out)
    tried = trader("buy", "SOL", "1.5", "--with", "USDC", "--dry-run")
    before = trader.ledger.transactions()

    assert (quoted["exact_out"], quoted["amount_in"], quoted["chosen"]["amount_out"]) == ("1.5", None, "1.5")
    assert Decimal(quoted["max_amount_in"]) > Decimal(quoted["chosen"]["amount_in"]) > 100
    assert tried.code == 0, tried
    for words in ("buy 1.5 SOL with USDC\n", "pay 15", "at most 15", "USDC IN", "the simulation succeeds"):
        assert words in tried.out

    little = ("buy", "SOL", "1.5", "--with", "USDC", "--max-in", "100", "--client-order-id", "little")
    dry = trader(*little, "--dry-run")
    assert (dry.code, "error[ROUTE_ABOVE_CEILING]" in dry.err) == (1, True)
    assert trader(*little, "--watch").code == 1
    error = trader.show("little")["order"]["error"]
    assert error["code"] == "ROUTE_ABOVE_CEILING"
    assert "pays no more than 100 USDC: its own max_in" in error["detail"]
    assert trader.ledger.transactions() == before

    enough = ("buy", "SOL", "1.5", "--with", "USDC", "--max-in", quoted["max_amount_in"], "--client-order-id", "enough")
    assert trader(*enough, "--watch").code == 0
    assert "no second one was created" in trader(*enough).err
    other = trader("buy", "SOL", "1.6", *enough[3:])
    assert (other.code, "error[ORDER_CONFLICT]" in other.err) == (2, True)
    (landed,) = trader.landed(trader.show("enough")["order"]["id"])
    assert landed.received[WSOL_MINT] == 1_500_000_000
    assert -landed.received[USDC_MINT] <= parse_amount(quoted["max_amount_in"], USDC)


def test_orders_of_a_file_sell_and_buy_exact_amounts(trader: Trader, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "token_in,token_out,amount_in,exact_out,max_in\nSOL,USDC,2,,\nSOL,USDC,,12.345678,1\nSOL,USDC,,99999999,\n"
    )

    assert trader("submit", "--file", str(path), "--client-order-id", "file", "--watch").code == 1

    sold, bought, vast = (trader.show(f"file-{number}")["order"] for number in (1, 2, 3))
    assert [each["status"] for each in (sold, bought, vast)] == ["confirmed", "confirmed", "failed"]
    assert (sold["amount_in"], "exact_out" in sold) == ("2", False)
    assert (bought["exact_out"], bought["max_in"], bought["amount_out"]) == ("12.345678", "1", "12.345678")
    (landed,) = trader.landed(bought["id"])
    assert landed.received == {USDC_MINT: 12_345_678, WSOL_MINT: -parse_amount(bought["amount_in"], SOL)}
    assert "≤" not in trader("list", "--columns", "id,sell,result").out


def test_a_purchase_with_wrapped_sol_leaves_the_remainder_wrapped(trader: Trader) -> None:
    trader.wrap(2 * 10**9)
    done = trader(
        "buy", "USDC", "100.000001", "--with", "SOL", "--use-wrapped", "--client-order-id", "wrapped", "--watch"
    )
    assert done.code == 0, done
    order = trader.show("wrapped")["order"]
    (landed,) = trader.landed(order["id"])
    assert landed.received[USDC_MINT] == 100_000_001
    left = json.loads(trader("balances", "-o", "json").out)["balances"][0]["wrapped"]
    assert parse_amount(left, SOL) == 2 * 10**9 - parse_amount(order["amount_in"], SOL)
    assert parse_amount(order["amount_in"], SOL) <= parse_amount(order["max_amount_in"], SOL)
