"""Compares resting orders with the market, and fires those whose condition is met.

A change of a pool or a new slot is only a hint. The state that is read then is the truth, and the exact quote of the
order decides. A pass first looks for orders to fire and sends them, and only then lets trailing stops follow a better
price.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from db import journal, resting
from db.connection import database
from db.journal import Change, Moved
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Deferred
from orderd.domain.order import OrderStatus
from orderd.engine.publish import Publisher
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.firing import Fired, Firing
from orderd.engine.triggers.followers import Followers
from orderd.engine.triggers.pricing import Pricing, request_for
from orderd.engine.triggers.roster import Roster
from orderd.engine.triggers.watched import Observed, Watched

HINTED_SECONDS: Final = 2.0
"""How often a pair without hints is checked, if the chain sends hints."""
_SOON_SECONDS: Final = 1.0
"""The same for changes of which the chain sends no hint: conditions of orders on liquidity that do not concern a
pool."""
SECOND_CHECK_SECONDS: Final = 0.4
"""The same for a market of which a further slot has to confirm a better price."""
_REFRESH_SECONDS: Final = 30.0
"""How often orders are checked although no pool has changed: an obstacle to a route may end by itself."""
_INITIAL_REASON: Final = ErrorCode.ROUTE_NOT_FOUND
"""The initial reason of an order on liquidity: it waits for a pool. It is not reported."""


@dataclass(slots=True)
class _View:
    """The result of the last check of a pair, and when its orders are checked again although nothing has changed: at
    the latest when the pause of one of them ends. ``hints`` is the number of hints before the check; ``confirming``
    are the orders that further checks have to confirm."""

    outline: Outline
    hints: int
    checked_at: float
    again_at: float
    confirming: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class _PassResult:
    """The result of a pass: orders that fire, and parts of orders that can be executed."""

    fired: list[Fired] = field(default_factory=list)
    parts: list[tuple[Watched, int]] = field(default_factory=list)


class Triggers:
    """One pass at a time. ``send`` puts orders in the queue; ``is_mine`` says whether this process watches a pair."""

    def __init__(
        self,
        router: Router,
        fits: Fits,
        markets: NewMarkets,
        publisher: Publisher,
        send: Callable[[Sequence[UUID]], None],
        execute: Callable[[UUID, int], bool],
        is_mine: Callable[[Pair], bool] = lambda _: True,
        check_clock: Callable[[], object] = lambda: None,
        halted: Callable[[], object] = lambda: None,
        *,
        idle_seconds: float = HINTED_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``execute`` sells an amount of an order by a child order, if possible. ``check_clock`` is as in ``Dispatch``;
        while trading is ``halted``, nothing fires. A pair without hints is checked every ``idle_seconds``.
        """
        self._router = router
        self._publisher = publisher
        self._execute = execute
        self._check_clock = check_clock
        self._halted = halted
        self.idle_seconds = idle_seconds
        self._clock = clock
        self._roster = Roster(is_mine, clock)
        self._pricing = Pricing(router, fits, markets, clock)
        self._followers = Followers(self._roster, self._pricing, clock)
        self._firing = Firing(self._roster, publisher, send)
        self._views: dict[Pair, _View] = {}
        self._waiting: list[tuple[Watched, OrderdError]] = []
        self.awaiting_pools: frozenset[Pair] = frozenset()
        """The pairs on which orders wait for liquidity, as of the last pass."""

    def __len__(self) -> int:
        return len(self._roster)

    def run_once(self) -> int:
        """Check the pairs that may have moved. Returns the number of orders that have fired."""
        if self._halted():
            return 0
        try:
            return self._run_pass()
        except Exception:
            # The result may not have been stored, and an unchanged market would not be checked again.
            for view in self._views.values():
                view.again_at = 0.0
            raise

    @property
    def is_behind(self) -> bool:
        """Whether there is work left that the next pass should not wait with."""
        return self._followers.is_behind

    def _run_pass(self) -> int:
        with database.connection_context():
            self._check_clock()
            for pair in self._roster.read():
                if (view := self._views.get(pair)) is not None:
                    view.again_at = 0.0
        self.awaiting_pools = self._roster.awaiting_pools
        result = self._check_all()
        with database.connection_context():
            self._report_reasons()
            fired = self._firing.fire(result.fired)
        for watched, amount_in in result.parts:
            gone_on = self._execute(watched.id, amount_in)
            (self._roster.drop if gone_on else self._roster.put_off)(watched.id)
        self._follow()
        return fired + len(result.parts)

    # Prices of the market

    def _check_all(self) -> _PassResult:
        books, result = self._roster.books, _PassResult()
        for pair in self._views.keys() - books.keys():
            del self._views[pair]
        hints = {pair: self._router.hints(request_for(pair, 1)) for pair in books}
        due = [pair for pair in books if self._is_due(pair, hints[pair])]
        found = self._router.pools_for([request_for(pair, 1) for pair in due]) if due else {}
        for pair in due:
            if self._router.has_pools(request_for(pair, 1), found):
                self._check_pair(pair, found, hints[pair], result)
            else:  # For example, a venue that does not answer has never listed its pools.
                self._router.learn(request_for(pair, 1))
        return result

    def _is_due(self, pair: Pair, hints: int) -> bool:
        view, now = self._views.get(pair), self._clock()
        if view is None or view.confirming or hints != view.hints:
            return True
        idle_seconds = SECOND_CHECK_SECONDS if self._followers.is_confirming(pair) else self.idle_seconds
        return now >= min(view.checked_at + idle_seconds, view.again_at)

    def _check_pair(self, pair: Pair, found: Mapping[Pair, Answers], hints: int, result: _PassResult) -> None:
        """Find the orders that the market meets."""
        now = self._clock()
        outline, last = self._router.outline(request_for(pair, 1), found), self._views.get(pair)
        candidates, again_at = set() if last is None else last.confirming, now + _REFRESH_SECONDS
        if last is not None and now < last.again_at and outline.is_as(last.outline):
            again_at = last.again_at
            self._followers.market_unchanged(pair, outline.slot)
        else:
            candidates |= self._pricing.candidates(self._roster.books[pair], pair, outline, found)
            self._followers.market_moved(pair, outline, found)
        view = self._views[pair] = _View(outline, hints, now, again_at)
        for watched in filter(None, map(self._roster.get, candidates)):
            if now < watched.check_at:
                view.again_at = min(view.again_at, watched.check_at)
            elif watched.terms.partial:
                if part := self._pricing.largest_part(watched, found):
                    result.parts.append((watched, part))
            else:
                self._check_order(watched, found, view, result)

    def _check_order(self, watched: Watched, found: Mapping[Pair, Answers], view: _View, result: _PassResult) -> None:
        if watched.is_on_liquidity:
            observed = self._on_liquidity(watched, found, view)
        else:
            observed = self._pricing.exact(watched, found)
            self._followers.sees(watched, observed)
        if watched.is_met(observed):
            assert observed is not None, "a condition is met by an observation"
            result.fired.append(Fired(watched, observed))
        elif watched.is_confirming:
            view.confirming.add(watched.id)

    def _on_liquidity(self, watched: Watched, found: Mapping[Pair, Answers], view: _View) -> Observed | None:
        try:
            return self._pricing.on_liquidity(watched, found)
        except OrderdError as error:
            self._waiting.append((watched, error))
            view.again_at = min(view.again_at, self._clock() + _SOON_SECONDS)
            return None

    def _follow(self) -> None:
        followers = self._followers
        followers.catch_up()
        if followers.best:
            with database.connection_context():
                resting.raise_best(followers.best)
            followers.best.clear()

    # Reports

    def _report_reasons(self) -> None:
        """Report why orders on liquidity wait now. A reason is reported once while it stays the same."""
        new = [(each, error) for each, error in self._waiting if error.code != (each.waits_for or _INITIAL_REASON)]
        self._waiting.clear()
        if not new:
            return
        written = journal.apply_each([_why(watched, error) for watched, error in new])
        for (watched, error), answer in zip(new, written, strict=True):
            if isinstance(answer, Moved):
                watched.waits_for, watched.seq = error.code, answer.order.seq
        self._publisher.publish([each for each in written if isinstance(each, Moved)])


def _why(watched: Watched, error: OrderdError) -> Change:
    fact = Deferred(until=datetime.now(UTC), reason=error.spec.title, code=error.code, detail=error.detail)
    return Change(watched.id, fact, watched.version, to=OrderStatus.OPEN, waits_for=error.code)
