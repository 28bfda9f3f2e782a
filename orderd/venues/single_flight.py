"""One answer for all who ask at the same time, and for all who ask soon after."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Entry(Generic[V]):
    """A load under way or, with its `answer`, one that is done; a tuple, for the answer may be None."""

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
        """`max_age` in seconds, of all answers or by the answer."""
        self._load = load
        self._max_age = max_age if callable(max_age) else lambda _: max_age
        self._clock = clock
        self._entries: dict[K, _Entry[V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The answer for `key`, no older than `max_age` when asked for. Raises what the load raises."""
        known = self._entries.get(key)
        if known is not None and (answer := known.answer) is not None and not self._is_stale(known):
            return answer[0]
        with self._lock:
            entry = self._entries.get(key)
            mine = entry is None or self._is_stale(entry)
            if mine:
                entry = self._entries[key] = _Entry(Future(), self._clock())
        assert entry is not None
        if mine:
            self._fill(key, entry)
        return entry.future.result()

    def is_fresh(self, key: K) -> bool:
        """Whether `get` would return at once."""
        entry = self._entries.get(key)
        return entry is not None and entry.answer is not None and not self._is_stale(entry)

    def forget(self, key: K) -> None:
        """Load anew for whoever asks from now on; those who wait already get what is being loaded."""
        with self._lock:
            self._entries.pop(key, None)

    def _is_stale(self, entry: _Entry[V]) -> bool:
        """A load under way is shared however long it takes; what fails is forgotten when it fails."""
        answer = entry.answer
        return answer is not None and self._clock() - entry.began > self._max_age(answer[0])

    def _fill(self, key: K, entry: _Entry[V]) -> None:
        try:
            value = self._load(key)
        except BaseException as error:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.future.set_exception(error)
            raise
        entry.answer = (value,)
        entry.future.set_result(value)
