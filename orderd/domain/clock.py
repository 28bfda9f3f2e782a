"""A server's clock that is set while waits are under way: how that is told from time that has passed.

Stored times are of the server's clock, so that all machines mean the same by them. When somebody sets it, whatever
waits for a stored time would wait too long or not long enough. So each process holds that clock against its own, which
nobody can set, and where the two disagree the stored times are moved by as much, once: beside them stands by how much
they have been moved so far, and what the clock said when anybody last looked.

That last word keeps a process from being believed whose own clock stood still, as in a virtual machine that was paused:
a clock that has been set ahead by an hour is an hour ahead of the last look. Where all were away at the same time there
is no telling a pause from a clock that was set ahead, and it is taken for a pause, after which a wait is over.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

NOTICED_SECONDS: Final = 2.0
"""A clock that is set by less is let be: so much longer or shorter do waits take then."""
NOTE_SECONDS: Final = 1.0
"""How old the last word on the clock may become before somebody renews it; well below what is noticed."""
_SURE_SECONDS: Final = 0.5
"""A reading that took longer says too little of the moment it was made in."""
_KNOWN_SECONDS: Final = 2.0
"""Who has watched for so long notes what the clock says; sooner, it might hide a jump that others have yet to see."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's clock ``now``, at the ``last`` look, and by how much its stored times were ``moved``; in seconds.

    ``last`` is None where nothing is stored.
    """

    now: float
    last: float | None
    moved: float


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set by ``seconds``, some time after ``since`` as it goes now. ``moved`` is as was read."""

    seconds: float
    since: float
    moved: float


class ClockWatch:
    """One process' eye on one server's clock. For one thread at a time."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        """``elapsed`` is the process' own clock, in seconds, which goes on whatever the time of day is set to."""
        self._elapsed = elapsed
        self._began: float | None = None
        self._base: tuple[float, Reading] | None = None

    def look(self, reading: Reading, asked_at: float) -> Jump | None:
        """How the clock was set since the last look, if it was. ``asked_at`` is when the own clock began to wait."""
        now = self._elapsed()
        if now - asked_at > _SURE_SECONDS:
            return None
        self._began = now if self._began is None else self._began
        jump = self._compare(now, reading)
        self._base = now, replace(reading, moved=reading.moved + (jump.seconds if jump else 0.0))
        return jump

    def may_note(self, reading: Reading) -> bool:
        """Whether this reading, in which no jump was seen, is to be the last word on the clock."""
        if self._began is None or self._base is None or self._base[1] != reading:
            return False
        if reading.last is None:
            return True
        is_old = not 0 <= reading.now - reading.last < NOTE_SECONDS
        return is_old and self._base[0] - self._began >= _KNOWN_SECONDS

    def moment(self, reading: Reading) -> float:
        """What time it is, in the server's seconds, for whoever ends waits by it after this look.

        A reading that was too slow to show a jump is not believed where it is ahead of what is expected.
        """
        expected = self.expected
        return reading.now if expected is None else min(reading.now, expected + NOTICED_SECONDS)

    @property
    def expected(self) -> float | None:
        """What the server's clock should say now; None before the first look."""
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
        # A clock that was set ahead since the last look is ahead of that by as much at least.
        return _jump(min(seconds, max(since_last, 0.0)), reading.now - elapsed, reading)


def _jump(seconds: float, since: float, reading: Reading) -> Jump | None:
    return Jump(seconds, since, reading.moved) if abs(seconds) > NOTICED_SECONDS else None
