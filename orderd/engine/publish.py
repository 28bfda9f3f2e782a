"""News of what has been stored: events over Redis Pub/Sub, and a snapshot of each order in flight.

Redis may lose any of it. Followers fill gaps from Postgres, so a failure here is logged and harms nothing.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

import redis
import structlog

from db.journal import Moved
from orderd.domain.order import TERMINAL
from orderd.engine.views import order_view

CHANNEL: Final = "orderd:events"
_SNAPSHOT_SECONDS: Final = 3600
_MOST_AT_ONCE: Final = 256
_PUBLISH: Final = """
for i = 2, #ARGV, 3 do
    if ARGV[i + 1] == '' then redis.call('DEL', ARGV[i]) else redis.call('SET', ARGV[i], ARGV[i + 1], 'EX', ARGV[1]) end
    redis.call('PUBLISH', KEYS[1], ARGV[i + 2])
end
"""
"""KEYS channel, ARGV seconds, then for each event: key of the order's snapshot, snapshot or '' at its end, event."""

log = structlog.get_logger(__name__)


def snapshot_key(order_id: object) -> str:
    return f"active:order:{order_id}"


class Publisher:
    """Publishes after the commit, never before: nobody is told what is not stored.

    A thread of its own talks to Redis, so that no order waits for that, and what comes together travels together.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._publish = client.register_script(_PUBLISH)
        self._news: SimpleQueue[Moved | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)
        self._thread.start()

    def publish(self, changes: Sequence[Moved]) -> None:
        """Tell of changes that are committed, in the order given."""
        for moved in changes:
            self._news.put(moved)

    def close(self, seconds: float) -> None:
        """Tell what was given so far, as far as that takes no longer than ``seconds``."""
        self._news.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._news.get(), *self._waiting(_MOST_AT_ONCE - 1)]
            try:
                self._tell([moved for moved in batch if moved is not None])
            except Exception as error:  # noqa: BLE001  (whatever it is, the next news must still be told)
                # What has come meanwhile is late too, and would gather for as long as Redis hangs.
                batch += self._waiting(self._news.qsize())
                log.warning("publish failed", action="publish_failed", events=len(batch), error=str(error))
            is_open = None not in batch

    def _waiting(self, most: int) -> list[Moved | None]:
        batch: list[Moved | None] = []
        with suppress(Empty):
            while len(batch) < most:
                batch.append(self._news.get_nowait())
        return batch

    def _tell(self, changes: Sequence[Moved]) -> None:
        if not changes:
            return
        arguments: list[str | int] = [_SNAPSHOT_SECONDS]
        for moved in changes:
            ended = moved.order.status in TERMINAL
            snapshot = "" if ended else order_view(moved.order).model_dump_json()
            arguments += [snapshot_key(moved.order.id), snapshot, moved.event.model_dump_json()]
        self._publish(keys=[CHANNEL], args=arguments)
