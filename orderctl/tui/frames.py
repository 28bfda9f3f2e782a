"""Decides when to redraw: at once while there are few changes, and otherwise five times per second."""

import time
from collections.abc import Callable
from typing import Final

FRAME_SECONDS: Final = 0.1
"""Interval between two frames without changes."""
FLOOD_SECONDS: Final = 0.2
"""Interval between two frames during continuous changes; more would cost CPU time and could not be read."""
BURST: Final = 5
"""Number of frames that can be drawn faster: a single order passes through its stages within hundredths of a second."""


class Frames:
    """A token bucket of ``BURST`` frames that gains one frame every ``FLOOD_SECONDS``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._drawn_at = clock()

    def drawn(self, *, has_changes: bool) -> None:
        """Record a drawn frame. A frame without changes takes no token, so the next change is drawn at once."""
        self._left = max(self._held() - has_changes, 0.0)
        self._drawn_at = self._clock()

    def wait(self) -> float:
        """Seconds until the next frame with changes may be drawn."""
        return max(1 - self._held(), 0.0) * FLOOD_SECONDS

    def is_due(self) -> bool:
        """Whether a frame without changes is due, for the times on it; with a tolerance for early timers."""
        return self._clock() - self._drawn_at >= 0.9 * FRAME_SECONDS

    def _held(self) -> float:
        return min(self._left + (self._clock() - self._drawn_at) / FLOOD_SECONDS, BURST)
