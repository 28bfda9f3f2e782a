"""The resting orders of the pairs that this process watches. A pair is read completely when the process takes it over.

After that, each pass reads the orders that began to rest recently, and compares one pair after another with the
database to find missed changes. The memory only saves time: after a restart everything is read again.
"""

from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

from db import resting
from db.resting import Resting, RestingOrder
from orderd.engine.routing.quote_collection import Pair
from orderd.engine.triggers.book import PairBook
from orderd.engine.triggers.watched import Watched

_LATE_SECONDS: Final = 5.0
"""How far a reading goes back before the last one: longer than a commit can take."""
_LIST_SECONDS: Final = 1.0
"""How often the pairs that have resting orders are listed."""
_READ_AGAIN_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 1.0
"""Pause of an order that should have gone on and could not."""
_READING_SECONDS: Final = 0.1
"""Maximum time per pass for reading new pairs, so that the known pairs are not delayed."""


class Roster:
    """For one thread at a time. Reading needs a database connection."""

    def __init__(self, is_mine: Callable[[Pair], bool], clock: Callable[[], float]) -> None:
        self.books: dict[Pair, PairBook] = {}
        """The conditions of the orders, by pair."""
        self.better: dict[Pair, PairBook] = {}
        """The prices that trailing stops would follow, by pair."""
        self._is_mine = is_mine
        self._clock = clock
        self._watched: dict[UUID, Watched] = {}
        self._awaiting: dict[UUID, Pair] = {}
        self._pairs: set[Pair] = set()
        self._listed_at = float("-inf")
        self._late_at = clock()
        self._read_at: dict[Pair, float] = {}
        self._put_off: dict[UUID, Watched] = {}

    def __len__(self) -> int:
        return len(self._watched)

    def get(self, order_id: UUID) -> Watched | None:
        return self._watched.get(order_id)

    @property
    def awaiting_pools(self) -> frozenset[Pair]:
        """The pairs on which orders wait for liquidity."""
        return frozenset(self._awaiting.values())

    def read(self) -> set[Pair]:
        """Read the resting orders. Returns the pairs on which orders have changed."""
        now = self._clock()
        late = [each for each in resting.of_late(now - self._late_at + _LATE_SECONDS) if self._is_mine(each.pair)]
        if now - self._listed_at >= _LIST_SECONDS:
            self._pairs, self._listed_at = resting.pairs(), now
        mine = {pair for pair in self._pairs if self._is_mine(pair)} | {each.pair for each in late}
        for pair in (self.books.keys() | self._read_at.keys()) - mine:
            self._forget(pair)
        changed = self._take(self._new(late) | self._put_off.keys())
        self._late_at = now
        self._put_off.clear()
        for pair in self._unread(mine):
            changed |= self._read_pair(pair)
            if self._clock() - now >= _READING_SECONDS:
                break
        return changed

    def drop(self, order_id: UUID) -> None:
        """Forget an order that goes on; if it rests again, it is read again."""
        if (watched := self._watched.pop(order_id, None)) is None:
            return
        self._awaiting.pop(order_id, None)
        for books in (self.books, self.better):
            if (book := books.get(watched.pair)) is not None:
                book.drop(order_id)
                if not len(book):
                    del books[watched.pair]

    def put(self, watched: Watched) -> None:
        """Replace the condition of an order."""
        self.books.setdefault(watched.pair, PairBook()).put(watched.id, watched.least_part, [watched.bound])
        if (better := watched.better) is not None:
            self.better.setdefault(watched.pair, PairBook()).put(watched.id, watched.least_part, [better])

    def put_off(self, order_id: UUID) -> None:
        """Read again an order that did not go on, and pause it if it has not changed."""
        if (watched := self._watched.get(order_id)) is not None:
            watched.check_at = self._clock() + _PAUSE_SECONDS
            self._put_off[order_id] = watched
            self.drop(order_id)

    def _unread(self, mine: set[Pair]) -> Iterable[Pair]:
        """The pairs that have never been read, and the pair that was read longest ago, if it is due."""
        yield from sorted(mine - self._read_at.keys())
        oldest = min(self._read_at, key=self._read_at.__getitem__, default=None)
        if oldest is not None and self._clock() - self._read_at[oldest] >= _READ_AGAIN_SECONDS:
            yield oldest

    def _read_pair(self, pair: Pair) -> set[Pair]:
        resting_orders = resting.of_pair(pair)
        for order_id in {*self.books.get(pair, ())} - {each.id for each in resting_orders}:
            self.drop(order_id)
        changed = self._take(self._new(resting_orders))
        self._read_at[pair] = self._clock()
        return changed

    def _new(self, resting_orders: Iterable[RestingOrder]) -> set[UUID]:
        """The orders that have changed since they were read."""
        known = self._watched
        return {
            each.id
            for each in resting_orders
            if (kept := known.get(each.id)) is None or (kept.version, kept.seq) != (each.version, each.seq)
        }

    def _take(self, order_ids: set[UUID]) -> set[Pair]:
        rows = resting.by_id(order_ids) if order_ids else []
        return {self._keep(each) for each in rows if self._is_mine((each.order.mint_in, each.order.mint_out))}

    def _keep(self, found: Resting) -> Pair:
        watched = Watched(found.order, self._clock() + found.wait_ms / 1000)
        before = self._put_off.get(watched.id)
        if before is not None and (before.version, before.seq) == (watched.version, watched.seq):
            watched.check_at = max(watched.check_at, before.check_at)
        self._watched[watched.id] = watched
        if watched.is_on_liquidity:
            self._awaiting[watched.id] = watched.pair
        self.put(watched)
        return watched.pair

    def _forget(self, pair: Pair) -> None:
        """Forget a pair that another process watches now, or that has no resting orders."""
        for order_id in list(self.books.get(pair, ())):
            self.drop(order_id)
        self._read_at.pop(pair, None)
