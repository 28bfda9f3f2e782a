"""A broker on the test's own Redis, and workers that are stopped after the test."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from queue import SimpleQueue
from uuid import UUID

import dramatiq
import pytest
import redis
from dramatiq import Worker

from orderd.queue.broker import ACTOR, QUEUE, OrderBroker, redis_client

StartWorker = Callable[[OrderBroker], "SimpleQueue[str]"]


@pytest.fixture
def client(redis_url: str) -> "Iterator[redis.Redis]":
    with redis_client(redis_url) as client:
        yield client


@pytest.fixture
def broker(client: "redis.Redis") -> OrderBroker:
    return OrderBroker(client)


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """Starts a worker with one thread, whose actor puts the order ids it gets into the returned queue."""
    with ExitStack() as workers:

        def start(broker: OrderBroker) -> "SimpleQueue[str]":
            worked: SimpleQueue[str] = SimpleQueue()

            @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
            def execute_order(order_ids: list[str]) -> None:
                for order_id in order_ids:
                    worked.put(order_id)

            worker = Worker(broker, worker_threads=1, worker_timeout=50)
            worker.start()
            workers.callback(worker.stop, timeout=10_000)
            return worked

        yield start


def send_apart(broker: OrderBroker, order_ids: Sequence[UUID]) -> None:
    """Send each order in its own message."""
    for order_id in order_ids:
        broker.send([order_id])
