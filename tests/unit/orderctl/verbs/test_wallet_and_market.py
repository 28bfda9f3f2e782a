"""orderctl balances, tokens and pools."""

import json

from orderd.domain.errors import ErrorCode
from orderd.domain.quoted import Refused
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.pools import PoolsResult, PoolView
from orderd.wire.rpc import Method
from orderd.wire.tokens import TokensResult, TokenView
from tests.samples.orders import SPLIT
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


def test_balances_are_amounts_of_tokens(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    balances = (Balance(token="SOL", mint="So1", amount="98.499995"), Balance(token="USDC", mint="EPj", amount="3"))
    daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=balances))

    outcome = orderctl("balances")

    assert outcome.out.splitlines() == ["TOKEN     AMOUNT  MINT", "SOL    98.499995  So1", "USDC           3  EPj"]
    assert outcome.err == "wallet 9xQe\n"


def test_untradable_balances_are_shown_separately(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    balances = (
        Balance(token="SOL", mint="So1", amount="3", tradable="1", wrapped="2", elsewhere="0"),
        Balance(token="USDC", mint="EPj", amount="5", tradable="5", wrapped="0", elsewhere="0"),
        Balance(token="CHILLGUY", mint="Df6", amount="9", tradable="2", wrapped="0", elsewhere="7"),
    )
    daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=balances))

    assert orderctl("balances").out.splitlines() == [
        "TOKEN     AMOUNT  MINT  NOT TRADED",
        "SOL            1  So1   2 wrapped",
        "USDC           5  EPj",
        "CHILLGUY       2  Df6   7 in other accounts",
    ]


def test_tokens_are_listed_with_their_decimals(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.TOKENS, TokensResult(tokens=(TokenView(symbol="USDC", mint="EPj", decimals=6),)))

    assert orderctl("tokens").out.splitlines() == ["TOKEN  DECIMALS  MINT", "USDC          6  EPj"]
    assert json.loads(orderctl("tokens", "-o", "json").out)["tokens"] == [
        {"symbol": "USDC", "mint": "EPj", "decimals": 6}
    ]


class TestPools:
    POOL = PoolView(
        address=SPLIT[0].pool,
        venue="raydium",
        kind="raydium_cpmm",
        token_a="SOL",
        token_b="USDC",
        price="101.5",
        fee="0.25",
        reserve_a="1000",
        reserve_b="101500",
        slot=812,
    )

    def test_pools_are_listed_with_their_reserves(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        left_out = Refused(venue="meteora", code=ErrorCode.POOL_CLOSED, detail="5rCf is paused")
        daemon.answers(Method.POOLS, PoolsResult(pools=(self.POOL,), refusals=(left_out,), slot=812))

        outcome = orderctl("pools", "SOL", "USDC")

        assert outcome.out.splitlines() == [
            "KIND          PAIR      PRICE     FEE     HOLDS               POOL",
            "raydium_cpmm  SOL/USDC  101.5  0.25 %  1000 SOL  101500 USDC  7Xawhb…mX",
        ]
        assert outcome.err == "excluded: meteora: POOL_CLOSED: 5rCf is paused\n"
        assert daemon.calls == [("pools", {"token": ["SOL", "USDC"]})]
        assert orderctl("pools", "-o", "wide").out.splitlines()[1].endswith(f"812  {self.POOL.address}")
        assert orderctl("pools", "-o", "id").out == f"{self.POOL.address}\n"
        assert json.loads(orderctl("pools", "-o", "jsonl").out)["schema"] == "orderctl.pool/1"

    def test_a_silent_venue_is_reported_once_as_retryable(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        silent = Refused(venue="meteora", code=ErrorCode.SERVICE_TIMEOUT, detail="no answer within 1500 ms")
        daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(silent, silent), slot=None))

        message = "excluded: meteora: SERVICE_TIMEOUT: no answer within 1500 ms\nno pools\n"
        assert orderctl("pools") == (3, "", message)

    def test_a_pair_has_no_third_token(self, orderctl: Orderctl) -> None:
        assert orderctl("pools", "SOL", "USDC", "CHILLGUY").code == 2
