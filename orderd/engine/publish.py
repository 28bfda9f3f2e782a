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
from orderd.engine.order_metrics import count

CHANNEL: Final = "orderd:events"
_KEPT_SECONDS: Final = 3600
_BETWEEN: Final = b"\n"
"""No event's JSON has one."""
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

    A separate thread writes to Redis, so that no order waits for it, and changes that arrive together are one message.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._news = Outbox("publish", self.publish_now)

    def publish(self, changes: Sequence[Moved]) -> None:
        """Count changes that are committed, and publish them in the given order."""
        count(changes)
        self._news.put(changes)

    def close(self, seconds: float) -> None:
        """Publish the pending changes within ``seconds``."""
        self._news.close(seconds)

    def publish_now(self, changes: Sequence[Moved], client: "redis.Redis | None" = None) -> None:
        """Publish them now, or with the other commands of the pipeline ``client``. Raises redis.RedisError."""
        if not changes:
            return
        events: list[bytes] = []
        newest: dict[str, bytes] = {}
        for moved in changes:
            if moved.before is not None:
                events.append(_json(moved.before, moved.fact_before))
            events.append(_json(moved.event, moved.fact))
            newest[active_key(moved.order.id)] = b"" if moved.order.status in TERMINAL else events[-1]
        arguments: list[str | bytes | int] = [_KEPT_SECONDS, _BETWEEN.join(events)]
        arguments += chain.from_iterable(newest.items())
        (self._client if client is None else client).eval(_PUBLISH, 1, CHANNEL, *arguments)


def _json(event: OrderEvent, fact: bytes | None) -> bytes:
    """The JSON of an event, around that of its fact if it was made for the statement: Pydantic would make it again."""
    if fact is None:
        return event.__pydantic_serializer__.to_json(event)
    members = {"order_id": event.order_id, "seq": event.seq, "at": event.at, "status": event.status}
    return orjson.dumps(members | {"data": orjson.Fragment(fact)}, option=orjson.OPT_UTC_Z)
