"""What the queue does, counted from the orders themselves."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Deferred, Failed
from orderd.engine.status_report import StatusReport
from orderd.solana.rpc import RpcClient
from orderd.wire import QueueMetrics, RateLimitUse
from tests.integration.orders import FILL, built, claimed, pending, sign
from tests.sample_facts import CONFIRMED


def report(rate_limit_use: Callable[[], tuple[int, int]], tmp_path: Path) -> StatusReport:
    return StatusReport(
        Settings(state_dir=tmp_path, rate_limit=7, rate_window_seconds=30),
        "wallet",
        RpcClient("http://127.0.0.1:9"),
        redis.Redis(port=9),
        rate_limit_use=rate_limit_use,
        queue_depth=lambda: 0,
        workers=lambda: 0,
    )


def _away() -> tuple[int, int]:
    raise redis.ConnectionError("gone")


@pytest.fixture
def orders_of_all_kinds(connected: str) -> None:
    with database.connection_context():
        pending()
        for delay_ms in (60_000, 0):
            waits = Deferred(until=datetime.now(UTC), reason="slot")
            journal.apply([Change(pending(), waits, None, delay_ms=delay_ms)])
        claimed()
        built()
        sign(built(), "live")
        landed = sign(built(), "landed").order
        end = AttemptEnd("landed", 9, sends=1)
        journal.apply([Change(landed.id, CONFIRMED, landed.version, FILL, attempt_end=end)])
        for _ in range(2):
            refused = claimed()
            failed = Failed(attempt=1, code=ErrorCode.ROUTE_NOT_FOUND, detail="no pool")
            journal.apply([Change(refused.id, failed, refused.version, {"error_code": failed.code})])
        journal.apply([Change(pending(), Cancelled(), None)])


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_orders_are_counted_by_what_they_do_now(tmp_path: Path) -> None:
    assert report(lambda: (3, 2), tmp_path).queue() == QueueMetrics(
        waiting=2,
        active=3,
        delayed=1,
        confirmed=1,
        failed=2,
        rate_limit=RateLimitUse(limit=7, window_seconds=30, used=3, waiting=2),
    )


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_without_redis_the_orders_are_counted_all_the_same(tmp_path: Path) -> None:
    metrics = report(_away, tmp_path).queue()
    assert (metrics.waiting, metrics.rate_limit) == (2, None)


@pytest.mark.usefixtures("connected")
def test_many_who_ask_soon_after_each_other_cost_one_count(tmp_path: Path) -> None:
    asked = report(lambda: (0, 0), tmp_path)
    first = asked.queue()
    with database.connection_context():
        pending()
    assert asked.queue() is first


def test_a_chain_that_does_not_answer_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(OrderdError) as error:
        report(_away, tmp_path).slot()
    assert error.value.code is ErrorCode.RPC_UNAVAILABLE


class _Rented(redis.Redis):
    """Of a provider that forbids CONFIG, as many do."""

    def config_get(self, *args: Any, **options: Any) -> Any:
        raise redis.exceptions.NoPermissionError("this user has no permissions to run the 'config|get' command")


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_a_question_that_a_service_forbids_throws_no_good_answer_away(tmp_path: Path) -> None:
    asked = StatusReport(
        Settings(state_dir=tmp_path),
        "wallet",
        RpcClient("http://127.0.0.1:9"),
        _Rented(),
        rate_limit_use=lambda: (3, 2),
        queue_depth=lambda: 7,
        workers=lambda: 2,
    ).status()

    assert (asked.rate_limit.used, asked.rate_limit.waiting, asked.queue_depth, asked.workers) == (3, 2, 7, 2)
    assert asked.services["redis"].ok
    assert "see that it is noeviction" in asked.services["redis"].detail
