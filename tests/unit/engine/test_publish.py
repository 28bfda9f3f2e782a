"""The publisher drops events that Redis does not accept; subscribers read them from Postgres."""

import threading
from queue import SimpleQueue
from types import SimpleNamespace
from typing import cast

import redis

from db.journal import Moved
from orderd.domain.events import Cancelled
from orderd.domain.order import OrderStatus
from orderd.engine.publish import Publisher

NEWS = cast(
    Moved, SimpleNamespace(order=SimpleNamespace(id=1, status=OrderStatus.CANCELLED), event=Cancelled(), before=None)
)


class HangingRedis:
    """Does not answer until the test lets the call fail."""

    def __init__(self) -> None:
        self.asked, self.fail = threading.Event(), threading.Event()
        self.calls = 0

    def eval(self, *_: object) -> None:
        self.calls += 1
        self.asked.set()
        self.fail.wait(20)
        raise redis.TimeoutError("Timeout reading from socket")


def test_events_do_not_accumulate_while_redis_hangs() -> None:
    client = HangingRedis()
    publisher = Publisher(cast("redis.Redis", client))
    publisher.publish([NEWS])
    assert client.asked.wait(20)
    publisher.publish([NEWS] * 10_000)
    client.fail.set()
    publisher.close(20)
    assert client.calls == 1


class RecoveringRedis:
    """Refuses the first call, and accepts all others."""

    def __init__(self) -> None:
        self.calls = 0
        self.taken: SimpleQueue[int] = SimpleQueue()

    def eval(self, *_: object) -> None:
        self.calls += 1
        if self.calls == 1:
            raise redis.ConnectionError("Connection refused")
        self.taken.put(self.calls)


def test_events_are_published_again_after_an_outage_of_redis() -> None:
    client = RecoveringRedis()
    publisher = Publisher(cast("redis.Redis", client))
    publisher.publish([NEWS])
    while client.taken.empty():  # events during the first call are dropped with it
        assert publisher._news._thread.is_alive()
        publisher.publish([NEWS])
    publisher.close(20)
    assert client.calls > 1
