"""What goes wrong, how often. Faults are start-up configuration, so that no restart opens a clean window; what
`simnet_setFaults` changes holds until the next start.
"""

import random
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orderd.domain.pool_kind import VenueName

Rate = Annotated[float, Field(ge=0, le=1)]
Range = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
Weight = Annotated[int, Field(ge=0)]
ViewName = Literal["honest", "behind", "restarted", "pruned", "forked", "historyless"]

MAX_LAG: int = 150
"""Slots that a node may be behind: what it says comes from memory."""
MAX_AWAY: int = 250
"""Slots that a node may be on a dead fork, for the same reason."""


class Views(BaseModel):
    """Which nodes of a pool answer, by weight; one that is not named never does. All say that they are healthy."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    honest: Weight = 0
    """It has all that the chain has."""
    behind: Weight = 0
    """`behind_slots` behind, in everything it says."""
    restarted: Weight = 0
    """It began from a snapshot in the last `restart_slots`, and has no transactions from before."""
    pruned: Weight = 0
    """It keeps the transactions of its newest `pruned_blocks` blocks."""
    forked: Weight = 0
    """On a dead fork for `rejoin_slots`, and then on the next one: it knows nothing of what lands elsewhere, and its
    own slots are the highest of all."""
    historyless: Weight = 0
    """It has the statuses of the newest blocks, and refuses to look for others."""

    @model_validator(mode="after")
    def _any_view(self) -> "Views":
        if not any(self.weights().values()):
            raise ValueError("one of the views needs a weight")
        return self

    def weights(self) -> dict[ViewName, int]:
        return {name: getattr(self, name) for name in get_args(ViewName)}


class Faults(BaseModel):
    """Rates are probabilities a request or transaction; ranges are inclusive (least, most).

    ``docs/simnet.md`` has all of them, made from here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    latency_ms: Range = (0, 0)
    """Milliseconds before each HTTP request is handled."""
    venue_latency_ms: Mapping[VenueName, Range] = {}
    """By venue: milliseconds by which the answer to a request that reads accounts of its programs comes later. Where it
    reads those of several venues, the slowest counts."""
    dropped_sends: Rate = 0.0
    """sendTransaction answers with the signature, and the transaction is never seen again."""
    late_landing: Rate = 0.0
    """sendTransaction answers at once; the transaction reaches the leader `late_slots` later."""
    late_slots: Range = (1, 10)
    """How many slots later."""
    http_429: Rate = 0.0
    """A request is refused with HTTP 429: too many."""
    connection_resets: Rate = 0.0
    """A request's connection is reset: half of them before it is handled, half after; then only the answer is lost."""
    lagging_reads: Rate = 0.0
    """A request is answered by a node that is `lag_slots` behind, in everything it says."""
    lag_slots: Range = (1, 8)
    """How many slots behind."""
    failure_rate: Rate = 0.0
    """A transaction that swaps lands and fails, and pays its fee: by the program's slippage error."""
    venue_outage: frozenset[VenueName] = frozenset()
    """Reads of this program's accounts fail, and so do its swaps."""
    nodes: Literal["one", "pool"] = "one"
    """With `pool`, each request behind the one address, and each of a batch, is answered by one of several nodes."""
    views: Views = Views(honest=4, behind=1, restarted=1, pruned=1, forked=1, historyless=1)
    """Which nodes a pool has: each answers as often as its weight says."""
    behind_slots: Annotated[int, Field(ge=1, le=MAX_LAG)] = 120
    """How far the node `behind` is behind."""
    restart_slots: Annotated[int, Field(ge=1)] = 150
    """How often the node `restarted` begins again."""
    pruned_blocks: Annotated[int, Field(ge=1)] = 200
    """How many blocks the node `pruned` keeps."""
    rejoin_slots: Annotated[int, Field(ge=1, le=MAX_AWAY)] = 250
    """How long the node `forked` stays on a dead fork."""
    lost_on_dead_fork: Rate = 0.5
    """Transactions that are sent to the forked node and never reach the others."""
    fork_rate: Rate = 0.0
    """In a slot: the newest `fork_depth` blocks are given up for another fork, but none that is finalized."""
    fork_depth: Range = (1, 8)
    """How many of them."""
    landing_again: Rate = 0.5
    """A transaction that was in such a block comes in again by itself, `late_slots` later."""

    refusing_pools: frozenset[str] = frozenset()
    """Swaps in these pools, by address, are refused as if they were disabled. Nothing in their accounts says so."""

    @model_validator(mode="after")
    def _ranges_are_in_order(self) -> "Faults":
        ranges = {name: getattr(self, name) for name in ("latency_ms", "late_slots", "lag_slots", "fork_depth")}
        ranges |= {f"venue_latency_ms of {venue}": each for venue, each in self.venue_latency_ms.items()}
        for name, (least, most) in ranges.items():
            if least > most:
                raise ValueError(f"{name} is (least, most), got ({least}, {most})")
        if self.lag_slots[1] > MAX_LAG:
            raise ValueError(f"lag_slots may be at most {MAX_LAG}, got {self.lag_slots[1]}")
        return self


_STREAMS: Final = (
    "latency",
    "drop",
    "late",
    "refuse",
    "reset",
    "lag",
    "failure",
    "view",
    "lose",
    "fork",
    "again",
    "venue",
)


class Dice:
    """Seeded chances, one stream for each purpose, so that one fault's rate does not shift another's."""

    def __init__(self, faults: Faults, seed: int, start: int) -> None:
        """`start` (the first slot of this run) keeps a restart from playing the same faults once more."""
        self.faults = faults
        self._streams = {
            name: random.Random(f"{seed}:{start}:{name}")  # noqa: S311  (repeatable on purpose, guards no secret)
            for name in _STREAMS
        }

    def latency(self) -> float:
        """Seconds to wait before handling a request."""
        return self._between("latency", self.faults.latency_ms) / 1_000

    def venue_latency(self, venues: Iterable[VenueName]) -> float:
        """Seconds by which an answer about these venues is delayed."""
        known = [self.faults.venue_latency_ms[venue] for venue in venues if venue in self.faults.venue_latency_ms]
        return max((self._between("venue", each) for each in known), default=0) / 1_000

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

    def fails_swaps(self) -> bool:
        """Whether the swaps of a transaction fail."""
        return self._happens("failure", self.faults.failure_rate)

    def view(self) -> ViewName:
        """The node of the pool that answers a request."""
        weights = self.faults.views.weights()
        (name,) = self._streams["view"].choices(list(weights), list(weights.values()))
        return name

    def loses_send(self) -> bool:
        """Whether a transaction stays on the dead fork that it was sent to."""
        return self._happens("lose", self.faults.lost_on_dead_fork)

    def fork_depth(self) -> int:
        """Blocks that are given up in this slot; 0 is none."""
        forks = self._happens("fork", self.faults.fork_rate)
        return self._between("fork", self.faults.fork_depth) if forks else 0

    def lands_again(self) -> bool:
        return self._happens("again", self.faults.landing_again)

    def again_after(self) -> int:
        """Slots after which a transaction of a block that was given up comes again."""
        return self._between("again", self.faults.late_slots)

    def _happens(self, stream: str, rate: float) -> bool:
        return rate > 0 and self._streams[stream].random() < rate

    def _between(self, stream: str, bounds: Range) -> int:
        least, most = bounds
        return self._streams[stream].randint(least, most) if most else 0
