"""Whether what is shown is what is: a quiet connection, a dead one, and a daemon that is itself out of touch."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orderd.client.handshake import connection_lost
from orderd.wire.subscriptions import Heartbeat

MISSED_BEATS: Final = 2.5
"""Without a word for as many periods of the heartbeat, what is shown can no longer be trusted."""
TRUSTED_LAG: Final = timedelta(seconds=5)
"""The same, where the daemon itself has not read its database for so long."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The connection stands, but what is shown was last known to be so at ``since``."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is shown is up to date again."""


class Freshness:
    """Of one connection. An older daemon promises no heartbeat; then nothing is taken for stale."""

    def __init__(self) -> None:
        self._period: float | None = None
        self._received_at = time.monotonic()
        self._lag = timedelta(0)
        self._is_stale = False

    def expect(self, heartbeat_seconds: int | None) -> None:
        """As a subscription's answer promises."""
        self._period = heartbeat_seconds

    def record(self, heartbeat: Heartbeat | None) -> None:
        """Note that something came: a heartbeat, or anything else."""
        self._received_at = time.monotonic()
        if heartbeat is not None:
            self._lag = heartbeat.at - heartbeat.as_of

    @property
    def seconds_left(self) -> float | None:
        """How much longer silence means nothing; None if it never means anything, or it is known already."""
        if self._period is None or self._is_stale:
            return None
        return max(0.0, self._received_at + MISSED_BEATS * self._period - time.monotonic())

    def change(self) -> Stale | Fresh | None:
        """What there is to report since the last call."""
        silence = time.monotonic() - self._received_at
        is_silent = self._period is not None and silence >= MISSED_BEATS * self._period
        is_stale = is_silent or self._lag > TRUSTED_LAG
        if is_stale == self._is_stale:
            return None
        self._is_stale = is_stale
        if not is_stale:
            return Fresh()
        if is_silent:
            return Stale("nothing is heard from the daemon", datetime.now(UTC) - timedelta(seconds=silence))
        return Stale("the daemon does not reach its database", datetime.now(UTC) - self._lag)


def check_count(heartbeat: Heartbeat, counted: Mapping[int, int]) -> None:
    """Raises AnswerLostError if fewer events of a subscription came than the daemon has sent."""
    for position in heartbeat.subscriptions:
        missing = position.events - counted.get(position.subscription, 0)
        if missing > 0:
            raise connection_lost(f"{missing} of the daemon's events did not arrive")
