"""Excludes pools for a while, after their program refused a swap with a lasting error."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

COOLING_SECONDS: Final = 45.0
"""A pool that is switched off, or broken, rarely works a moment later; and one order is enough to find that out."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Rest:
    reason: str
    until: float


class Cooling:
    """Which pools this process leaves out, until when and why. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._resting: dict[str, _Rest] = {}
        self._lock = threading.Lock()

    def cool(self, pool: str, reason: str) -> None:
        """Leave the pool out for ``COOLING_SECONDS`` from now."""
        now = self._clock()
        with self._lock:
            self._resting = {each: rest for each, rest in self._resting.items() if rest.until > now}
            self._resting[pool] = _Rest(reason, now + COOLING_SECONDS)
        log.warning("pool cools down", action="pool_cooling", pool=pool, seconds=COOLING_SECONDS, error=reason)

    def reason(self, pool: str) -> str | None:
        """The reason for excluding the pool; None if it is not excluded."""
        rest = self._resting.get(pool)
        return rest.reason if rest is not None and rest.until > self._clock() else None
