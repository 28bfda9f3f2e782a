"""Detects that a server's clock was set during waits, and distinguishes that from time that has passed.

Stored times are of the server's clock, so that they mean the same on all machines. If that clock is set, everything
that waits for a stored time would wait too long or not long enough. So each process compares that clock with its own
monotonic one, and if the two disagree the stored times are moved by the difference, once: stored beside them are the
total of what they have been moved by, and the clock's last reading.

That last reading guards against a process whose own clock stopped, as in a virtual machine that was paused: a clock
that was set ahead by an hour is an hour ahead of the last reading. If no process was running, a pause cannot be
distinguished from a clock that was set ahead. It counts as a pause, after which a wait is over.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

NOTICED_SECONDS: Final = 2.0
"""A smaller change of a clock is ignored: waits then take longer or shorter by that much."""
NOTE_SECONDS: Final = 1.0
"""Maximum age of the last reading before it is renewed; well below the smallest jump that is detected."""
_SURE_SECONDS: Final = 0.5
"""A reading that took longer is too imprecise."""
_KNOWN_SECONDS: Final = 2.0
"""How long a process watches before it stores a reading; sooner, it might hide a jump from the other processes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's clock ``now`` and at the ``last`` stored reading, and how far stored times were ``moved``; seconds.

    ``last`` is None if nothing is stored.
    """

    now: float
    last: float | None
    moved: float


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set by ``seconds`` at some time after ``since``, in its current time. ``moved`` is the value
    read."""

    seconds: float
    since: float
    moved: float


class ClockWatch:
    """Watches one server's clock for one process. For one thread at a time."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        """``elapsed`` is the process's own clock in seconds, which does not change when the time of day is set."""
        self._elapsed = elapsed
        self._began: float | None = None
        self._base: tuple[float, Reading] | None = None

    def observe(self, reading: Reading, requested_at: float) -> Jump | None:
        """The jump of the clock since the last reading, if any. ``requested_at`` is the own clock at the request."""
        now = self._elapsed()
        if now - requested_at > _SURE_SECONDS:
            return None
        self._began = now if self._began is None else self._began
        jump = self._compare(now, reading)
        self._base = now, replace(reading, moved=reading.moved + (jump.seconds if jump else 0.0))
        return jump

    def may_note(self, reading: Reading) -> bool:
        """Whether this reading, which shows no jump, may be stored as the last one."""
        if self._began is None or self._base is None or self._base[1] != reading:
            return False
        if reading.last is None:
            return True
        is_old = not 0 <= reading.now - reading.last < NOTE_SECONDS
        return is_old and self._base[0] - self._began >= _KNOWN_SECONDS

    def moment(self, reading: Reading) -> float:
        """The time in the server's seconds, for ending waits after this reading.

        A reading that was too slow to show a jump is not used if it is ahead of what is expected.
        """
        expected = self.expected
        return reading.now if expected is None else min(reading.now, expected + NOTICED_SECONDS)

    @property
    def expected(self) -> float | None:
        """The expected time of the server's clock now; None before the first reading."""
        if self._base is None:
            return None
        at, reading = self._base
        return reading.now + self._elapsed() - at

    def _compare(self, now: float, reading: Reading) -> Jump | None:
        if reading.last is None:
            return None
        since_last = reading.now - reading.last
        if self._base is None:
            return _jump(min(since_last, 0.0), reading.now, reading)
        at, before = self._base
        elapsed = now - at
        seconds = reading.now - before.now - elapsed - (reading.moved - before.moved)
        # A clock that was set ahead since then is ahead of the last reading by at least the jump.
        return _jump(min(seconds, max(since_last, 0.0)), reading.now - elapsed, reading)


def _jump(seconds: float, since: float, reading: Reading) -> Jump | None:
    return Jump(seconds, since, reading.moved) if abs(seconds) > NOTICED_SECONDS else None
