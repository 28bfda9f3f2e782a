"""A cache in which concurrent requests for a key share one load."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


Age = float | Callable[[Any], float]
"""Maximum age of answers in seconds: a constant, or a function of the answer."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    """A running load or, with ``answer``, a finished one. The answer is in a tuple, because it may be None."""

    future: "Future[V]"
    began: float
    answer: tuple[V] | None = None


class SingleFlight(Generic[K, V]):
    """A cache by age. The first caller that finds a key stale loads it; concurrent callers wait for this load.

    An answer's age counts from the start of its load, so that it is never understated. Errors are raised to the waiting
    callers and not cached.
    """

    def __init__(
        self,
        load: Callable[[K], V],
        max_age: float | Callable[[V], float],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``max_age`` in seconds: a constant, or a function of the answer."""
        self._load = load
        self._max_age = max_age if callable(max_age) else lambda _: max_age
        self._clock = clock
        self._entries: dict[K, _Entry[V]] = {}
        self._forgotten: dict[K, int] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The answer for ``key``, not older than ``max_age``. Raises what the load raises."""
        known = self._entries.get(key)
        if known is not None and (answer := known.answer) is not None and not self._is_stale(known):
            return answer[0]
        entry, flight = self._board(key)
        if flight is None:
            return entry.future.result()
        with flight:
            return flight.land(self._load(key))

    def begin(self, key: K) -> "Flight[K, V] | None":
        """Start a load that the caller performs itself; other callers wait for it.

        None if there is a fresh answer, or a load is running.
        """
        return self._board(key)[1]

    def _board(self, key: K) -> "tuple[_Entry[V], Flight[K, V] | None]":
        """The entry of a key, and a flight if a load must start now."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and not self._is_stale(entry):
                return entry, None
            entry = self._entries[key] = _Entry(Future(), self._clock())
        return entry, Flight(self, key, entry)

    def is_fresh(self, key: K) -> bool:
        """Whether ``get`` would return without waiting."""
        entry = self._entries.get(key)
        return entry is not None and entry.answer is not None and not self._is_stale(entry)

    def is_forgotten(self, key: K) -> bool:
        """Whether there is no answer of any age, and no load is running."""
        return key not in self._entries

    def forget(self, key: K) -> None:
        """Drop the answer, so that the next request loads it again. Callers that already wait get the running load's
        answer."""
        with self._lock:
            self._entries.pop(key, None)
            self._forgotten[key] = self._forgotten.get(key, 0) + 1

    def times_forgotten(self, key: K) -> int:
        """How often ``forget`` was called for a key. A greater number than before means that a newer answer exists or
        will be loaded."""
        return self._forgotten.get(key, 0)

    def _is_stale(self, entry: _Entry[V]) -> bool:
        """Whether an answer is too old. A running load is never stale; a failed one is removed when it fails."""
        answer = entry.answer
        return answer is not None and self._clock() - entry.began > self._max_age(answer[0])

    def failed(self, key: K, entry: _Entry[V]) -> None:
        """Remove a failed load, so that the next request loads again."""
        with self._lock:
            if self._entries.get(key) is entry:
                del self._entries[key]


class Flight(Generic[K, V]):
    """A running load: it ends with ``land``, or fails with the exception that leaves its block.

    Exceptions such as GeneratorExit concern only the loading caller; waiting callers get a RuntimeError instead.
    """

    def __init__(self, cache: SingleFlight[K, V], key: K, entry: _Entry[V]) -> None:
        self._cache = cache
        self._key = key
        self._entry = entry

    def land(self, value: V) -> V:
        self._entry.answer = (value,)
        self._entry.future.set_result(value)
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self._cache.failed(self._key, self._entry)
            failure = error if isinstance(error, Exception) else RuntimeError(f"the load was broken off: {error!r}")
            self._entry.future.set_exception(failure)
