"""On a chain where blocks are final soon after confirmation, a fill is reported only when it is final."""

from pathlib import Path

import orjson
import pytest

from orderd.domain.events import Confirmed
from orderd.process.temporary import running_daemon
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.simnet import call
from tests.acceptance.trader import Story, order, trading
from tests.conftest import QUICK

POOL = {
    "nodes": "pool",
    "views": {"honest": 1, "behind": 0, "restarted": 0, "pruned": 0, "forked": 0, "historyless": 0},
}
SETTINGS = QUICK | {
    "ORDERD_SIMNET_PROFILE": "2026",
    "ORDERD_SIMNET_SLOT_MS": "200",
    "ORDERD_SIMNET_FAULTS": orjson.dumps(POOL).decode(),
}
ORDERS = 5


@pytest.mark.timeout(120)
def test_a_fill_is_final_when_it_is_reported(tmp_path: Path, given_database: dict[str, str]) -> None:
    with running_daemon(tmp_path, SETTINGS | given_database) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(tmp_path)
        before, stories = ledger.balances(), []
        for _ in range(ORDERS):
            order_id = trader.submit(order("SOL", "USDC", "0.1"))
            events = trader.follow(order_id, 60)
            fill = events[-1].data
            assert isinstance(fill, Confirmed)
            assert call(tmp_path, "getSlot", {"commitment": "finalized"}) >= fill.slot
            stories.append(Story(events, trader.detail(order_id)))
        audit(trader, stories, ledger, before)
