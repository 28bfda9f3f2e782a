"""What goes wrong, how often. Faults are start-up configuration, so that no restart opens a clean window."""

import random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Rate = Annotated[float, Field(ge=0, le=1)]
Range = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
Venue = Literal["raydium", "meteora"]

MAX_LAG: int = 100


class Faults(BaseModel):
    """Rates are probabilities a request or transaction; ranges are inclusive (least, most)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_ms: Range = (0, 0)
    """Before each HTTP request is handled."""
    dropped_sends: Rate = 0.0
    """sendTransaction answers with the signature, and the transaction is never seen again."""
    late_landing: Rate = 0.0
    """sendTransaction answers at once; the transaction reaches the leader `late_slots` later."""
    late_slots: Range = (1, 10)
    http_429: Rate = 0.0
    connection_resets: Rate = 0.0
    """Half of them before the request is handled, half after: then only the answer is lost."""
    lagging_reads: Rate = 0.0
    """A request is answered by a node that is `lag_slots` behind, in everything it says."""
    lag_slots: Range = (1, 8)
    failure_rate: Rate = 0.0
    """A swap that lands fails as if the price had moved: the program's own slippage error."""
    venue_outage: frozenset[Venue] = frozenset()
    """Reads of this program's accounts fail, and so do its swaps."""

    @model_validator(mode="after")
    def _ranges_are_in_order(self) -> "Faults":
        for name in ("latency_ms", "late_slots", "lag_slots"):
            least, most = getattr(self, name)
            if least > most:
                raise ValueError(f"{name} is (least, most), got ({least}, {most})")
        if self.lag_slots[1] > MAX_LAG:
            raise ValueError(f"lag_slots may be at most {MAX_LAG}, got {self.lag_slots[1]}")
        return self


class Dice:
    """Seeded chances, one stream for each purpose, so that one fault's rate does not shift another's."""

    def __init__(self, faults: Faults, seed: int, start: int) -> None:
        """`start` (the first slot of this run) keeps a restart from playing the same faults once more."""
        self.faults = faults
        self._streams = {
            name: random.Random(f"{seed}:{start}:{name}")  # noqa: S311  (repeatable on purpose, guards no secret)
            for name in ("latency", "drop", "late", "refuse", "reset", "lag", "failure")
        }

    def latency(self) -> float:
        """Seconds to wait before handling a request."""
        return self._between("latency", self.faults.latency_ms) / 1_000

    def drops_send(self) -> bool:
        return self._happens("drop", self.faults.dropped_sends)

    def late_by(self) -> int:
        """Slots by which a transaction comes late; 0 is in time."""
        late = self._happens("late", self.faults.late_landing)
        return self._between("late", self.faults.late_slots) if late else 0

    def refuses(self) -> bool:
        """Whether a request is answered with HTTP 429."""
        return self._happens("refuse", self.faults.http_429)

    def reset(self) -> Literal["before", "after"] | None:
        """Whether the connection is reset, and if so before or after the request is handled."""
        if not self._happens("reset", self.faults.connection_resets):
            return None
        return "before" if self._streams["reset"].random() < 0.5 else "after"

    def lag(self) -> int:
        """Slots by which the node that answers is behind."""
        behind = self._happens("lag", self.faults.lagging_reads)
        return self._between("lag", self.faults.lag_slots) if behind else 0

    def fails_swap(self) -> bool:
        return self._happens("failure", self.faults.failure_rate)

    def _happens(self, stream: str, rate: float) -> bool:
        return rate > 0 and self._streams[stream].random() < rate

    def _between(self, stream: str, bounds: Range) -> int:
        least, most = bounds
        return self._streams[stream].randint(least, most) if most else 0
