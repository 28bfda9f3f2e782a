"""An endpoint that denies the status of a landed transaction: the order is never executed a second time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orderd.domain.order import EventKind, OrderStatus
from orderd.process.temporary import running_daemon
from orderd.process.wallet import fund_on_simnet
from orderd.solana.keys import create_wallet
from orderd.solana.rpc import RpcClient
from tests.acceptance.ledger import Ledger
from tests.acceptance.liar import Liar, lying_about
from tests.acceptance.trader import Trader, order, trading
from tests.conftest import QUICK
from tests.integration.simnet.server import Client, running

FORGETFUL = {"nodes": "pool", "views": {"pruned": 1}, "pruned_blocks": 100}
"""A pool of nodes that keep fewer blocks than a transaction may land in."""


@dataclass
class Endpoint:
    """The chain, the proxy in front of it, and the calls about what it hides."""

    chain: Client
    liar: Liar
    denied: set[str] = field(default_factory=set)
    lies: int = 0

    def deny(self) -> None:
        """Answer from now on that the first transaction sent has no status."""

        def lie(method: str, params: list[Any], result: Any) -> Any:
            if method == "sendTransaction" and not self.denied:
                self.denied.add(result)
            if method == "getSignatureStatuses":
                for place, each in enumerate(params[0]):
                    if each in self.denied and result["value"][place] is not None:
                        self.lies += 1
                        result["value"][place] = None
            return result

        self.liar.lie = lie


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    (tmp_path / "simnet").mkdir()
    options = ("--slot-ms", "20", "--no-market")
    with running(tmp_path / "simnet", *options) as (server, client), lying_about(server.http_url) as liar:
        yield Endpoint(client, liar)


@pytest.fixture
def start(tmp_path: Path, endpoint: Endpoint, given_database: dict[str, str]) -> Iterator[Callable[[bool], Trader]]:
    """Start a daemon whose endpoint is declared to be one node, or not, and trade with it."""
    with ExitStack() as stack:

        def started(is_one_node: bool) -> Trader:
            with closing(RpcClient(endpoint.liar.url)) as rpc:
                fund_on_simnet(rpc, create_wallet(tmp_path / "wallet.json").address)
            settings = QUICK | {
                "ORDERD_RPC_URL": endpoint.liar.url,
                "ORDERD_RPC_SINGLE_NODE": str(is_one_node).lower(),
                "ORDERD_WALLET": str(tmp_path / "wallet.json"),
                "ORDERD_UNKNOWN_AFTER_SECONDS": "1",
            }
            state_dir = tmp_path / "state"
            state_dir.mkdir()
            daemon = stack.enter_context(running_daemon(state_dir, settings | given_database))
            return stack.enter_context(trading(daemon.url))

        yield started


@pytest.mark.timeout(120)
@pytest.mark.parametrize("is_one_node", [True, False])
def test_a_denied_fill_is_found_among_the_wallets_transactions(
    tmp_path: Path, endpoint: Endpoint, start: Callable[[bool], Trader], is_one_node: bool
) -> None:
    trader = start(is_one_node)
    if not is_one_node:
        endpoint.chain.call("simnet_setFaults", {"nodes": "pool", "views": {"honest": 1}})
    endpoint.deny()
    events = trader.follow(trader.submit(order("SOL", "USDC", "0.1")), 60)
    assert events[-1].status is OrderStatus.CONFIRMED
    assert endpoint.lies > 0
    (landed,) = Ledger(tmp_path).transactions()
    assert {landed.signature} == endpoint.denied


@pytest.mark.timeout(120)
def test_nodes_without_their_history_do_not_confirm_a_denial(
    tmp_path: Path, endpoint: Endpoint, start: Callable[[bool], Trader]
) -> None:
    trader = start(False)
    endpoint.chain.call("simnet_setFaults", FORGETFUL)
    endpoint.deny()
    denied = trader.submit(order("SOL", "USDC", "0.1"))
    trader.wait_for_event(denied, EventKind.UNKNOWN, 60)
    endpoint.chain.wait_for_slots(300, "confirmed")
    assert len(trader.detail(denied).attempts) == 1
    (landed,) = Ledger(tmp_path).transactions()
    assert {landed.signature} == endpoint.denied
