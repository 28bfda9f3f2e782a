"""Which process watches which pair: one at a time, by the highest hash of the two names (rendezvous hashing).

All processes come to the same by themselves, from the list of those that watch. When one joins or goes, the pairs that
it takes or leaves change hands and no others. While lists differ for a moment, a pair may be watched by two, of which
one fires an order: the change names the version that was read.
Source: Thaler, Ravishankar, "Using name-based mappings to increase hit rates", 1998.
"""

from collections.abc import Callable, Set
from hashlib import blake2b

from orderd.engine.routing.quote_collection import Pair


class Shares:
    """Those of the process ``name``. ``watchers`` returns who watches now: the same object until that changes."""

    def __init__(self, name: str, watchers: Callable[[], Set[str]]) -> None:
        self._name = name
        self._watchers = watchers
        self._known: Set[str] = frozenset()
        self._mine: dict[Pair, bool] = {}

    def is_mine(self, pair: Pair) -> bool:
        """Whether the pair is this process' to watch."""
        if (watchers := self._watchers()) is not self._known:
            self._known = watchers
            self._mine.clear()
        if pair not in self._mine:
            self._mine[pair] = max(watchers, key=lambda name: _weight(name, pair), default=None) == self._name
        return self._mine[pair]


def _weight(name: str, pair: Pair) -> bytes:
    return blake2b("\0".join((name, *pair)).encode(), digest_size=8).digest()
