"""Searches repeatedly for new pools of the pairs on which orders wait for liquidity.

The node may send a hint that a pool was created; then the search runs at once. But a hint can be lost, and some nodes
send none: only the node's list of pools is the truth.
"""

import time
from collections.abc import Callable, Set
from typing import Final

from orderd.engine.routing.quote_collection import Pair
from orderd.engine.routing.router import Router

LISTED_SECONDS: Final = 5.0
UNHINTED_SECONDS: Final = 1.0
"""Interval for a node that sends no hints. An order may be late by this much."""


class NewPoolSearch:
    """For one thread at a time. ``pairs`` returns the pairs on which orders wait; ``found`` is called for a new
    pool."""

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
