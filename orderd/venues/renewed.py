"""A cache for slow queries whose results change rarely: an old answer is used until a newer one is there."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

import structlog

from orderd.venues.single_flight import SingleFlight

K = TypeVar("K")
V = TypeVar("V")

_RETRY_SECONDS: Final = 20.0
_SPREAD: Final = 0.25
"""Random fraction of the age by which a renewal may come early, so that not all come at once."""
_one_at_a_time = threading.Lock()
log = structlog.get_logger(__name__)


def in_background(renew: Callable[[], None]) -> None:
    """Run ``renew`` in its own thread, one renewal at a time per process."""

    def run() -> None:
        with _one_at_a_time:
            renew()

    threading.Thread(target=run, name="renewal", daemon=True).start()


@dataclass(frozen=True, slots=True)
class _Answer(Generic[V]):
    value: V
    renew_at: float
    valid_until: float


class Renewed(Generic[K, V]):
    """A cache in which only the first request for a key waits for the load. Thread-safe.

    Old answers are renewed in the background, one at a time per process. If a renewal fails, the old answer stays, and
    the renewal is retried soon.
    """

    def __init__(
        self,
        load: Callable[[K], V],
        max_age: Callable[[V], float],
        valid_for: Callable[[V], float] = lambda _: float("inf"),
        *,
        start: Callable[[Callable[[], None]], None] = in_background,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``max_age`` and ``valid_for`` give seconds for an answer. A request after ``max_age``, or a little earlier,
        starts a renewal; a request after ``valid_for`` waits for the new answer.
        """
        self._load = load
        self._max_age = max_age
        self._valid_for = valid_for
        self._start = start
        self._clock = clock
        self._first: SingleFlight[K, V] = SingleFlight(self._learn, 0, clock=clock)
        self._answers: dict[K, _Answer[V]] = {}
        self._under_way: set[K] = set()
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The newest answer. If there is none, loads it, and raises what the load raises."""
        answer = self.at_hand(key)
        return self._first.get(key) if answer is None else answer

    def at_hand(self, key: K) -> V | None:
        """The newest answer if it is available without waiting, otherwise None."""
        with self._lock:
            answer, now = self._answers.get(key), self._clock()
            if answer is not None and now > answer.valid_until:
                answer = None
            is_due = answer is not None and now > answer.renew_at and key not in self._under_way
            if is_due:
                self._under_way.add(key)
        if is_due:
            self._start(lambda: self._renew(key))
        return None if answer is None else answer.value

    def renew(self, key: K) -> None:
        """Load a new answer now, unless a load is running. Raises what the load raises; then the old answer stays."""
        with self._lock:
            if key in self._under_way:
                return
            self._under_way.add(key)
        try:
            self._learn(key)
        finally:
            with self._lock:
                self._under_way.discard(key)

    def known(self, key: K) -> V | None:
        """The newest answer of any age; None if there is none. Does not wait or renew."""
        with self._lock:
            answer = self._answers.get(key)
        return None if answer is None else answer.value

    def _learn(self, key: K) -> V:
        value = self._load(key)
        age = self._max_age(value) * (1 - _SPREAD * random.random())  # noqa: S311  (spreads load, guards nothing)
        now = self._clock()
        with self._lock:
            self._answers[key] = _Answer(value, now + age, now + self._valid_for(value))
        return value

    def _renew(self, key: K) -> None:
        try:
            self._learn(key)
        except BaseException as error:  # noqa: BLE001  (nobody waits for this answer; the old one is used)
            log.warning("renewal failed, the old answer stays", action="renewal_failed", key=str(key), error=str(error))
            with self._lock:
                self._answers[key] = replace(self._answers[key], renew_at=self._clock() + _RETRY_SECONDS)
        finally:
            with self._lock:
                self._under_way.discard(key)
