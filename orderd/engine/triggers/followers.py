"""Trailing stops follow a better price of their market.

A market that rises takes one exact quote per trailing stop of its pair. Orders that the same rise has met do not wait
for these quotes: they are made after each pass, for a limited time, and the rest after the next one. A stop follows a
price only when a further slot has confirmed it. If nothing has changed in the market by then, no quote is made again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.resting import Best
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.triggers.pricing import Pricing
from orderd.engine.triggers.roster import Roster
from orderd.engine.triggers.watched import Observed, Watched

SECONDS_PER_PASS: Final = 0.05
"""Maximum time for quotes after a pass."""


@dataclass(slots=True)
class _Moved:
    """A market that has moved. ``left`` are the trailing stops that have not been compared with it yet, the next one
    last; until they are looked up, those that an earlier state of the market has left."""

    outline: Outline
    found: Mapping[Pair, Answers]
    left: list[UUID]
    is_looked_up: bool = False


class Followers:
    """For one thread at a time. ``best`` are the prices that were confirmed and are to be stored."""

    def __init__(self, roster: Roster, pricing: Pricing, clock: Callable[[], float]) -> None:
        self.best: list[Best] = []
        self._roster = roster
        self._pricing = pricing
        self._clock = clock
        self._moved: dict[Pair, _Moved] = {}
        self._rising: dict[Pair, set[UUID]] = {}
        """The trailing stops of a pair whose better price has to be confirmed."""

    @property
    def is_behind(self) -> bool:
        """Whether trailing stops have not been compared with their market yet."""
        return bool(self._moved)

    def is_confirming(self, pair: Pair) -> bool:
        """Whether a better price on the pair has to be confirmed by a further slot."""
        return pair in self._rising

    def sees(self, watched: Watched, observed: Observed | None) -> None:
        """Take the exact quote of an order; None if it has no route."""
        if watched.rises(observed):
            self.best.append(Best(watched.id, watched.version, watched.best_out))
            self._roster.put(watched)
        elif watched.has_risen:
            self._rising.setdefault(watched.pair, set()).add(watched.id)

    def market_moved(self, pair: Pair, outline: Outline, found: Mapping[Pair, Answers]) -> None:
        """Compare the trailing stops of the pair with this state of its market when there is time."""
        before = self._moved.pop(pair, None)
        if pair in self._roster.better:
            self._moved[pair] = _Moved(outline, found, [] if before is None else before.left)

    def market_unchanged(self, pair: Pair, slot: int) -> None:
        """Confirm the better prices of the pair by a slot in which its market is as it was."""
        if pair in self._moved:
            return
        for watched in filter(None, map(self._roster.get, self._rising.pop(pair, ()))):
            if watched.has_risen:
                self.sees(watched, watched.risen_to(slot, self._clock()))

    def catch_up(self) -> None:
        """Compare trailing stops with their markets, the market that moved first before the others."""
        until = self._clock() + SECONDS_PER_PASS
        for pair, moved in list(self._moved.items()):
            if not moved.is_looked_up:
                self._look_up(pair, moved)
            while moved.left:
                if self._clock() >= until:
                    return
                if (watched := self._roster.get(moved.left.pop())) is not None:
                    self.sees(watched, self._pricing.exact(watched, moved.found))
            del self._moved[pair]

    def _look_up(self, pair: Pair, moved: _Moved) -> None:
        """Find the trailing stops that may rise. The others have no better price any more."""
        book, waited = self._roster.better.get(pair), set(moved.left)
        candidates = set() if book is None else self._pricing.candidates(book, pair, moved.outline, moved.found)
        for watched in filter(None, map(self._roster.get, self._rising.pop(pair, set()) - candidates)):
            watched.rises(None)
        moved.left, moved.is_looked_up = sorted(candidates, key=waited.__contains__), True
