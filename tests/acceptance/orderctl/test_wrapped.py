"""Wrapped SOL of the wallet is sold if an order asks for it; native SOL then pays only fees."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.money import format_amount, parse_amount
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.temporary import Daemon
from orderd.solana.programs import associated_token, token
from orderd.solana.rpc import RpcClient
from orderd.venues.account_facts import token_amount
from orderd.whole_file import read_address
from tests.acceptance.orderctl.conftest import Orderctl
from tests.acceptance.prices import Prices

SOL = 10**9


class Chain:
    """The daemon's wallet as the chain stores it. Amounts are base units."""

    def __init__(self, rpc: RpcClient, wallet: Pubkey, prices: Prices) -> None:
        self._rpc = rpc
        self._prices = prices
        self._wallet = wallet

    def wrap(self, lamports: int) -> None:
        """Add exactly this much wrapped SOL to the wallet."""
        before = self.wrapped()
        gift = {"mint": WSOL_MINT, "owner": str(self._wallet), "amount": str(lamports)}
        self._rpc.call("simnet_mintTokens", [gift])
        self._prices.wait(self._prices.slot)  # the daemon reads confirmed state
        assert self.wrapped() == before + lamports

    def lamports(self) -> int:
        return self._rpc.get_balance(self._wallet).value

    def wrapped(self) -> int:
        return self._holds(WSOL_MINT)

    def usdc(self) -> int:
        return self._holds(USDC_MINT)

    def _holds(self, mint: str) -> int:
        account = associated_token.address(self._wallet, Pubkey.from_string(mint), token.PROGRAM_ID)
        return token_amount(self._rpc.get_multiple_accounts([account]).value[0])


@pytest.fixture
def chain(daemon: Daemon, orderctl: Orderctl) -> Iterator[Chain]:
    wallet = json.loads(orderctl("balances", "-o", "json").out)["wallet"]
    rpc = RpcClient(read_address(daemon.log.parent / "simnet" / "simnet.json")["http_url"], commitment="processed")
    yield Chain(rpc, Pubkey.from_string(wallet), Prices(daemon.log.parent))
    rpc.close()


@pytest.fixture
def shown(orderctl: Orderctl) -> Callable[[str], dict[str, Any]]:
    def show(order: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(orderctl("show", order, "-o", "json").out)["order"]
        return found

    return show


def test_wrapped_sol_is_sold_to_the_base_unit_and_native_sol_pays_only_the_fee(
    orderctl: Orderctl, chain: Chain, shown: Callable[[str], dict[str, Any]]
) -> None:
    orderctl("submit", "SOL", "USDC", "0.1", "--watch")  # creates the wallet's USDC account
    chain.wrap(3 * SOL)
    lamports, wrapped, usdc = chain.lamports(), chain.wrapped(), chain.usdc()
    submit = ("submit", "SOL", "USDC", "1.500000001", "--use-wrapped", "--client-order-id", "wrapped")

    assert orderctl(*submit, "--watch").code == 0

    order = shown("wrapped")
    assert (order["status"], order["use_wrapped"], order["amount_in"]) == ("confirmed", True, "1.500000001")
    assert chain.wrapped() == wrapped - 1_500_000_001
    assert chain.lamports() == lamports - parse_amount(order["network_fee"], 9)
    assert chain.usdc() == usdc + parse_amount(order["amount_out"], 6)
    assert "sell 1.500000001 wrapped SOL for USDC" in orderctl("show", "wrapped").out

    again = orderctl(*submit, "-o", "id")
    assert (again.out.strip(), "no second one was created" in again.err) == (order["id"], True)
    other = orderctl(*(word for word in submit if word != "--use-wrapped"))
    assert (other.code, "error[ORDER_CONFLICT]" in other.err) == (2, True)
    assert chain.wrapped() == wrapped - 1_500_000_001


def test_an_order_without_use_wrapped_does_not_touch_wrapped_sol(orderctl: Orderctl, chain: Chain) -> None:
    chain.wrap(SOL)
    wrapped, lamports = chain.wrapped(), chain.lamports()
    assert orderctl("submit", "SOL", "USDC", "0.5", "--watch").code == 0
    assert chain.wrapped() == wrapped
    assert chain.lamports() < lamports - SOL // 2


def test_an_order_for_more_than_the_wrapped_balance_spends_nothing(
    orderctl: Orderctl, chain: Chain, shown: Callable[[str], dict[str, Any]]
) -> None:
    chain.wrap(1)
    before = (chain.lamports(), chain.wrapped(), chain.usdc())
    amount = format_amount(chain.wrapped() + 1, 9)
    why = (
        f"the wallet holds {format_amount(chain.wrapped(), 9)} SOL wrapped; the order takes {amount} SOL of that, and "
    )

    quoted = orderctl("quote", "SOL", "USDC", amount, "--use-wrapped")
    assert (quoted.code, f"sell {amount} wrapped SOL for USDC" in quoted.out) == (0, True)
    tried = orderctl("submit", "SOL", "USDC", amount, "--use-wrapped", "--dry-run")
    assert tried.code == 1
    assert why in " ".join(tried.out.split())
    assert orderctl("submit", "SOL", "USDC", amount, "--use-wrapped", "--client-order-id", "more", "--watch").code == 1

    error = shown("more")["error"]
    assert error["code"] == "FUNDS_INSUFFICIENT"
    assert error["detail"].startswith(why)
    assert "from SOL that is not wrapped" in error["detail"]
    assert (chain.lamports(), chain.wrapped(), chain.usdc()) == before


def test_orders_of_a_file_sell_wrapped_sol_once(
    orderctl: Orderctl, chain: Chain, shown: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    chain.wrap(SOL)
    half = format_amount(chain.wrapped() // 2, 9)
    left = chain.wrapped() - 2 * (chain.wrapped() // 2)
    path = tmp_path / "orders.csv"
    path.write_text("token_in,token_out,amount_in,use_wrapped\n" + f"SOL,USDC,{half},yes\n" * 3)

    assert orderctl("submit", "--file", str(path), "--client-order-id", "file", "--watch").code == 1

    orders = [shown(f"file-{number}") for number in (1, 2, 3)]
    assert sorted(order["status"] for order in orders) == ["confirmed", "confirmed", "failed"]
    (failed,) = (order for order in orders if order["status"] == "failed")
    assert failed["error"]["code"] == "FUNDS_INSUFFICIENT"
    assert all(order["use_wrapped"] for order in orders)
    assert chain.wrapped() == left


def test_only_sol_can_be_wrapped(orderctl: Orderctl) -> None:
    for verb in ("quote", "submit"):
        refused = orderctl(verb, "USDC", "SOL", "1", "--use-wrapped")
        assert refused.code == 2
        assert "error[TOKEN_NOT_WRAPPED]: Only SOL can be wrapped" in refused.err
        assert "the order would sell USDC from the wallet's wrapped SOL" in refused.err


def test_balances_show_the_wrapped_sol_that_can_be_sold(orderctl: Orderctl, chain: Chain) -> None:
    chain.wrap(SOL)
    sol = json.loads(orderctl("balances", "-o", "json").out)["balances"][0]
    assert (sol["token"], Decimal(sol["wrapped"])) == ("SOL", Decimal(chain.wrapped()).scaleb(-9))
    assert f"{sol['wrapped']} wrapped" in orderctl("balances").out
