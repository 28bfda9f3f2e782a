"""Which process watches which pair: one at a time, by the highest hash of the two names (rendezvous hashing).

All processes compute the same result from the list of watching processes. When a process joins or leaves, only the
pairs that it takes or leaves move. While the lists of two processes differ, both may watch a pair; still only one of
them fires an order, because the change names the version that was read.
Source: Thaler, Ravishankar, "Using name-based mappings to increase hit rates", 1998.
"""

from collections.abc import Callable, Set
from hashlib import blake2b

from orderd.engine.routing.quote_collection import Pair


class Shares:
    """The pairs of the process ``name``. ``watchers`` returns the watching processes: the same object until they
    change."""

    def __init__(self, name: str, watchers: Callable[[], Set[str]]) -> None:
        self._name = name
        self._watchers = watchers
        self._known: Set[str] = frozenset()
        self._mine: dict[Pair, bool] = {}

    def is_mine(self, pair: Pair) -> bool:
        """Whether this process watches the pair."""
        if (watchers := self._watchers()) is not self._known:
            self._known = watchers
            self._mine.clear()
        if pair not in self._mine:
            self._mine[pair] = max(watchers, key=lambda name: _weight(name, pair), default=None) == self._name
        return self._mine[pair]


def _weight(name: str, pair: Pair) -> bytes:
    return blake2b("\0".join((name, *pair)).encode(), digest_size=8).digest()
