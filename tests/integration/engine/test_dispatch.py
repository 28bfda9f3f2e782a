"""Dispatch serves waits, retries, lost messages and lost workers with one loop over Postgres."""

from datetime import timedelta

import pytest
from redis import ConnectionError as RedisDown

from db import journal
from db.connection import database
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Deferred
from orderd.domain.order import OrderStatus
from orderd.engine import views
from orderd.engine.dispatch import MAX_STARTS, Dispatch
from orderd.engine.publish import Publisher
from tests.integration.engine.conftest import Queue
from tests.integration.orders import built, claimed, lapse, new_order, pending, read, sign


@pytest.fixture
def dispatch(publisher: Publisher, queue: Queue) -> Dispatch:
    return Dispatch(publisher, queue.send, queue.depth)


def test_a_lost_message_is_sent_again(dispatch: Dispatch, queue: Queue) -> None:
    order_id = pending()
    assert dispatch.run_once() == 0
    lapse(order_id)
    assert dispatch.run_once() == 1
    assert queue.sent == [order_id]


def test_what_waits_in_a_long_queue_is_not_put_in_it_again_and_again(dispatch: Dispatch, queue: Queue) -> None:
    orders = journal.accept([new_order() for _ in range(3)])
    for moved in orders:
        lapse(moved.order.id)
    queue.others = 1_000
    assert dispatch.run_once() == 0
    assert queue.sent == []
    queue.others = 999
    assert dispatch.run_once() == 3


def test_the_orders_of_a_lost_worker_go_back_to_the_queue(dispatch: Dispatch, queue: Queue) -> None:
    orders = [claimed(), built()]
    for order in orders:
        lapse(order.id)
    dispatch.run_once()
    assert queue.sent == [order.id for order in orders]
    assert {read(order.id).status for order in orders} == {OrderStatus.PENDING}


def test_what_is_signed_is_left_to_settlement(dispatch: Dispatch, queue: Queue) -> None:
    order = sign(built(), "sig").order
    lapse(order.id)
    dispatch.run_once()
    assert queue.sent == []
    assert read(order.id).status is OrderStatus.SUBMITTED


def test_a_deferred_order_waits_for_its_slot_and_keeps_its_attempts(dispatch: Dispatch, queue: Queue) -> None:
    order_id = pending()
    dispatch.defer(order_id, timedelta(minutes=5), "rate limit")
    assert dispatch.run_once() == 0
    event = views.events_after(order_id, 1)[0]
    order = read(order_id)
    assert isinstance(event.data, Deferred)
    assert (event.data.until, order.failures, order.status) == (order.due_at, 0, OrderStatus.PENDING)
    dispatch.defer(order_id, timedelta(0), "rate limit")
    assert dispatch.run_once() == 1


def test_a_queue_that_is_down_loses_nothing(dispatch: Dispatch, queue: Queue) -> None:
    order_id = pending()
    lapse(order_id)
    queue.outage = RedisDown("refused")
    with pytest.raises(RedisDown):
        dispatch.run_once()
    queue.outage = None
    assert dispatch.run_once() == 1
    assert queue.sent == [order_id]


def test_an_order_that_stops_its_workers_is_given_up(dispatch: Dispatch, queue: Queue) -> None:
    order = claimed()
    database.execute_sql("UPDATE orders SET starts = %s WHERE id = %s", (MAX_STARTS, str(order.id)))
    lapse(order.id)
    assert dispatch.run_once() == 0
    failed = read(order.id)
    assert (failed.status, failed.error_code) == (OrderStatus.FAILED, ErrorCode.SERVICE_CRASH_LOOP)
