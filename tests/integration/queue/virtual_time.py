"""Virtual time for the rate limit: its scripts read the time from a key, so that minutes pass without waiting."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import redis

from orderd.queue import clock, limiter
from orderd.queue.limiter import RateLimiter

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = timedelta(seconds=60)
LAG = timedelta(milliseconds=250)
GRACE = timedelta(seconds=5)


def let_scripts_read_the_clock_from_a_key(patch: pytest.MonkeyPatch) -> None:
    scripts = [(limiter, each) for each in ("_ASK", "_SEED", "_ENTER", "_FREE", "_USE")]
    scripts += [(clock, each) for each in ("_READ", "_MOVE")]
    for module, script in scripts:
        source: str = getattr(module, script)
        assert "redis.call('TIME')" in source
        patch.setattr(module, script, source.replace("redis.call('TIME')", "redis.call('LRANGE', 'clock', 0, 1)"))


def read_clock(client: "redis.Redis") -> datetime:
    seconds, micros = map(int, client.lrange("clock", 0, 1))
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)


class VirtualTime:
    """Redis' clock, and the journal in Postgres, which stores each start a moment after it was granted.

    ``elapsed`` is a monotonic clock.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client
        self.journal: list[tuple[UUID, datetime]] = []
        self._began = EPOCH
        self.set(EPOCH)

    def limiter(self, limit: int) -> RateLimiter:
        return RateLimiter(self.client, limit, WINDOW, self._recent_starts, lag=LAG, grace=GRACE, elapsed=self.elapsed)

    def elapsed(self) -> float:
        return (self.now - self._began).total_seconds()

    def _recent_starts(self, window_seconds: float) -> list[tuple[UUID, timedelta]]:
        window = timedelta(seconds=window_seconds)
        return [(order, self.now - at) for order, at in self.journal if self.now - at < window]

    def set(self, now: datetime) -> None:
        """Let time pass until ``now``."""
        self.now = now
        seconds, micros = divmod((now - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1), 1_000_000)
        with self.client.pipeline() as pipe:
            pipe.delete("clock")
            pipe.rpush("clock", seconds, micros)
            pipe.execute()

    def set_clock(self, by: timedelta) -> None:
        """Set Redis' clock without letting time pass."""
        self._began += by
        self.set(self.now + by)

    def advance(self, by: timedelta) -> None:
        self.set(self.now + by)

    def flush(self) -> None:
        """Lose all of Redis' data."""
        self.client.flushall()
        self.set(self.now)

    def restart(self, forgets: int) -> None:
        """Crash Redis, whose file then lacks the newest ``forgets`` starts."""
        self.client.script_flush()
        newest = self.client.zrevrange("orderd:rate:starts", 0, forgets - 1) if forgets else []
        if newest:
            self.client.zrem("orderd:rate:starts", *newest)

    def start(self, order: UUID) -> None:
        """Use a granted start, as a worker does."""
        self.journal.append((order, self.now))
