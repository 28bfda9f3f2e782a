"""News of what has been stored: events over Redis Pub/Sub, and a snapshot of each order in flight.

Redis may lose any of it. Followers fill gaps from Postgres, so a failure here is logged and harms nothing.
"""

from collections.abc import Sequence
from typing import Final

import redis

from db.journal import Moved
from orderd.best_effort import Outbox
from orderd.domain.order import TERMINAL
from orderd.engine.views import order_view

CHANNEL: Final = "orderd:events"
_SNAPSHOT_SECONDS: Final = 3600
_PUBLISH: Final = """
for i = 2, #ARGV, 3 do
    if ARGV[i] ~= '' then
        if ARGV[i + 1] == '' then redis.call('DEL', ARGV[i])
        else redis.call('SET', ARGV[i], ARGV[i + 1], 'EX', ARGV[1]) end
    end
    redis.call('PUBLISH', KEYS[1], ARGV[i + 2])
end
"""
"""KEYS channel, ARGV seconds, then for each event: key of the order's snapshot, snapshot or '' at its end, event.

Where the key is '' the snapshot stays: the next event brings it.
"""


def snapshot_key(order_id: object) -> str:
    return f"active:order:{order_id}"


class Publisher:
    """Publishes after the commit, never before: nobody is told what is not stored.

    A thread of its own talks to Redis, so that no order waits for that, and what comes together travels together.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._publish = client.register_script(_PUBLISH)
        self._news = Outbox("publish", self._tell)

    def publish(self, changes: Sequence[Moved]) -> None:
        """Tell of changes that are committed, in the order given."""
        self._news.put(changes)

    def close(self, seconds: float) -> None:
        """Tell what was given so far, as far as that takes no longer than ``seconds``."""
        self._news.close(seconds)

    def _tell(self, changes: Sequence[Moved]) -> None:
        arguments: list[str | int] = [_SNAPSHOT_SECONDS]
        last = {moved.order.id: moved for moved in changes}
        for moved in changes:
            if moved.before is not None:
                arguments += ["", "", moved.before.model_dump_json()]
            key = snapshot = ""
            if moved is last[moved.order.id]:
                key = snapshot_key(moved.order.id)
                snapshot = "" if moved.order.status in TERMINAL else order_view(moved.order).model_dump_json()
            arguments += [key, snapshot, moved.event.model_dump_json()]
        self._publish(keys=[CHANNEL], args=arguments)
