"""When the executions of a TWAP or a DCA are, and how much each of them sells."""

from dataclasses import dataclass
from enum import StrEnum


class CatchUp(StrEnum):
    """What becomes of times that were missed, because the daemon was away or an execution took long."""

    ONE = "one"  # one execution for all of them; what they would have sold is shared by those to come
    ALL = "all"  # each of them, one right after the other
    NONE = "none"  # no execution; what they would have sold is shared by those to come


@dataclass(frozen=True, slots=True)
class ScheduledExecution:
    """``number`` of them is the next one then; ``amount_in`` in base units, 0 where this time is left out."""

    amount_in: int
    number: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """``slices`` executions, one every ``every_seconds``; ``catch_up`` is about missed ones. Numbers begin with 0."""

    slices: int
    every_seconds: int
    jitter_bps: int
    catch_up: CatchUp

    def offset_ms(self, number: int, chance: float) -> int:
        """When an execution is, in milliseconds after the first; ``chance`` in [0, 1) moves it by the jitter."""
        every_ms = self.every_seconds * 1000
        moved = int(every_ms * self.jitter_bps * (chance - 0.5) / 10_000) if number else 0
        return number * every_ms + moved

    def at(self, number: int, late_ms: int, remaining: int) -> ScheduledExecution:
        """What to do with execution ``number``, which has been due for this long, with this many base units left to
        sell.

        This execution and the later ones share what is left; the last one sells all of it.
        """
        missed = late_ms // (self.every_seconds * 1000)
        last = self.slices - 1
        if missed and self.catch_up is CatchUp.NONE:
            return ScheduledExecution(0, min(number + missed, self.slices))
        if missed and self.catch_up is CatchUp.ONE:
            number = min(number + missed, last)
        return ScheduledExecution(remaining // (self.slices - number), number + 1)
