"""Orders split over more pools than a version 0 transaction can hold, on chains with and without version 1."""

import base64
from collections.abc import Iterator, Sequence

import pytest

from orderd.domain.order import OrderStatus
from orderd.process.temporary import Daemon, running_daemon
from orderd.solana.transaction import MAX_SIZE, TransactionVersion, version_of
from tests.acceptance import simnet
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK

VERSIONS = {"2025": TransactionVersion.V0, "2026": TransactionVersion.V1}


@pytest.fixture(params=VERSIONS)
def year(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def daemon(year: str, tmp_path_factory: pytest.TempPathFactory, given_database: dict[str, str]) -> Iterator[Daemon]:
    settings = QUICK | given_database | {"ORDERD_SIMNET_PROFILE": year}
    with running_daemon(tmp_path_factory.mktemp("orderd"), settings) as running:
        yield running


def signed_bytes(daemon: Daemon, signatures: Sequence[str]) -> list[bytes]:
    """The transactions as stored by the chain."""
    config = {"encoding": "base64", "maxSupportedTransactionVersion": 1, "commitment": "confirmed"}
    found = [simnet.call(daemon.log.parent, "getTransaction", each, config) for each in signatures]
    return [base64.b64decode(each["transaction"][0]) for each in found]


@pytest.mark.timeout(120)
def test_an_order_is_split_over_three_pools_only_in_version_1_transactions(daemon: Daemon, year: str) -> None:
    """Lookup tables are not used. On the older chain the same order uses two pools."""
    ledger = Ledger(daemon.log.parent)
    with trading(daemon.url) as trader:
        before = ledger.balances()
        trader.submit_all([order("SOL", "USDC", "700", slippage="1"), order("USDC", "SOL", "10", slippage="1")])
        stories = trader.follow_all_to_end(seconds=60)
        audit(trader, stories, ledger, before)
    assert [story.order.status for story in stories] == [OrderStatus.CONFIRMED] * 2
    large, small = signed_bytes(daemon, [story.attempts[-1].signature for story in stories])
    assert {version_of(large), version_of(small)} == {VERSIONS[year]}
    legs = stories[0].order.route or ()
    assert (len(legs), len(large) > MAX_SIZE) == ((3, True) if year == "2026" else (2, False))
