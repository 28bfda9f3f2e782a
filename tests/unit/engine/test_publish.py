"""The publisher drops events that Redis does not accept; subscribers read them from Postgres."""

import threading
from collections.abc import Sequence
from datetime import datetime
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Self, cast

import pytest
import redis
from uuid_utils.compat import uuid7

from db.journal import Moved
from db.models import Order
from orderd.domain.events import AnyFact, Cancelled, OrderEvent
from orderd.domain.order import OrderStatus
from orderd.engine.one_way import Command
from orderd.engine.publish import Publisher, events_of
from tests.unit.domain.test_events import FACTS, NOW

NEWS = cast(
    Moved,
    SimpleNamespace(
        order=SimpleNamespace(id=1, status=OrderStatus.CANCELLED), event=Cancelled(), before=None, fact=None
    ),
)


class FakeRedis:
    """A client, its pool and its only connection."""

    def __init__(self) -> None:
        self.connection_pool = self

    def get_connection(self) -> Self:
        return self

    def can_read(self) -> bool:
        return False

    def pack_commands(self, commands: Sequence[Command]) -> Sequence[Command]:
        return commands

    def send_packed_command(self, commands: Sequence[Command]) -> None:
        """Takes any commands."""

    def read_response(self) -> None:
        """Has no answer but that it is done."""

    def release(self, _: object) -> None:
        """Nothing to be done."""

    def disconnect(self) -> None:
        """Nothing to be done."""


class HangingRedis(FakeRedis):
    """Does not answer until the test lets the call fail."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.fail = threading.Event(), threading.Event()
        self.calls = 0

    def read_response(self) -> None:
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


class RecoveringRedis(FakeRedis):
    """Refuses the first call, and accepts all others."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.taken: SimpleQueue[int] = SimpleQueue()

    def read_response(self) -> None:
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


class ListeningRedis(FakeRedis):
    """Keeps what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[bytes] = []

    def send_packed_command(self, commands: Sequence[Command]) -> None:
        ((_eval, _script, _keys, _channel, _seconds, events, *_),) = commands
        assert isinstance(events, bytes)
        self.events += events_of(events)


@pytest.mark.parametrize("at", [NOW, NOW.replace(microsecond=0), NOW.replace(microsecond=1)], ids=str)
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.kind)
def test_an_event_is_published_the_same_whether_or_not_its_fact_was_encoded_before(fact: AnyFact, at: datetime) -> None:
    order = Order(id=uuid7(), status=OrderStatus.BUILDING)
    event = OrderEvent(order_id=order.id, seq=2, at=at, status=OrderStatus.BUILDING, data=fact)
    before = event.model_copy(update={"seq": 1})
    encoded = fact.model_dump_json().encode()
    client = ListeningRedis()
    publisher = Publisher(cast("redis.Redis", client))
    publisher.publish_now([Moved(order, event, before), Moved(order, event, before, encoded, encoded)])
    publisher.close(20)
    first, second = client.events[:2], client.events[2:]
    assert first == second == [before.model_dump_json().encode(), event.model_dump_json().encode()]
