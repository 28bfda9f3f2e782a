"""Stopping a daemon with orders in flight, and cancelling orders while a worker may be signing them."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderStatus
from orderd.process.temporary import running_daemon
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Trader, order, trading
from tests.conftest import QUICK

LOSSY = QUICK | {"ORDERD_SIMNET_FAULTS": '{"dropped_sends": 0.5}', "ORDERD_RESEND_INTERVAL_MS": "60000"}
"""Half of the transactions are never delivered, and are not sent again before the daemon stops."""


def test_a_stopped_daemon_loses_no_order_and_the_next_run_finishes_them(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    with running_daemon(tmp_path, LOSSY | given_database) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        trader.submit_all([order("SOL", "USDC", "0.1") for _ in range(30)])
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=60) == 0
        stopped_at = datetime.now(UTC)
        acknowledged = trader.acknowledged

    with running_daemon(tmp_path, QUICK | given_database) as daemon, trading(daemon.url) as trader:
        trader.acknowledged.update(acknowledged)
        stories = trader.follow_all_to_end(seconds=60)
        audit(trader, stories, ledger, before)
    assert {story.order.status for story in stories} == {OrderStatus.CONFIRMED}
    assert [story for story in stories if story.events[-1].at > stopped_at], "nothing was left to finish"


def test_a_cancelled_order_never_lands_and_one_cancelled_too_late_is_executed(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """Each cancel comes later after a success and earlier after a failure, to hit the moment of signing.

    The steps are a part of the delay, so that the moment is found however many questions fit before it.
    """
    cancelled = set()
    delay = 0
    with running_daemon(tmp_path, QUICK | given_database) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        for _ in range(100):
            order_id = trader.submit(order("SOL", "USDC", "0.01"))
            for _ in range(delay):
                trader.detail(order_id)
            if was_cancelled(trader, order_id):
                cancelled.add(order_id)
                delay += 1 + delay // 4
            else:
                delay -= min(delay, 1 + delay // 4)
        stories = trader.follow_all_to_end(seconds=60)
        audit(trader, stories, ledger, before)

    for story in stories:
        if story.id in cancelled:
            assert story.order.status is OrderStatus.CANCELLED
            assert story.attempts == ()
        else:
            assert story.order.status is OrderStatus.CONFIRMED
    assert cancelled.isdisjoint({transaction.order_id for transaction in ledger.transactions()})
    assert 10 <= len(cancelled) <= 90, "the race was always won by the same side"


def was_cancelled(trader: Trader, order_id: UUID) -> bool:
    """Try to cancel the order. False if the daemon answers that it is too late."""
    try:
        return trader.cancel(order_id).status is OrderStatus.CANCELLED
    except RefusedError as error:
        if error.problem.code is not ErrorCode.ORDER_NOT_CANCELLABLE:
            raise
        return False
