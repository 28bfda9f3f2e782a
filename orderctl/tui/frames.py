"""When to draw: news at once while there is little, and five pictures a second however much there is."""

import time
from collections.abc import Callable
from typing import Final

FRAME_SECONDS: Final = 0.1
"""How old a picture gets while there is no news."""
FLOOD_SECONDS: Final = 0.2
"""What lies between two pictures while there is always news: nobody reads faster, and each picture costs."""
BURST: Final = 5
"""So many pictures may follow each other faster: a lone order goes through its stages in hundredths of a second."""


class Frames:
    """A bucket that holds ``BURST`` pictures of news and gets another one every ``FLOOD_SECONDS``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._drawn_at = clock()

    def drawn(self, *, has_news: bool) -> None:
        """A picture has been drawn. One without news takes nothing from the bucket: what comes next is seen at once."""
        self._left = max(self._held() - has_news, 0.0)
        self._drawn_at = self._clock()

    def wait(self) -> float:
        """Seconds until news may be drawn."""
        return max(1 - self._held(), 0.0) * FLOOD_SECONDS

    def is_late(self) -> bool:
        """Whether the picture is as old as a frame: times on it have gone on. A timer may come a little early."""
        return self._clock() - self._drawn_at >= 0.9 * FRAME_SECONDS

    def _held(self) -> float:
        return min(self._left + (self._clock() - self._drawn_at) / FLOOD_SECONDS, BURST)
