"""Orders during kills and outages of all services: no valid order fails because of them."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orderd.domain.order import OrderStatus
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.trader import trading
from tests.chaos.storm import DAEMON, ORDERS, ROUGH, SEED, alternating, storm, trade_through

ROUGH_WITHOUT_FAILURES = {**ROUGH, "failure_rate": 0.0}
"""ROUGH without failing programs, because a refusal of a program ends the order."""


STATEMENT_TIMEOUT = "ERROR:  canceling statement due to statement timeout"
"""Postgres' error for a statement that was running while Postgres was stopped."""


@pytest.mark.chaos
@pytest.mark.timeout(1_800)
def test_no_valid_order_fails_because_of_an_outage(tmp_path: Path) -> None:
    with storm(tmp_path, ROUGH_WITHOUT_FAILURES, ORDERD_SIMNET_SEED=str(SEED)) as struck, trading(struck.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        kills = [partial(struck.kill, name) for name in (DAEMON, "gateway", "worker", "simnet", "redis", "postgres")]
        hangs = [partial(struck.hang, name, 5.0) for name in ("simnet", "redis", "postgres", "worker", "gateway")]
        disruptions: list[Callable[[], object]] = [*kills * 2, *hangs * 2, struck.empty_redis]
        random.Random(SEED).shuffle(disruptions)
        trade_through(disruptions, trader.submit_all, alternating(ORDERS), seed=SEED)
        stories = trader.follow_all_to_end(seconds=900)
        audit(trader, stories, ledger, before)
        assert set(logged_errors(tmp_path)) <= {STATEMENT_TIMEOUT}
    ended = {story.id: story.order.error for story in stories if story.order.status is not OrderStatus.CONFIRMED}
    assert ended == {}
    waits = sum(event.data.kind == "deferred" for story in stories for event in story.events)
    print(f"{len(stories)} orders confirmed; {waits} deferrals")  # noqa: T201  (make chaos shows it)
    assert waits, "no order was deferred"
