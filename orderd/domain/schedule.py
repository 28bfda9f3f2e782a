"""When the executions of a TWAP or a DCA are, and how much each of them sells."""

from dataclasses import dataclass

from orderd.domain.order import CatchUp


@dataclass(frozen=True, slots=True)
class ScheduledExecution:
    """A scheduled execution: ``number`` is the next one after it; ``amount_in`` in base units, 0 if this time is
    skipped."""

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
        """The execution ``number``, which has been due for ``late_ms``, with ``remaining`` base units left to sell.

        This execution and the later ones share the rest; the last one sells all of it.
        """
        missed = late_ms // (self.every_seconds * 1000)
        last = self.slices - 1
        if missed and self.catch_up is CatchUp.NONE:
            return ScheduledExecution(0, min(number + missed, self.slices))
        if missed and self.catch_up is CatchUp.ONE:
            number = min(number + missed, last)
        return ScheduledExecution(remaining // (self.slices - number), number + 1)
