"""Orders in the queue, on a real Redis."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from dramatiq import Message
from dramatiq.broker import MessageProxy
from uuid_utils.compat import uuid7

from orderd.embedded.redis import Redis
from orderd.engine.execution import preparation
from orderd.queue.broker import (
    ACTOR,
    MAX_ORDERS_PER_MESSAGE,
    QUEUE,
    OrderBroker,
    OrderConsumer,
    orders_of,
    redis_client,
)
from tests.integration.queue.conftest import StartWorker, send_apart

PATIENCE = 20
NEVER_MS = 60_000
"""Longer than any wait of a test: a message that arrives earlier was delivered because the consumer was woken."""
KEY = "orderd:queue:orders"


def new_ids(count: int) -> list[UUID]:
    return [uuid7() for _ in range(count)]


def order_of(message: MessageProxy) -> UUID:
    (order_id,) = orders_of(message)
    return order_id


def take_message(consumer: OrderConsumer) -> MessageProxy:
    """The next message, however long it takes."""
    while True:
        if (message := next(consumer)) is not None:
            return message


def take(consumer: OrderConsumer) -> UUID:
    """Take and acknowledge the next message, which must have one order."""
    message = take_message(consumer)
    consumer.ack(message)
    return order_of(message)


def take_together(consumer: OrderConsumer) -> list[UUID]:
    """Take and acknowledge the next message; returns its orders."""
    message = take_message(consumer)
    consumer.ack(message)
    return orders_of(message)


def patient_consumer(url: str, prefetch: int) -> OrderConsumer:
    """A consumer of another process that polls only when it is woken."""
    return OrderConsumer(OrderBroker(redis.Redis.from_url(url)), QUEUE, prefetch, NEVER_MS)


def wait_for_idle_consumers(client: "redis.Redis", count: int) -> None:
    while sum(row["cmd"] == "blmove" for row in client.client_list()) < count:
        pass


def left_in_redis(client: "redis.Redis") -> dict[str, Any]:
    acks = list(client.keys("orderd:queue:__acks__*"))
    return {"waiting": client.llen(KEY), "messages": client.hlen(f"{KEY}.msgs"), "unacknowledged": acks}


NOTHING = {"waiting": 0, "messages": 0, "unacknowledged": []}


def test_many_orders_share_a_message(broker: OrderBroker, client: "redis.Redis", start_worker: StartWorker) -> None:
    sent = new_ids(2 * MAX_ORDERS_PER_MESSAGE + 1)
    broker.send(sent)
    assert left_in_redis(client)["waiting"] == 3
    worked = start_worker(broker)
    assert [UUID(worked.get(timeout=PATIENCE)) for _ in sent] == sent


def test_orders_reach_the_actor_in_the_order_they_were_sent(broker: OrderBroker, start_worker: StartWorker) -> None:
    sent = new_ids(50)
    send_apart(broker, sent)
    assert broker.depth() == 50
    worked = start_worker(broker)
    assert [worked.get(timeout=PATIENCE) for _ in sent] == [str(order_id) for order_id in sent]


def test_an_idle_consumer_is_woken(redis_url: str, broker: OrderBroker, client: "redis.Redis") -> None:
    with ThreadPoolExecutor() as threads:
        consumer = patient_consumer(redis_url, prefetch=4)
        for order_id in new_ids(3):
            taken = threads.submit(take, consumer)
            wait_for_idle_consumers(client, 1)
            broker.send([order_id])
            assert taken.result(PATIENCE) == order_id


def test_all_idle_processes_are_woken_at_once(redis_url: str, broker: OrderBroker, client: "redis.Redis") -> None:
    with ThreadPoolExecutor() as threads:
        taken: list[Future[UUID]] = []
        for _ in range(3):
            taken.append(threads.submit(take, patient_consumer(redis_url, prefetch=1)))
        wait_for_idle_consumers(client, 3)
        sent = new_ids(3)
        send_apart(broker, sent)
        assert {each.result(PATIENCE) for each in taken} == set(sent)


def test_a_consumer_keeps_waiting_after_redis_was_emptied(
    redis_url: str, broker: OrderBroker, client: "redis.Redis"
) -> None:
    with ThreadPoolExecutor() as threads:
        taken = threads.submit(take, patient_consumer(redis_url, prefetch=4))
        wait_for_idle_consumers(client, 1)
        client.flushall()
        (order_id,) = new_ids(1)
        broker.send([order_id])
        assert taken.result(PATIENCE) == order_id


def test_a_worker_survives_a_restart_of_redis(tmp_path: Path, start_worker: StartWorker) -> None:
    server = Redis(tmp_path)
    child = server.start()
    broker = OrderBroker(redis_client(server.url))
    worked = start_worker(broker)
    before, after = new_ids(2)
    broker.send([before])
    assert worked.get(timeout=PATIENCE) == str(before)
    child.stop()
    with pytest.raises(redis.ConnectionError):
        broker.send([after])
    child = server.start()
    broker.send([after])
    try:
        assert worked.get(timeout=PATIENCE) == str(after)
    finally:
        child.stop()


def test_an_emptied_redis_is_detected_once(redis_url: str, broker: OrderBroker, client: "redis.Redis") -> None:
    another = OrderBroker(redis_client(redis_url))
    assert [broker.has_lost_messages(), another.has_lost_messages()] == [True, False], "one consumer detects the loss"
    client.flushall()
    assert [another.has_lost_messages(), broker.has_lost_messages()] == [True, False]


def test_a_restart_of_redis_is_detected(tmp_path: Path) -> None:
    server = Redis(tmp_path)
    child = server.start()
    broker = OrderBroker(redis_client(server.url))
    assert [broker.has_lost_messages(), broker.has_lost_messages()] == [True, False]
    child.stop()
    child = server.start()
    assert [broker.has_lost_messages(), broker.has_lost_messages()] == [True, False]
    child.stop()


def test_waiting_messages_are_joined(broker: OrderBroker, client: "redis.Redis") -> None:
    sent = new_ids(6)
    for start in range(0, 6, 2):
        broker.send(sent[start : start + 2])
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    assert take_together(consumer) == sent
    consumer.close()
    assert left_in_redis(client) == NOTHING


@pytest.fixture
def handed_out(broker: OrderBroker, monkeypatch: pytest.MonkeyPatch) -> tuple[OrderConsumer, MessageProxy]:
    """A consumer that waits long for preparations, and a message that it has handed out."""
    monkeypatch.setattr(preparation, "_SECONDS", PATIENCE)
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    broker.send(new_ids(1))
    return consumer, take_message(consumer)


def test_messages_that_arrive_while_a_turn_is_prepared_are_joined(
    broker: OrderBroker, handed_out: tuple[OrderConsumer, MessageProxy]
) -> None:
    consumer, _ = handed_out
    later = new_ids(2)
    with ThreadPoolExecutor() as threads, broker.preparation.held() as prepared:
        taken = threads.submit(take_together, consumer)
        send_apart(broker, later)
        prepared()
        assert taken.result(PATIENCE) == later


def test_messages_wait_from_when_a_turn_is_handed_out_until_it_is_skipped(
    broker: OrderBroker, handed_out: tuple[OrderConsumer, MessageProxy]
) -> None:
    consumer, skipped = handed_out
    later = new_ids(2)
    with ThreadPoolExecutor() as threads:
        taken = threads.submit(take_together, consumer)
        send_apart(broker, later)
        consumer.ack(skipped)
        assert taken.result(PATIENCE) == later


def test_no_message_waits_for_a_check(broker: OrderBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "_SECONDS", NEVER_MS / 1000)
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    checked, starts = new_ids(2)
    broker.send([checked], check_first=True)
    message = take_message(consumer)
    broker.send([starts])
    with ThreadPoolExecutor() as threads:
        taken = threads.submit(take, consumer)
        try:
            assert taken.result(PATIENCE) == starts
        finally:
            consumer.ack(message)


def test_joined_messages_do_not_exceed_the_maximum_batch(broker: OrderBroker, client: "redis.Redis") -> None:
    first, second, third = new_ids(MAX_ORDERS_PER_MESSAGE - 2), new_ids(2), new_ids(1)
    for together in (first, second, third):
        broker.send(together)
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    assert [take_together(consumer) for _ in range(2)] == [first + second, third]
    consumer.close()
    assert left_in_redis(client) == NOTHING


def test_an_order_with_two_messages_is_delivered_once(broker: OrderBroker, client: "redis.Redis") -> None:
    sent = new_ids(2)
    broker.send(sent)
    broker.send(sent)
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    assert take_together(consumer) == sent
    consumer.close()
    assert left_in_redis(client) == NOTHING


def test_orders_that_are_checked_first_are_not_joined(broker: OrderBroker) -> None:
    *look, first, second = new_ids(4)
    broker.send([first])
    broker.send(look, check_first=True)
    broker.send([second])
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    assert [take_together(consumer) for _ in range(3)] == [[first], look, [second]]


def test_messages_of_an_older_release_name_one_order(broker: OrderBroker) -> None:
    old, new = new_ids(2)
    broker.enqueue(Message(QUEUE, ACTOR, (str(old),), {}, {}))
    broker.send([new])
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    assert [take(consumer) for _ in range(2)] == [old, new]


def test_acknowledged_messages_leave_nothing_in_redis(broker: OrderBroker, client: "redis.Redis") -> None:
    sent = new_ids(30)
    send_apart(broker, sent)
    consumer = OrderConsumer(broker, QUEUE, prefetch=4, timeout=10)
    done: list[UUID] = []
    while len(done) < 30:
        done += take_together(consumer)
    assert done == sent
    consumer.close()
    assert left_in_redis(client) == NOTHING


def test_no_message_is_fetched_beyond_the_prefetch_while_all_threads_are_busy(broker: OrderBroker) -> None:
    """The prefetch is two messages per thread, and this process has two."""
    consumer = OrderConsumer(broker, QUEUE, prefetch=4, timeout=10)
    sent = new_ids(6)
    held: list[MessageProxy] = []
    for order_id in sent[:2]:
        broker.send([order_id])
        held.append(take_message(consumer))
    send_apart(broker, sent[2:])
    assert next(consumer) is None
    assert broker.depth() == 4, "the remaining messages are available to other processes"
    consumer.ack(held[0])
    assert take_together(consumer) == sent[2:4]
    assert broker.depth() == 2


def test_a_stopping_process_returns_messages_that_it_has_not_started(
    broker: OrderBroker, client: "redis.Redis"
) -> None:
    """Both messages that wait, and joined messages handed to a thread that has not started them."""
    first, second, waits = new_ids(1), new_ids(1), new_ids(MAX_ORDERS_PER_MESSAGE)
    for together in (first, second, waits):
        broker.send(together)
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    handed_out = take_message(consumer)
    assert orders_of(handed_out) == first + second
    consumer.requeue([handed_out])
    consumer.close()
    assert left_in_redis(client) == {"waiting": 3, "messages": 3, "unacknowledged": []}
    successor = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    taken = [*take_together(successor), *take_together(successor)]
    assert sorted(taken) == sorted(first + second + waits)


def test_acknowledgements_survive_a_lost_connection(
    broker: OrderBroker, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise redis.ConnectionError("the connection is lost")

    broker.send(new_ids(1))
    consumer = OrderConsumer(broker, QUEUE, prefetch=1, timeout=10)
    take(consumer)
    with monkeypatch.context() as patched:
        patched.setattr(broker, "fetch", refuse)
        assert next(consumer) is None
    assert left_in_redis(client)["messages"] == 1
    assert next(consumer) is None
    assert left_in_redis(client) == NOTHING


def test_messages_of_a_dead_process_are_redelivered(redis_url: str, broker: OrderBroker, client: "redis.Redis") -> None:
    sent = new_ids(3)
    send_apart(broker, sent)
    dead = OrderBroker(redis_client(redis_url))
    assert orders_of(take_message(OrderConsumer(dead, QUEUE, prefetch=8, timeout=10))) == sent
    client.zadd("orderd:queue:__heartbeats__", {dead.broker_id: 0})
    consumer = OrderConsumer(broker, QUEUE, prefetch=8, timeout=10)
    assert sorted(take_together(consumer)) == sent
    consumer.close()
    assert left_in_redis(client) == NOTHING


def test_an_unreadable_message_is_dropped(broker: OrderBroker, client: "redis.Redis") -> None:
    client.hset(f"{KEY}.msgs", "1", "no json")
    client.rpush(KEY, "1", "an id without data")
    (order_id,) = new_ids(1)
    broker.send([order_id])
    assert take(OrderConsumer(broker, QUEUE, prefetch=4, timeout=10)) == order_id


def test_a_thread_is_free_again_although_redis_does_not_take_the_dead_letter(
    broker: OrderBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise redis.ConnectionError("the connection is lost")

    (order_id,) = new_ids(1)
    broker.enqueue(Message(QUEUE, "no_such_actor", ([str(order_id)],), {}, {}))
    consumer = OrderConsumer(broker, QUEUE, prefetch=2, timeout=10)
    message = take_message(consumer)
    monkeypatch.setattr(broker, "do_nack", refuse)
    with pytest.raises(redis.ConnectionError):
        consumer.nack(message)
    broker.send([order_id])
    assert take(consumer) == order_id


def test_a_message_for_an_unknown_actor_is_kept_among_the_dead_letters(
    broker: OrderBroker, client: "redis.Redis", start_worker: StartWorker
) -> None:
    broker.enqueue(Message(QUEUE, "nobody", ("x",), {}, {}))
    (order_id,) = new_ids(1)
    broker.send([order_id])
    assert start_worker(broker).get(timeout=PATIENCE) == str(order_id)
    assert client.zcard(f"{KEY}.XQ") == 1
