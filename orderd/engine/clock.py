"""Postgres' clock, watched by each process: stored waits end after their length, whatever the clock is set to."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from db import clock
from db.connection import database
from orderd.domain.clock import ClockWatch

log = structlog.get_logger(__name__)


def elapsed_seconds() -> float:
    """A clock that cannot be set, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class DatabaseClock:
    """Postgres' clock, with jumps corrected. Thread-safe. Must be checked before a lease is taken because it
    expired."""

    def __init__(self, lease_seconds: float, *, elapsed: Callable[[], float] = elapsed_seconds) -> None:
        self._lease_seconds = lease_seconds
        self._elapsed = elapsed
        self._watch = ClockWatch(elapsed)
        self._lock = threading.Lock()

    def check(self) -> datetime:
        """Move the stored times where the clock was set, unless another process has done so.

        Returns the time of the reading, to compare due times with. The clock may be set again before
        the next statement, and the next reading would notice that too late.
        """
        with self._lock, database.connection_context():
            requested_at = self._elapsed()
            reading = clock.read()
            jump = self._watch.observe(reading, requested_at)
            if jump is not None and clock.move(jump, self._lease_seconds):
                log.warning("Postgres' clock was set, waits go on", action="clock_set", seconds=round(jump.seconds, 3))
            elif self._watch.may_note(reading):
                clock.note(reading)
            return datetime.fromtimestamp(self._watch.moment(reading), UTC)

    def begin(self, longest_seconds: float) -> None:
        """Read the clock for the first time, and shorten waits that are longer than possible.

        How far the clock was set while no process was running is only partly known: if it is behind the last reading,
        it was set back by at least that much.
        """
        self.check()
        with database.connection_context():
            if orders := clock.cut(self._lease_seconds, longest_seconds):
                log.warning("waits were too long and were shortened", action="clock_cut", orders=orders)
