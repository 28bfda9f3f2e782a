"""The beginning of turns: to claim orders and to route them.

Python computes for one thread at a time, so turns that are prepared side by side take as long together, and each of
them longer. What comes from the queue while one is prepared waits, and makes up the next turn: many orders cost little
more than a few.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_SECONDS: Final = 0.02
"""Nothing waits for longer: the turn that is prepared may be waiting itself, for Postgres or for a venue."""


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

    def wait(self) -> None:
        """Wait until no turn is being prepared, or for a moment."""
        if self._lock.acquire(timeout=_SECONDS):
            self._lock.release()
