"""News of what has been stored: events over Redis Pub/Sub, and a snapshot of each order in flight.

Redis may lose any of it. Followers fill gaps from Postgres, so a failure here is logged and harms nothing.
"""

from collections.abc import Sequence
from typing import Final

import redis
import structlog

from db.journal import Moved
from orderd.domain.order import TERMINAL
from orderd.engine.views import order_view

CHANNEL: Final = "orderd:events"
_SNAPSHOT_SECONDS: Final = 3600
log = structlog.get_logger(__name__)


def snapshot_key(order_id: object) -> str:
    return f"active:order:{order_id}"


class Publisher:
    """Publishes after the commit, never before: nobody is told what is not stored."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def publish(self, changes: Sequence[Moved]) -> None:
        """Tell of changes that are committed, in the order given."""
        if not changes:
            return
        pipe = self._redis.pipeline(transaction=False)
        for moved in changes:
            key = snapshot_key(moved.order.id)
            if moved.order.status in TERMINAL:
                pipe.delete(key)
            else:
                pipe.set(key, order_view(moved.order).model_dump_json(), ex=_SNAPSHOT_SECONDS)
            pipe.publish(CHANNEL, moved.event.model_dump_json())
        try:
            pipe.execute()
        except redis.RedisError as error:
            log.warning("publish failed", action="publish_failed", events=len(changes), error=str(error))
