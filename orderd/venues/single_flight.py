"""One answer for all who ask at the same time, and for all who ask soon after."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


Age = float | Callable[[Any], float]
"""How old an answer may become, in seconds: of all answers, or of each."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    """A load under way or, with its ``answer``, one that is done; a tuple, for the answer may be None."""

    future: "Future[V]"
    began: float
    answer: tuple[V] | None = None


class SingleFlight(Generic[K, V]):
    """A cache by age. The first to find a key stale loads it; whoever asks meanwhile waits for that one load.

    An answer's age counts from when its load began, so it is never older than it is taken for. Errors go to those who
    wait for them and are not kept.
    """

    def __init__(
        self,
        load: Callable[[K], V],
        max_age: float | Callable[[V], float],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``max_age`` in seconds, of all answers or by the answer."""
        self._load = load
        self._max_age = max_age if callable(max_age) else lambda _: max_age
        self._clock = clock
        self._entries: dict[K, _Entry[V]] = {}
        self._forgotten: dict[K, int] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The answer for ``key``, no older than ``max_age`` when asked for. Raises what the load raises."""
        known = self._entries.get(key)
        if known is not None and (answer := known.answer) is not None and not self._is_stale(known):
            return answer[0]
        entry, flight = self._board(key)
        if flight is None:
            return entry.future.result()
        with flight:
            return flight.land(self._load(key))

    def begin(self, key: K) -> "Flight[K, V] | None":
        """For whoever loads the answer himself: all who ask from now on wait for him.

        None if there is an answer that is young enough, or a load under way.
        """
        return self._board(key)[1]

    def _board(self, key: K) -> "tuple[_Entry[V], Flight[K, V] | None]":
        """What there is to wait for, and the flight where it has only just begun."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and not self._is_stale(entry):
                return entry, None
            entry = self._entries[key] = _Entry(Future(), self._clock())
        return entry, Flight(self, key, entry)

    def is_fresh(self, key: K) -> bool:
        """Whether ``get`` would return at once."""
        entry = self._entries.get(key)
        return entry is not None and entry.answer is not None and not self._is_stale(entry)

    def is_forgotten(self, key: K) -> bool:
        """Whether there is no answer, of any age, and none is being loaded."""
        return key not in self._entries

    def forget(self, key: K) -> None:
        """Load again for whoever asks from now on; those who wait already get what is being loaded."""
        with self._lock:
            self._entries.pop(key, None)
            self._forgotten[key] = self._forgotten.get(key, 0) + 1

    def times_forgotten(self, key: K) -> int:
        """How often it was to be loaded again: whoever finds it greater than before finds a newer answer."""
        return self._forgotten.get(key, 0)

    def _is_stale(self, entry: _Entry[V]) -> bool:
        """A load under way is shared however long it takes; what fails is forgotten when it fails."""
        answer = entry.answer
        return answer is not None and self._clock() - entry.began > self._max_age(answer[0])

    def failed(self, key: K, entry: _Entry[V]) -> None:
        """Whoever asks from now on has it loaded again."""
        with self._lock:
            if self._entries.get(key) is entry:
                del self._entries[key]


class Flight(Generic[K, V]):
    """A load under way: it lands, or fails with the exception that leaves its block.

    Whoever waits is told of no end that was meant for the one who loads alone, such as that of a generator.
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
