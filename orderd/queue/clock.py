"""Redis' clock, watched by each worker: stored waits end after their length, whatever the clock is set to."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import redis
import structlog

from orderd.domain.clock import NOTICED_SECONDS, ClockWatch, Reading
from orderd.engine.clock import elapsed_seconds

MICROSECONDS: Final = 1_000_000
HEARTBEATS: Final = "orderd:worker:"
"""Prefix of the workers' heartbeat keys, which expire by themselves."""
ANY_TIME: Final = 0, 2**53
_CLOCK: Final = "orderd:clock"
_MOVE: Final = Path(__file__).with_suffix(".lua").read_text()
# KEYS clock.
_READ: Final = """
local clock = redis.call('TIME')
local known = redis.call('HMGET', KEYS[1], 'at', 'moved')
return {string.format('%.0f', clock[1] * 1000000 + clock[2]), known[1] or '', known[2] or '0'}
"""
# KEYS clock, ARGV now, moved.
_NOTE: Final = """
if (redis.call('HGET', KEYS[1], 'moved') or '0') == ARGV[2] then redis.call('HSET', KEYS[1], 'at', ARGV[1]) end
"""
log = structlog.get_logger(__name__)


class RedisClock:
    """Thread-safe. ``opening`` is the key of a time, ``times`` are sorted sets of times."""

    def __init__(
        self,
        client: "redis.Redis",
        opening: str,
        times: Sequence[str],
        *,
        elapsed: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._redis = client
        self._keys = (_CLOCK, opening, *times)
        self._elapsed = elapsed
        self._watch = ClockWatch(elapsed)
        self._lock = threading.Lock()

    @property
    def bounds(self) -> tuple[int, int]:
        """Bounds of the expected clock, in microseconds. If Redis' clock is outside, it must be checked first."""
        expected = self._watch.expected
        if expected is None:
            return ANY_TIME
        return _micros(expected - NOTICED_SECONDS), _micros(expected + NOTICED_SECONDS)

    def check(self) -> None:
        """Move the stored times where the clock was set, unless that has been done. Raises redis.RedisError."""
        with self._lock:
            requested_at = self._elapsed()
            now, last, moved = self._redis.eval(_READ, 1, _CLOCK)
            reading = Reading(
                int(now) / MICROSECONDS, int(last) / MICROSECONDS if last else None, int(moved) / MICROSECONDS
            )
            jump = self._watch.observe(reading, requested_at)
            if jump is None:
                if self._watch.may_note(reading):
                    self._redis.eval(_NOTE, 1, _CLOCK, now, moved)
                return
            values = _micros(jump.seconds), _micros(jump.since), f"{HEARTBEATS}*"
            if self._redis.eval(_MOVE, len(self._keys), *self._keys, moved, *values):
                log.warning("Redis' clock was set, waits go on", action="clock_set", seconds=round(jump.seconds, 3))


def _micros(seconds: float) -> int:
    return round(seconds * MICROSECONDS)
