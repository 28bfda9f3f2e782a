"""Serialises the beginning of turns: claiming and routing orders.

Python computes in one thread at a time, so preparing turns concurrently only makes each of them slower. Orders that
arrive during a preparation wait and form the next turn, because a turn of many orders costs little more than one of a
few.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SECONDS: Final = 0.02
"""Maximum wait, because the turn in preparation may itself wait for Postgres or for a venue."""


class Preparation:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = deque[None]()
        """One element while the lock is held for a turn that has not started."""

    def begin(self) -> None:
        """Prepare a turn that another thread is about to start, unless one is being prepared."""
        if self._lock.acquire(blocking=False):
            self._begun.append(None)

    def cancel(self) -> None:
        """End what ``begin`` has begun, if no turn has started since."""
        if self._has_begun():
            self._lock.release()

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Prepare a turn, until the function is called that this yields, or the block ends."""
        is_held = self._has_begun() or self._lock.acquire(blocking=False)  # it may have waited already

        def done() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._lock.release()

        try:
            yield done
        finally:
            done()

    def wait(self) -> None:
        """Wait until no turn is being prepared, or for a moment."""
        if self._lock.acquire(timeout=_SECONDS):
            self._lock.release()

    def _has_begun(self) -> bool:
        try:
            self._begun.pop()  # one thread gets it
        except IndexError:
            return False
        return True
