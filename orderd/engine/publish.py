"""Publishes stored changes: events over Redis Pub/Sub, and a snapshot of each order in flight.

Redis may lose any of it. Subscribers fill gaps from Postgres, so failures here are only logged.
"""

from collections.abc import Sequence
from typing import Final

import redis

from db.journal import Moved
from db.models import Order
from orderd.best_effort import Outbox
from orderd.domain.order import TERMINAL
from orderd.engine.order_metrics import count
from orderd.engine.views import order_view
from orderd.wire.orders import OrderView

CHANNEL: Final = "orderd:events"
_SNAPSHOT_SECONDS: Final = 3600
_BETWEEN: Final = b"\n"
"""No event's JSON has one."""
_PUBLISH: Final = """
for i = 3, #ARGV, 2 do
    if ARGV[i + 1] == '' then redis.call('DEL', ARGV[i])
    else redis.call('SET', ARGV[i], ARGV[i + 1], 'EX', ARGV[1]) end
end
redis.call('PUBLISH', KEYS[1], ARGV[2])
"""
"""KEYS channel, ARGV seconds and events, then for each order: key of its snapshot, and snapshot or '' at its end."""


def events_of(message: bytes) -> list[bytes]:
    """The JSON of each event in a message of the channel, in order."""
    return message.split(_BETWEEN)


def snapshot_key(order_id: object) -> str:
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
        events = [event for moved in changes for event in (moved.before, moved.event) if event is not None]
        message = _BETWEEN.join(event.__pydantic_serializer__.to_json(event) for event in events)
        arguments: list[str | bytes | int] = [_SNAPSHOT_SECONDS, message]
        for order in {moved.order.id: moved.order for moved in changes}.values():
            arguments += [snapshot_key(order.id), "" if order.status in TERMINAL else _snapshot(order)]
        (self._client if client is None else client).eval(_PUBLISH, 1, CHANNEL, *arguments)


def _snapshot(order: Order) -> bytes:
    return OrderView.__pydantic_serializer__.to_json(order_view(order))
