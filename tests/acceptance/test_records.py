"""After deposits, trades in both directions, two-hop trades and failed trades, records agree with the chain."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from solders.signature import Signature

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.domain.order import OrderStatus
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.temporary import running_daemon
from orderd.solana.rpc import RpcClient
from orderd.whole_file import read_address
from orderd.wire.profit import PnlParams, PnlResult, PortfolioParams, PortfolioResult
from orderd.wire.rpc import Method
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK

DEPOSIT = 3_000_000_007


def reconcile(state_dir: Path, settings: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Run ``orderd reconcile``; returns its exit code and its lines, by their first word."""
    done = subprocess.run(
        [sys.executable, "-m", "orderd.main", "reconcile", "--state-dir", str(state_dir)],
        env=os.environ | settings | {"ORDERD_CONFIG": os.devnull},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, dict(line.split("\t", 1) for line in done.stdout.splitlines())


def test_records_agree_with_the_chain_to_the_last_base_unit(tmp_path: Path, given_database: dict[str, str]) -> None:
    settings = QUICK | given_database | {"ORDERD_WATCH_PAIRS": "SOL/USDC", "ORDERD_SIMNET_SUCCESS_RATE": "0.7"}
    with running_daemon(tmp_path, settings) as daemon, trading(daemon.url) as trader, _chain(tmp_path) as rpc:
        ledger = Ledger(tmp_path)
        _wait_for_faucet(daemon.url)
        deposit = rpc.request_airdrop(ledger.wallet, DEPOSIT)
        trader.submit_all([order("SOL", "USDC", "2"), order("SOL", "CHILLGUY", "0.5")])
        trader.follow_all_to_end(seconds=60)
        trader.submit_all([order("USDC", "SOL", "20"), order("USDC", "CHILLGUY", "5")])
        stories = trader.follow_all_to_end(seconds=60)
        assert OrderStatus.CONFIRMED in {story.order.status for story in stories}
        _landed(rpc, deposit)

        code, lines = reconcile(tmp_path, settings)
        assert code == 0, lines
        assert lines["SOL"].endswith("agrees")
        assert lines["deposit"] == "1", "the daemon has recorded the faucet's deposits itself"
        again = reconcile(tmp_path, settings)
        assert again == (0, {mint: line for mint, line in lines.items() if "agrees" in line}), "recorded twice"

        with Client(Settings(url=daemon.url)) as client:
            pnl = client.call(Method.PNL, PnlParams(), PnlResult)
            portfolio = client.call(Method.PORTFOLIO, PortfolioParams(), PortfolioResult)
        held = ledger.balances()
        for token in pnl.tokens:
            decimals = 9 if token.mint == WSOL_MINT else 6
            assert Decimal(token.held).scaleb(decimals) == held[token.mint]
        assert pnl.fills == sum(story.order.status is OrderStatus.CONFIRMED for story in stories)
        usdc = next(token for token in pnl.tokens if token.mint == USDC_MINT)
        assert usdc.unrealised == "0"
        assert Decimal(pnl.totals.fees) > 0
        assert Decimal(portfolio.value) > 0
        assert {each.mint: Decimal(each.amount) for each in portfolio.holdings} == {
            token.mint: Decimal(token.held) for token in pnl.tokens
        }


def _chain(state_dir: Path) -> "closing[RpcClient]":
    return closing(RpcClient(read_address(state_dir / "simnet" / "simnet.json")["http_url"]))


def _wait_for_faucet(url: str) -> None:
    """Wait until the daemon has read the initial balances of the wallet."""
    with Client(Settings(url=url)) as client:
        while len(client.call(Method.PNL, PnlParams(), PnlResult).tokens) < 2:
            pass


def _landed(rpc: RpcClient, signature: Signature) -> None:
    while rpc.get_signature_statuses([signature]).value[0] is None:
        pass
