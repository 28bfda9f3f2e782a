"""Transactions that land in the last moments of their blockhash, told of by nodes that are behind: the hardest case.

Whoever takes such a transaction for dead too early signs a second one, and the order is executed twice.
"""

from pathlib import Path

import pytest

from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import trading
from tests.chaos.storm import alternating, storm

LAST_MOMENTS: dict[str, object] = {
    # A blockhash is good for 150 blocks, and is a few old when it is signed with.
    "late_landing": 1.0,
    "late_slots": [110, 150],
    "lagging_reads": 0.5,
    "lag_slots": [1, 40],
}


@pytest.mark.timeout(300)
def test_an_order_is_executed_once_although_it_lands_when_it_is_given_up(tmp_path: Path) -> None:
    # One send decides; answers come quickly, so that a wrong judgement has time to do harm.
    settings = {
        "ORDERD_SIMNET_SLOT_MS": "20",
        "ORDERD_RESEND_INTERVAL_MS": "60000",
        "ORDERD_SETTLE_INTERVAL_MS": "20",
        "ORDERD_RETRY_BASE_MS": "10",
    }
    with storm(tmp_path, LAST_MOMENTS, **settings) as late, trading(late.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        trader.submit_all(alternating(80))
        stories = trader.see_all_end(seconds=120)
        audit(trader, stories, ledger, before)
    outcomes = {attempt.outcome for story in stories for attempt in story.attempts}
    assert outcomes == {"landed", "expired"}
