"""Detects stale data: distinguishes a quiet connection from a dead one, and from a daemon that cannot read its
database."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orderd.client.handshake import connection_lost
from orderd.wire.subscriptions import Heartbeat

MISSED_BEATS: Final = 2.5
"""The data is stale if nothing is received for this many heartbeat periods."""
TRUSTED_LAG: Final = timedelta(seconds=5)
"""The data is stale if the daemon has not read its database for longer."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The connection is open, but the data was last known to be current at ``since``."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Fresh:
    """The data is current again."""


class Freshness:
    """The freshness of one connection's data. An older daemon sends no heartbeat; its data never counts as stale."""

    def __init__(self) -> None:
        self._period: float | None = None
        self._received_at = time.monotonic()
        self._lag = timedelta(0)
        self._is_stale = False

    def expect(self, heartbeat_seconds: int | None) -> None:
        """Set the heartbeat period that the daemon announced for a subscription."""
        self._period = heartbeat_seconds

    def record(self, heartbeat: Heartbeat | None) -> None:
        """Record that a message was received; ``heartbeat`` is None for any other message."""
        self._received_at = time.monotonic()
        if heartbeat is not None:
            self._lag = heartbeat.at - heartbeat.as_of

    @property
    def seconds_left(self) -> float | None:
        """Seconds of further silence after which the data is stale; None without a heartbeat, or if it is stale
        already."""
        if self._period is None or self._is_stale:
            return None
        return max(0.0, self._received_at + MISSED_BEATS * self._period - time.monotonic())

    def change(self) -> Stale | Fresh | None:
        """The change since the last call, if any."""
        silence = time.monotonic() - self._received_at
        is_silent = self._period is not None and silence >= MISSED_BEATS * self._period
        is_stale = is_silent or self._lag > TRUSTED_LAG
        if is_stale == self._is_stale:
            return None
        self._is_stale = is_stale
        if not is_stale:
            return Fresh()
        if is_silent:
            return Stale("the daemon sends nothing", datetime.now(UTC) - timedelta(seconds=silence))
        return Stale("the daemon cannot reach its database", datetime.now(UTC) - self._lag)


def check_count(heartbeat: Heartbeat, counted: Mapping[int, int]) -> None:
    """Raises AnswerLostError if fewer events of a subscription were received than the daemon has sent."""
    for position in heartbeat.subscriptions:
        missing = position.events - counted.get(position.subscription, 0)
        if missing > 0:
            raise connection_lost(f"{missing} of the daemon's events did not arrive")
