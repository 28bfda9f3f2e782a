"""Orders are counted and timed when they are stored, even if publishing fails."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.journal import Moved
from db.models import Order
from orderd.domain.errors import ErrorCode
from orderd.domain.events import (
    RATE_LIMIT,
    AnyFact,
    Cancelled,
    Confirmed,
    Deferred,
    Expired,
    Failed,
    OrderEvent,
    Retrying,
    Started,
    Submitted,
    Unknown,
)
from orderd.domain.order import OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.engine.order_metrics import count, count_landing
from tests.samples.counted import Counted
from tests.unit.engine.orders import order_of

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def counted() -> Counted:
    return Counted()


class Story:
    """An order and its consecutive facts, each some seconds after its acceptance."""

    def __init__(self, what: str = "market", **row: Any) -> None:
        self.order: Order = order_of(what, starts=1, created_at=BEGAN, venue="raydium")
        self.order.id = uuid4()
        for name, value in row.items():
            setattr(self.order, name, value)

    def happen(self, after: float, fact: AnyFact, status: OrderStatus) -> Moved:
        at = BEGAN + timedelta(seconds=after)
        moved = Moved(self.order, OrderEvent(order_id=self.order.id, seq=1, at=at, status=status, data=fact))
        count([moved])
        return moved

    def sign(self, started: float, signed: float) -> None:
        self.happen(started, Started(attempt=1), OrderStatus.ROUTING)
        self.order.signature = "signature"
        self.happen(
            signed, Submitted(attempt=1, signature="signature", last_valid_block_height=9), OrderStatus.SUBMITTED
        )


def confirmed(slot: int = 107) -> Confirmed:
    return Confirmed(
        attempt=1,
        signature="signature",
        venue=VenueName.RAYDIUM,
        slot=slot,
        amount_in="1",
        amount_out="1",
        executed_price="1",
        network_fee="0",
    )


def test_a_fill_is_counted_timed_and_compared_with_its_quote(counted: Counted) -> None:
    story = Story(quoted_amount_out=10_000, filled_out=9_980)
    story.sign(started=1.0, signed=1.5)
    filled = story.happen(3.5, confirmed(), OrderStatus.CONFIRMED)
    count_landing([filled], {story.order.id: 104})
    assert counted("orderd_orders_ended_total", outcome="confirmed", reason="none") == 1
    assert counted("orderd_attempts_total", venue="raydium", result="filled") == 1
    for stage, seconds in {"start": 1.0, "sign": 0.5, "land": 2.0, "fill": 3.5}.items():
        assert counted("orderd_order_stage_seconds_count", stage=stage) == 1
        assert counted("orderd_order_stage_seconds_sum", stage=stage) == pytest.approx(seconds)
    assert counted("orderd_fill_against_quote_bps_bucket", le="-20.0") == 1, "the fill was 20 bps below its quote"
    assert counted("orderd_fill_against_quote_bps_bucket", le="-50.0") == 0
    assert counted("orderd_landing_slots_sum") == 3


def test_a_purchase_that_cost_less_is_above_its_quote(counted: Counted) -> None:
    story = Story(exact_out=5, quoted_amount_in=10_000, filled_in=9_990)
    story.happen(1, confirmed(), OrderStatus.CONFIRMED)
    assert counted("orderd_fill_against_quote_bps_bucket", le="10.0") == 1
    assert counted("orderd_fill_against_quote_bps_bucket", le="5.0") == 0


def test_a_failed_attempt_is_counted_by_its_code_and_only_a_signed_one_by_its_landing(counted: Counted) -> None:
    story, code = Story(failures=0), ErrorCode.TX_SLIPPAGE_EXCEEDED
    story.sign(started=1, signed=2)
    story.happen(4, Retrying(attempt=1, code=code, detail="", until=BEGAN), OrderStatus.PENDING)
    story.order.signature = None
    story.happen(5, Started(attempt=2), OrderStatus.ROUTING)
    story.happen(6, Failed(attempt=2, code=ErrorCode.ROUTE_NOT_FOUND, detail=""), OrderStatus.FAILED)
    assert counted("orderd_attempts_total", venue="raydium", result=code) == 1
    assert counted("orderd_attempts_total", venue="raydium", result=ErrorCode.ROUTE_NOT_FOUND) == 1
    assert counted("orderd_order_stage_seconds_count", stage="land") == 1
    assert counted("orderd_orders_ended_total", outcome="failed", reason=ErrorCode.ROUTE_NOT_FOUND) == 1


def test_ends_without_an_attempt_are_counted_by_reason(counted: Counted) -> None:
    Story().happen(1, Cancelled(), OrderStatus.CANCELLED)
    Story().happen(1, Expired(detail=""), OrderStatus.EXPIRED)
    assert counted("orderd_orders_ended_total", outcome="cancelled", reason="none") == 1
    assert counted("orderd_orders_ended_total", outcome="expired", reason=ErrorCode.ORDER_EXPIRED) == 1


def test_a_wait_is_counted_by_reason_and_a_wait_for_a_start_is_timed(counted: Counted) -> None:
    until = BEGAN + timedelta(seconds=31)
    Story().happen(1, Deferred(until=until, reason=RATE_LIMIT), OrderStatus.PENDING)
    away = Deferred(until=until, reason="Chain away", code=ErrorCode.RPC_UNAVAILABLE, detail="")
    Story().happen(1, away, OrderStatus.PENDING)
    assert counted("orderd_deferrals_total", reason=RATE_LIMIT) == 1
    assert counted("orderd_deferrals_total", reason=ErrorCode.RPC_UNAVAILABLE) == 1
    assert counted("orderd_rate_limit_wait_seconds_sum") == 30


def test_a_triggered_order_is_timed_from_its_trigger(counted: Counted) -> None:
    story = Story("stop", triggered_at=BEGAN + timedelta(seconds=60), failures=0)
    story.happen(60.25, Started(attempt=1), OrderStatus.ROUTING)
    assert counted("orderd_trigger_delay_seconds_sum") == 0.25
    assert counted("orderd_order_stage_seconds_count", stage="start") == 0


def test_a_parent_order_is_counted_once(counted: Counted) -> None:
    family = Story("market", partial=True, quoted_amount_out=10, filled_out=10)
    family.happen(9, confirmed(), OrderStatus.CONFIRMED)
    assert counted("orderd_orders_ended_total", outcome="confirmed", reason="none") == 1
    assert counted("orderd_attempts_total", venue="raydium", result="filled") == 0
    assert counted("orderd_order_stage_seconds_count", stage="fill") == 0


def test_an_unknown_outcome_is_counted(counted: Counted) -> None:
    Story().happen(400, Unknown(attempt=1, signature="signature"), OrderStatus.SUBMITTED)
    assert counted("orderd_unknown_outcomes_total") == 1


def test_a_landing_without_details_is_not_counted(counted: Counted) -> None:
    story = Story()
    failed = story.happen(1, Failed(attempt=1, code=ErrorCode.TX_EXPIRED, detail=""), OrderStatus.FAILED)
    filled = Story().happen(1, confirmed(), OrderStatus.CONFIRMED)
    count_landing([failed, filled], {story.order.id: 3, UUID(int=7): 3})
    assert counted("orderd_landing_slots_count") == 0


def test_an_error_in_a_metric_stops_nothing(counted: Counted) -> None:
    broken = Moved(None, None)  # type: ignore[arg-type]
    count([broken])
    assert counted("orderd_best_effort_failures_total", what="metrics") == 1
