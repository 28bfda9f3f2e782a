"""Asks again and again whether there are new pools, on the pairs where orders wait for them.

The node may hint that one was made, and then it is asked at once. But a hint may be lost, and some nodes give none:
what it lists is the truth.
"""

import time
from collections.abc import Callable, Set
from typing import Final

from orderd.engine.routing.quote_collection import Pair
from orderd.engine.routing.router import Router

LISTED_SECONDS: Final = 5.0
UNHINTED_SECONDS: Final = 1.0
"""How often a node is asked that gives no hints: what lies between is what an order may come late."""


class NewPoolSearch:
    """For one thread at a time. ``pairs`` are those that somebody waits on, ``found`` is called where there is news."""

    def __init__(
        self,
        router: Router,
        pairs: Callable[[], Set[Pair]],
        found: Callable[[], object],
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._router = router
        self._pairs = pairs
        self._found = found
        self._seconds = seconds
        self._clock = clock
        self._searched_at: dict[Pair, float] = {}

    def run_once(self) -> None:
        pairs, now = self._pairs(), self._clock()
        self._searched_at = {pair: at for pair, at in self._searched_at.items() if pair in pairs}
        for pair in sorted(pairs):
            if now - self._searched_at.get(pair, float("-inf")) >= self._seconds:
                self._searched_at[pair] = now
                if self._router.find_new_pools(pair):
                    self._found()
