"""Latencies and failures of an endpoint over the last minute, in counts that can be added over processes.

Latencies are counted in buckets whose bounds differ by 10 %, so a percentile over several processes is as exact as that
of one: at most 10 % above the true value.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, log
from threading import Lock
from typing import Any, Final, TypeVar

K = TypeVar("K")
WINDOW_SECONDS: Final = 60
_PART_SECONDS: Final = 5
_BASE: Final = 1.1
_UNIT: Final = 1e-5
"""Upper bound of the first bucket, in seconds."""


@dataclass(frozen=True, slots=True)
class EndpointTally:
    """One endpoint over the last minute, as seen by ``processes`` processes. It has no path and no credentials.

    ``latencies`` counts requests by the bucket of their duration, ``failures`` calls by the label of their RpcError.
    ``slot`` is the newest slot that the endpoint reported, ``slot_lag`` the largest number of slots by which an answer
    was behind the newest earlier one; both are None if it reported no slot.
    """

    host: str
    latencies: Mapping[int, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    slot: int | None = None
    slot_lag: int | None = None
    processes: int = 1

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "EndpointTally":
        """The tally from ``asdict`` by way of JSON, in which keys are strings."""
        return cls(**{**found, "latencies": {int(bucket): count for bucket, count in found["latencies"].items()}})

    @property
    def requests(self) -> int:
        return sum(self.latencies.values())

    def latency_ms(self, share: float) -> float | None:
        """Milliseconds within which this share of the requests was answered; None if there were none."""
        wanted = share * self.requests
        passed = 0
        for bucket, count in sorted(self.latencies.items()):
            passed += count
            if passed >= wanted:
                return _UNIT * _BASE**bucket * 1000
        return None


class EndpointFigures:
    """Counts the answers of one endpoint to this process. Thread-safe."""

    def __init__(self, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._clock = clock
        self._lock = Lock()
        self._parts: dict[int, _Part] = {}
        self._slot: int | None = None

    def answered(self, seconds: float) -> None:
        """Count a request that ended after so many seconds, with an answer or without."""
        with self._lock:
            self._part().latencies[max(0, ceil(log(max(seconds, _UNIT) / _UNIT, _BASE)))] += 1

    def failed(self, label: str) -> None:
        """Count a failed call by the label of its RpcError."""
        with self._lock:
            self._part().failures[label] += 1

    def note_slot(self, slot: int) -> None:
        """Note the slot of an answer. All answers must be of the same commitment."""
        with self._lock:
            newest = self._slot = max(slot, self._slot or 0)
            part = self._part()
            part.lag = max(part.lag or 0, newest - slot)

    @property
    def newest_slot(self) -> int:
        """The newest slot of an answer so far; 0 before the first one."""
        return self._slot or 0

    def tally(self) -> EndpointTally:
        with self._lock:
            parts = self._recent()
            return EndpointTally(
                self._host,
                _sum(part.latencies for part in parts),
                _sum(part.failures for part in parts),
                self._slot,
                _most(part.lag for part in parts),
            )

    def _part(self) -> "_Part":
        now = int(self._clock() / _PART_SECONDS)
        if (part := self._parts.get(now)) is None:
            self._recent()
            part = self._parts[now] = _Part()
        return part

    def _recent(self) -> "list[_Part]":
        """The parts of the last minute; older ones are dropped."""
        first = int(self._clock() / _PART_SECONDS) - WINDOW_SECONDS // _PART_SECONDS
        self._parts = {number: part for number, part in self._parts.items() if number > first}
        return [*self._parts.values()]


@dataclass(slots=True)
class _Part:
    latencies: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    lag: int | None = None


_KNOWN: Final[dict[str, EndpointFigures]] = {}


def figures_of(host: str) -> EndpointFigures:
    """The figures of a host, shared by all clients of this process."""
    return _KNOWN.setdefault(host, EndpointFigures(host))


def tallies() -> list[EndpointTally]:
    """The tallies of all endpoints that this process uses."""
    return [figures.tally() for figures in [*_KNOWN.values()]]


def combined(found: Iterable[EndpointTally]) -> list[EndpointTally]:
    """One tally per endpoint: sums of counts, maxima of slots and lags."""
    by_host: dict[str, list[EndpointTally]] = {}
    for tally in found:
        by_host.setdefault(tally.host, []).append(tally)
    return [
        EndpointTally(
            host,
            _sum(each.latencies for each in of_host),
            _sum(each.failures for each in of_host),
            _most(each.slot for each in of_host),
            _most(each.slot_lag for each in of_host),
            sum(each.processes for each in of_host),
        )
        for host, of_host in by_host.items()
    ]


def _sum(counts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total = Counter[K]()
    for each in counts:
        total.update(each)
    return dict(total)


def _most(numbers: Iterable[int | None]) -> int | None:
    return max((number for number in numbers if number is not None), default=None)
