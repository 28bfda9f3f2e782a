"""Faults that simnet injects, and how often. They are start-up configuration, so that they also apply right after a
restart. Changes by ``simnet_setFaults`` last until the next start.
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
"""Maximum slots that a node may be behind; limited by the blocks kept in memory."""
MAX_SLOTS_ON_FORK: int = 250
"""Maximum slots that a node may stay on a dead fork, for the same reason."""


class Views(BaseModel):
    """Which nodes of a pool answer, by weight; a node without a weight never answers. All report that they are
    healthy."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    honest: Weight = 0
    """Has the whole chain."""
    behind: Weight = 0
    """Is `behind_slots` slots behind in all its answers."""
    restarted: Weight = 0
    """Restarted from a snapshot within the last `restart_slots` slots, and has no earlier transactions."""
    pruned: Weight = 0
    """Keeps only the transactions of its newest `pruned_blocks` blocks."""
    forked: Weight = 0
    """Is on a dead fork for `rejoin_slots` slots, then on the next one. It does not see transactions that land on the
    main chain, and reports the highest slots of all nodes."""
    historyless: Weight = 0
    """Has the statuses of the newest blocks only, and refuses to search the history for others."""

    @model_validator(mode="after")
    def _any_view(self) -> "Views":
        if not any(self.weights().values()):
            raise ValueError("one of the views needs a weight")
        return self

    def weights(self) -> dict[ViewName, int]:
        return {name: getattr(self, name) for name in get_args(ViewName)}


class Faults(BaseModel):
    """Rates are probabilities per request or transaction; ranges are inclusive (least, most).

    The table in ``docs/simnet.md`` is generated from this class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    latency_ms: Range = (0, 0)
    """Milliseconds before each HTTP request is handled."""
    venue_latency_ms: Mapping[VenueName, Range] = {}
    """By venue: milliseconds of delay for each request that reads accounts of its programs. If it reads accounts of
    several venues, the longest delay applies."""
    dropped_sends: Rate = 0.0
    """sendTransaction answers with the signature, and the transaction is lost."""
    late_landing: Rate = 0.0
    """sendTransaction answers immediately, and the transaction reaches the leader `late_slots` slots later."""
    late_slots: Range = (1, 10)
    """Slots of delay for `late_landing` and `landing_again`."""
    http_429: Rate = 0.0
    """A request is refused with HTTP 429 (too many requests)."""
    connection_resets: Rate = 0.0
    """A request's connection is reset, with equal chances before or after the request is handled. In the latter case
    only the answer is lost."""
    garbled_answers: Rate = 0.0
    """An answer is damaged: it is cut, a web page, an error, or has rounded numbers or numbers as texts. The answers to
    a batch may also be in another order, or too few, or one is repeated, or two are exchanged."""
    lagging_reads: Rate = 0.0
    """A request is answered by a node that is `lag_slots` slots behind."""
    lag_slots: Range = (1, 8)
    """Slots of lag for `lagging_reads`."""
    failure_rate: Rate = 0.0
    """A transaction with a swap lands and fails with the program's slippage error; its fee is charged."""
    venue_outage: frozenset[VenueName] = frozenset()
    """Reads of the accounts of these venues' programs fail, and so do their swaps."""
    nodes: Literal["one", "pool"] = "one"
    """With `pool`, one of several nodes behind the same address answers each request, and each request of a batch."""
    views: Views = Views(honest=4, behind=1, restarted=1, pruned=1, forked=1, historyless=1)
    """The nodes of a pool; each answers in proportion to its weight."""
    behind_slots: Annotated[int, Field(ge=1, le=MAX_LAG)] = 120
    """Slots that the node `behind` is behind."""
    restart_slots: Annotated[int, Field(ge=1)] = 150
    """Slots between two restarts of the node `restarted`."""
    pruned_blocks: Annotated[int, Field(ge=1)] = 200
    """Blocks that the node `pruned` keeps."""
    rejoin_slots: Annotated[int, Field(ge=1, le=MAX_SLOTS_ON_FORK)] = 250
    """Slots for which the node `forked` stays on a dead fork."""
    lost_on_dead_fork: Rate = 0.5
    """A transaction that is sent to the node `forked` never reaches the others."""
    fork_rate: Rate = 0.0
    """Probability per slot that the newest `fork_depth` blocks are abandoned for another fork. Finalized blocks
    stay."""
    fork_depth: Range = (1, 8)
    """Blocks that a fork abandons."""
    landing_again: Rate = 0.5
    """A transaction of an abandoned block lands again without being resent, `late_slots` slots later."""

    refusing_pools: frozenset[str] = frozenset()
    """Addresses of pools whose swaps are refused as if the pool were disabled, although their accounts do not show
    it."""

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
    "garble",
    "lag",
    "failure",
    "view",
    "lose",
    "fork",
    "again",
    "venue",
)


class Dice:
    """Seeded random decisions. Each fault has its own stream, so that the rate of one does not change the others."""

    def __init__(self, faults: Faults, seed: int, start: int) -> None:
        """``start``, the first slot of this run, makes each restart draw other faults."""
        self.faults = faults
        self._streams = {
            name: random.Random(f"{seed}:{start}:{name}")  # noqa: S311  (repeatable on purpose, guards no secret)
            for name in _STREAMS
        }

    def latency(self) -> float:
        """Seconds to wait before handling a request."""
        return self._between("latency", self.faults.latency_ms) / 1_000

    def venue_latency(self, venues: Iterable[VenueName]) -> float:
        """Seconds of delay for an answer that concerns these venues."""
        known = [self.faults.venue_latency_ms[venue] for venue in venues if venue in self.faults.venue_latency_ms]
        return max((self._between("venue", each) for each in known), default=0) / 1_000

    def drops_send(self) -> bool:
        return self._happens("drop", self.faults.dropped_sends)

    def late_by(self) -> int:
        """Slots by which a transaction is late; 0 if it is on time."""
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

    def garbles(self) -> random.Random | None:
        """The randomness by which an answer is damaged; None if it is not."""
        return self._streams["garble"] if self._happens("garble", self.faults.garbled_answers) else None

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
        """Number of blocks that a fork abandons in this slot; 0 for no fork."""
        forks = self._happens("fork", self.faults.fork_rate)
        return self._between("fork", self.faults.fork_depth) if forks else 0

    def lands_again(self) -> bool:
        return self._happens("again", self.faults.landing_again)

    def again_after(self) -> int:
        """Slots after which a transaction of an abandoned block lands again."""
        return self._between("again", self.faults.late_slots)

    def _happens(self, stream: str, rate: float) -> bool:
        return rate > 0 and self._streams[stream].random() < rate

    def _between(self, stream: str, bounds: Range) -> int:
        least, most = bounds
        return self._streams[stream].randint(least, most) if most else 0
