"""Dispatch handles waits, retries, lost messages and lost workers with one loop over Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from redis import ConnectionError as RedisDown

from db import journal
from db.connection import database
from db.journal import Change
from db.leases import InLine
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import RATE_LIMIT, Cancelled, Deferred, Triggered
from orderd.domain.order import OrderKind, OrderStatus
from orderd.engine import views
from orderd.engine.dispatch import MAX_LOSSES, Dispatch
from orderd.engine.publish import Publisher
from tests.integration.engine.conftest import Queue
from tests.integration.orders import built, claimed, lapse, new_order, pending, read, sign
from tests.integration.statements import executed


@pytest.fixture
def dispatch(publisher: Publisher, queue: Queue) -> Dispatch:
    return Dispatch(publisher, queue.send, queue.depth)


def test_a_pass_without_work_takes_one_statement(dispatch: Dispatch) -> None:
    pending()
    dispatch.run_once()
    with executed() as statements:
        assert dispatch.run_once() == 0
    assert len(statements) == 1


def test_a_lost_message_is_sent_again(dispatch: Dispatch, queue: Queue) -> None:
    order_id = pending()
    assert dispatch.run_once() == 0
    lapse(order_id)
    assert dispatch.run_once() == 1
    assert queue.sent == [order_id]


def test_a_message_in_a_long_queue_is_not_sent_again(dispatch: Dispatch, queue: Queue) -> None:
    orders = journal.accept([new_order() for _ in range(3)])
    for moved in orders:
        lapse(moved.order.id)
    queue.others = 1_000
    assert dispatch.run_once() == 0
    assert queue.sent == []
    queue.others = 999
    assert dispatch.run_once() == 3


def test_orders_of_a_lost_worker_return_to_the_queue(dispatch: Dispatch, queue: Queue) -> None:
    orders = [claimed(), built()]
    for order in orders:
        lapse(order.id)
    dispatch.run_once()
    assert queue.sent == [order.id for order in orders]
    assert {read(order.id).status for order in orders} == {OrderStatus.PENDING}


def test_a_signed_order_is_left_to_settlement(dispatch: Dispatch, queue: Queue) -> None:
    order = sign(built(), "sig").order
    lapse(order.id)
    dispatch.run_once()
    assert queue.sent == []
    assert read(order.id).status is OrderStatus.SUBMITTED


def test_a_deferred_order_waits_and_keeps_its_attempts(dispatch: Dispatch, queue: Queue) -> None:
    order_id = pending()
    dispatch.defer({order_id: timedelta(minutes=5)}, "rate limit")
    assert dispatch.run_once() == 0
    event = views.events_after(order_id, 1)[0]
    order = read(order_id)
    assert isinstance(event.data, Deferred)
    assert (event.data.until, order.failures, order.status) == (order.due_at, 0, OrderStatus.PENDING)
    dispatch.defer({order_id: timedelta(0)}, "rate limit")
    assert dispatch.run_once() == 1


@dataclass
class Line:
    """A rate limit with ``free`` starts; ``first`` are the orders that it got as the head of the line."""

    free_starts: int
    first: list[InLine] = field(default_factory=list)
    most: int = 3

    def free(self, first: Sequence[InLine]) -> int:
        self.first = [*first]
        return self.free_starts


def test_the_first_in_line_are_woken_while_starts_are_free(publisher: Publisher, queue: Queue) -> None:
    line = Line(free_starts=2)
    dispatch = Dispatch(publisher, queue.send, queue.depth, line=line)
    orders = [pending() for _ in range(6)]
    for order_id in reversed(orders):
        dispatch.defer({order_id: timedelta(hours=2)}, RATE_LIMIT)
    journal.apply([Change(orders[0], Cancelled(), None)])
    dispatch.defer({orders[1]: timedelta(hours=2)}, "something else")
    assert dispatch.run_once() == 2
    assert queue.sent == orders[2:4]
    assert line.first == [(order_id, False) for order_id in orders[2:5]]
    assert dispatch.run_once() == 0, "orders that were woken but not started are still first in line"


def test_a_fired_stop_is_woken_before_older_orders(publisher: Publisher, queue: Queue) -> None:
    line = Line(free_starts=1)
    dispatch = Dispatch(publisher, queue.send, queue.depth, line=line)
    older = pending()
    stop = pending(kind=OrderKind.STOP, stop_price="95")
    fact = Triggered(price="95", amount_out="142", condition="95", slot=9, met_at_slot=9)
    journal.apply([Change(stop, fact, None, to=OrderStatus.PENDING)])
    for order_id in (older, stop):
        dispatch.defer({order_id: timedelta(hours=2)}, RATE_LIMIT)
    assert dispatch.run_once() == 1
    assert (queue.sent, line.first) == ([stop], [(stop, True), (older, False)])


def test_a_wait_is_reported_once_for_each_reason(dispatch: Dispatch) -> None:
    order_id = pending()
    for reason in ("rate limit", "rate limit", "orders in flight", "rate limit"):
        assert dispatch.defer({order_id: timedelta(minutes=5)}, reason)
    facts = [event.data for event in views.events_after(order_id, 1)]
    assert [fact.reason for fact in facts if isinstance(fact, Deferred)] == [
        "rate limit",
        "orders in flight",
        "rate limit",
    ]
    before = read(order_id)
    assert dispatch.defer({order_id: timedelta(minutes=1)}, "rate limit")
    after = read(order_id)
    assert (after.seq, after.updated_at) == (before.seq, before.updated_at)
    assert before.due_at is not None
    assert after.due_at is not None
    assert after.due_at < before.due_at, "the estimate did not change"


def test_an_order_that_is_no_longer_in_line_cannot_be_deferred(dispatch: Dispatch) -> None:
    order = claimed()
    assert not dispatch.defer({order.id: timedelta(minutes=5)}, RATE_LIMIT)
    assert read(order.id).version == order.version


def test_no_order_is_lost_while_the_queue_is_down(dispatch: Dispatch, queue: Queue) -> None:
    starts, waits = pending(), pending()
    dispatch.defer({waits: timedelta(0)}, OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused"))
    lapse(starts)
    queue.outage = RedisDown("refused")
    with pytest.raises(RedisDown):
        dispatch.run_once()
    queue.outage = None
    assert dispatch.run_once() == 2
    assert (queue.sent, queue.looking) == ([starts, waits], [waits])


def test_an_order_whose_workers_keep_dying_is_given_up(dispatch: Dispatch, queue: Queue) -> None:
    order = claimed()
    database.execute_sql("UPDATE orders SET losses = %s WHERE id = %s", (MAX_LOSSES - 1, str(order.id)))
    lapse(order.id)
    assert dispatch.run_once() == 0
    failed = read(order.id)
    assert (failed.status, failed.error_code) == (OrderStatus.FAILED, ErrorCode.SERVICE_CRASH_LOOP)
