"""Publishes stored changes: events over Redis Pub/Sub, and the newest event of each order in flight under a key.

Redis may lose any of it. Subscribers fill gaps from Postgres, so failures here are only logged.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import orjson
import redis

from db.journal import Moved
from orderd.best_effort import Outbox
from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL
from orderd.engine.one_way import Command, OneWay
from orderd.engine.order_metrics import count

CHANNEL: Final = "orderd:events"
_KEPT_SECONDS: Final = 3600
_BETWEEN: Final = b"\n"
"""No event's JSON has one."""
MOST_AT_ONCE: Final = 32
"""Changes that are sent without a thread: the buffers of a connection hold them even if Redis hangs."""
_PUBLISH: Final = """
redis.call('PUBLISH', KEYS[1], ARGV[2])
for i = 3, #ARGV, 2 do
    if ARGV[i + 1] == '' then redis.call('DEL', ARGV[i])
    else redis.call('SET', ARGV[i], ARGV[i + 1], 'EX', ARGV[1]) end
end
"""
"""KEYS channel, ARGV seconds and events, then for each order: its key, and its newest event or '' at its end."""


def events_of(message: bytes) -> list[bytes]:
    """The JSON of each event in a message of the channel, in order."""
    return message.split(_BETWEEN)


def active_key(order_id: object) -> str:
    """The key of an order in flight."""
    return f"active:order:{order_id}"


class Publisher:
    """Publishes only after the commit, so that no client sees unstored changes.

    No order waits for Redis. A few changes are sent by the thread that made them, which does not wait for the answer;
    while Redis is slow, and if there are many, another thread sends them, and changes that arrive together are one
    message.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = OneWay("publish", client)
        self._news = Outbox("publish", self.publish_now, at_once=self._try_to_publish)

    def publish(self, changes: Sequence[Moved]) -> None:
        """Count changes that are committed, and publish them in the given order."""
        count(changes)
        self._news.put(changes)

    def close(self, seconds: float) -> None:
        """Publish the pending changes within ``seconds``."""
        self._news.close(seconds)
        self._redis.close()

    def commands(self, changes: Sequence[Moved]) -> list[Command]:
        """The commands that publish these changes."""
        return [_command(changes)] if changes else []

    def publish_now(self, changes: Sequence[Moved]) -> None:
        """Publish changes, and wait until Redis has answered. Raises redis.RedisError."""
        if changes:
            self._redis.send(self.commands(changes))

    def _try_to_publish(self, changes: Sequence[Moved]) -> bool:
        return len(changes) <= MOST_AT_ONCE and self._redis.try_to_send(lambda: self.commands(changes))


def _command(changes: Sequence[Moved]) -> Command:
    events: list[bytes] = []
    newest: dict[str, bytes] = {}
    for moved in changes:
        if moved.before is not None:
            events.append(event_json(moved.before, moved.fact_before))
        events.append(event_json(moved.event, moved.fact))
        newest[active_key(moved.order.id)] = b"" if moved.order.status in TERMINAL else events[-1]
    command: list[str | bytes | int] = ["EVAL", _PUBLISH, 1, CHANNEL, _KEPT_SECONDS, _BETWEEN.join(events)]
    command += chain.from_iterable(newest.items())
    return command


def event_json(event: OrderEvent, fact: bytes | None) -> bytes:
    """The JSON of an event, around that of its fact if it was made for the statement: Pydantic would make it again."""
    if fact is None:
        return event.__pydantic_serializer__.to_json(event)
    members = {"order_id": event.order_id, "seq": event.seq, "at": event.at, "status": event.status}
    return orjson.dumps(members | {"data": orjson.Fragment(fact)}, option=orjson.OPT_UTC_Z)
