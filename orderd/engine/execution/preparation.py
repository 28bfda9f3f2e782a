"""Serialises the beginning of turns: claiming and routing orders.

Python computes in one thread at a time, so preparing turns concurrently only makes each of them slower. Orders that
arrive during a preparation wait and form the next turn, because a turn of many orders costs little more than one of a
few.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SECONDS: Final = 0.02
"""Maximum wait, because the turn in preparation may itself wait for Postgres or for a venue."""


class Preparation:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Prepare a turn, until the function is called that this yields, or the block ends."""
        is_held = self._lock.acquire(blocking=False)  # it may have waited already

        def done() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._lock.release()

        try:
            yield done
        finally:
            done()

    def wait(self) -> bool:
        """Wait until no turn is being prepared, or for a moment. Returns whether there was anything to wait for."""
        had_to_wait = not self._lock.acquire(blocking=False)
        if not had_to_wait or self._lock.acquire(timeout=_SECONDS):
            self._lock.release()
        return had_to_wait
