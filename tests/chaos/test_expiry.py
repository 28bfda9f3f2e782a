"""Transactions that land in the last blocks in which their blockhash is valid, observed through nodes that lag.

A daemon that considers such a transaction dead too early signs a second one, and executes the order twice.
"""

from pathlib import Path

import pytest

from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.trader import trading
from tests.chaos.storm import NODES, ORDERS, PATIENCE, SEED, alternating, storm

LAST_MOMENTS: dict[str, object] = {
    # A blockhash is valid for 150 blocks, and is a few blocks old at the signature.
    "late_landing": 1.0,
    "late_slots": [110, 150],
    "lagging_reads": 0.5,
    "lag_slots": [1, 40],
}


LAST_MOMENTS_IN_A_POOL: dict[str, object] = {
    "late_landing": 1.0,
    "late_slots": [110, 150],
    # The honest node reports that the blockhash has expired; the node on a dead fork reports that nothing landed.
    "views": {"honest": 2, "behind": 1, "forked": 2, "restarted": 1, "pruned": 1, "historyless": 1},
}

SETTINGS = {
    "ORDERD_SIMNET_SLOT_MS": "20",
    "ORDERD_RESEND_INTERVAL_MS": "60000",
    "ORDERD_SETTLE_INTERVAL_MS": "20",
    "ORDERD_RETRY_BASE_MS": "10",
}
"""One send per attempt; the status is requested often, so that a wrong conclusion is acted upon."""


@pytest.mark.timeout(300)
def test_an_order_whose_attempt_lands_at_its_expiry_is_executed_once(tmp_path: Path) -> None:
    with storm(tmp_path, LAST_MOMENTS, **SETTINGS) as late, trading(late.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        trader.submit_all(alternating(80))
        stories = trader.follow_all_to_end(seconds=120)
        audit(trader, stories, ledger, before)
        assert logged_errors(tmp_path) == []
    outcomes = {attempt.outcome for story in stories for attempt in story.attempts}
    assert outcomes == {"landed", "expired"}


@pytest.mark.chaos
@pytest.mark.timeout(2 * PATIENCE["pool"])
@pytest.mark.skipif(NODES != "pool", reason="run with make chaos NODES=pool")
def test_an_order_is_executed_once_although_nodes_of_a_pool_report_that_it_never_landed(tmp_path: Path) -> None:
    settings = {**SETTINGS, "ORDERD_SIMNET_SEED": str(SEED)}
    with storm(tmp_path, LAST_MOMENTS_IN_A_POOL, nodes="pool", **settings) as pool, trading(pool.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        trader.submit_all(alternating(ORDERS))
        stories = trader.follow_all_to_end(PATIENCE["pool"])
        audit(trader, stories, ledger, before)
        assert logged_errors(tmp_path) == []
    outcomes = {attempt.outcome for story in stories for attempt in story.attempts}
    assert outcomes >= {"landed", "expired"}, "no attempt landed late"
