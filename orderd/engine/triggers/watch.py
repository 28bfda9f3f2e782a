"""Compares resting orders with the market, and fires those whose condition is met.

A change of a pool or a new slot is only a hint. The state that is read then is the truth, and the exact quote of the
order decides. A fired order is stored before it is sent. It fires once, because the change names the version that was
read.

A pass first looks for orders to fire and sends them, and only then lets trailing stops follow a better price: a market
that rises would otherwise delay what it has met by one quote per trailing stop.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from db import families, journal, resting
from db.connection import database, transaction
from db.journal import Change, Moved
from db.resting import Best
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Deferred
from orderd.domain.money import BPS
from orderd.domain.order import OrderStatus
from orderd.domain.parts import largest_part
from orderd.domain.quote import QuoteRequest, RoutingDecision
from orderd.domain.terms import OrderTerms
from orderd.engine.publish import Publisher
from orderd.engine.routing.floor import check_floor
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.book import PairBook
from orderd.engine.triggers.roster import Roster
from orderd.engine.triggers.watched import MarketLook, Watched

HINTED_SECONDS: Final = 2.0
"""How often a pair without hints is checked, if the chain sends hints."""
_SOON_SECONDS: Final = 1.0
"""The same for changes of which the chain sends no hint: conditions of orders on liquidity that do not concern a pool,
and a price that a trailing stop has to see again before it follows."""
_ANEW_SECONDS: Final = 30.0
"""How often orders are checked although no pool has changed: an obstacle to a route may end by itself."""
_NOTHING_YET: Final = ErrorCode.ROUTE_NOT_FOUND
"""The initial reason of an order on liquidity: it waits for a pool. It is not reported."""
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _View:
    """The result of the last check of a pair, and when its orders are checked again although nothing has changed: at
    the latest when the pause of one of them ends. ``hints`` is the number of hints before the check; ``confirming``
    are the orders that further checks have to confirm."""

    outline: Outline
    hints: int
    looked_at: float
    again_at: float
    confirming: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class _PassResult:
    """The result of a pass: orders that fire, and parts of orders that can be executed."""

    fired: "list[_Fired]" = field(default_factory=list)
    parts: "list[tuple[Watched, int]]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Fired:
    watched: Watched
    look: MarketLook


class Triggers:
    """One pass at a time. ``send`` puts orders in the queue; ``is_mine`` says whether this process watches a pair."""

    def __init__(
        self,
        router: Router,
        fits: Fits,
        publisher: Publisher,
        send: Callable[[Sequence[UUID]], None],
        execute: Callable[[UUID, int], bool],
        is_mine: Callable[[Pair], bool] = lambda _: True,
        look: Callable[[], object] = lambda: None,
        halted: Callable[[], object] = lambda: None,
        check: Callable[[OrderTerms, RoutingDecision | None], object] = lambda _, __: None,
        preferred: Callable[[OrderTerms], Fits | None] = lambda _: None,
        *,
        idle_seconds: float = HINTED_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``execute`` sells an amount of an order by a child order, if possible. ``look`` is as in ``Dispatch``; while
        trading is ``halted``, nothing fires. ``check`` raises OrderdError if a guard of an order on liquidity is not
        met by its route or, without a route, by its token; ``preferred`` selects the routes whose pools it accepts. A
        pair without hints is checked every ``idle_seconds``.
        """
        self._router = router
        self._fits = fits
        self._publisher = publisher
        self._send = send
        self._execute = execute
        self._look = look
        self._halted = halted
        self._check = check
        self._preferred = preferred
        self.idle_seconds = idle_seconds
        self._clock = clock
        self._roster = Roster(is_mine, clock)
        self._views: dict[Pair, _View] = {}
        self._best: list[Best] = []
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
            return self._look_around()
        except Exception:
            # The result may not have been stored, and a market that stands still would not be checked again.
            for view in self._views.values():
                view.again_at = 0.0
            raise

    def _look_around(self) -> int:
        with database.connection_context():
            self._look()
            for pair in self._roster.read():
                self._views.pop(pair, None)
        self.awaiting_pools = self._roster.awaiting_pools
        books = self._roster.books
        for pair in self._views.keys() - books.keys():
            del self._views[pair]
        hints = {pair: self._router.hints(_of(pair, 1)) for pair in books}
        due = [pair for pair in books if self._is_due(pair, hints[pair])]
        if not due:
            return 0
        found = self._router.pools_for([_of(pair, 1) for pair in due])
        result = _PassResult()
        moved = []
        for pair in due:
            if self._router.has_pools(_of(pair, 1), found):
                if self._look_at(pair, found, hints[pair], result):
                    moved.append(pair)
            else:  # For example, a venue that does not answer has never listed its pools.
                self._router.learn(_of(pair, 1))
        with database.connection_context():
            self._report_reasons()
            fired = self._fire(result.fired)
        for watched, amount_in in result.parts:
            gone_on = self._execute(watched.id, amount_in)
            (self._roster.drop if gone_on else self._roster.put_off)(watched.id)
        for pair in moved:
            self._follow(pair, found)
        if self._best:
            with database.connection_context():
                resting.raise_best(self._best)
            self._best.clear()
        return fired + len(result.parts)

    # Prices of the market

    def _is_due(self, pair: Pair, hints: int) -> bool:
        view, now = self._views.get(pair), self._clock()
        if view is None or view.confirming or hints != view.hints:
            return True
        return now >= min(view.looked_at + self.idle_seconds, view.again_at)

    def _look_at(self, pair: Pair, found: Mapping[Pair, Answers], hints: int, result: _PassResult) -> bool:
        """Find the orders that the market meets. Returns whether trailing stops of the pair may have a better price."""
        now = self._clock()
        outline, last = self._router.outline(_of(pair, 1), found), self._views.get(pair)
        has_moved = last is None or now >= last.again_at or not outline.is_as(last.outline)
        if last is not None and not has_moved:
            candidates, again_at = last.confirming, last.again_at
        else:
            candidates = self._candidates(self._roster.books[pair], pair, outline, found)
            again_at = now + _ANEW_SECONDS
            if last is not None:
                candidates |= last.confirming
        view = self._views[pair] = _View(outline, hints, now, again_at)
        for watched in filter(None, map(self._roster.get, candidates)):
            if now < watched.look_at:
                view.again_at = min(view.again_at, watched.look_at)
            elif watched.terms.partial:
                if part := self._largest_part(watched, found):
                    result.parts.append((watched, part))
            else:
                self._look_for(watched, found, view, result)
        return has_moved

    def _follow(self, pair: Pair, found: Mapping[Pair, Answers]) -> None:
        """Move the trailing stops of a pair if its market has a better price than before."""
        if (book := self._roster.better.get(pair)) is None:
            return
        view, now = self._views[pair], self._clock()
        for watched in filter(None, map(self._roster.get, self._candidates(book, pair, view.outline, found))):
            if now < watched.look_at:
                view.again_at = min(view.again_at, watched.look_at)
            elif (look := self._exact(watched, found)) is not None:
                self._note_best(watched, look, view)

    def _candidates(self, book: PairBook, pair: Pair, outline: Outline, found: Mapping[Pair, Answers]) -> set[UUID]:
        return book.may_be_met(
            lambda amount: self._paid(_of(pair, amount), found),
            outline.given_up,
            best_rate=outline.best_rate,
            is_searched=outline.is_searched,
        )

    def _note_best(self, watched: Watched, look: MarketLook, view: _View) -> None:
        if watched.rises(look):
            self._best.append(Best(watched.id, watched.version, watched.best_out))
            self._roster.put(watched)
        elif watched.has_risen:
            view.again_at = min(view.again_at, self._clock() + _SOON_SECONDS)

    def _look_for(self, watched: Watched, found: Mapping[Pair, Answers], view: _View, result: _PassResult) -> None:
        look = self._on_liquidity(watched, found, view) if watched.is_on_liquidity else self._exact(watched, found)
        if look is not None:
            self._note_best(watched, look, view)
        if watched.is_met(look):
            assert look is not None, "what is met is met by a look"
            result.fired.append(_Fired(watched, look))
        elif watched.is_confirming:
            view.confirming.add(watched.id)

    def _exact(self, watched: Watched, found: Mapping[Pair, Answers]) -> MarketLook | None:
        try:
            route = self._router.route(watched.request, 0, self._fits, found).route
        except OrderdError as error:
            if watched.is_confirming:
                log.warning("no route", action="trigger_blind", order_id=str(watched.id), error=str(error))
            return None
        return MarketLook(route.amount_out, route.slot, self._clock())

    def _on_liquidity(self, watched: Watched, found: Mapping[Pair, Answers], view: _View) -> MarketLook | None:
        """Like ``_exact``, if no guard prevents the execution of the order; otherwise the reason is reported."""
        terms = watched.terms
        try:
            try:
                decision = self._router.route(watched.request, 0, self._fits, found, preferred=self._preferred(terms))
            except OrderdError:
                self._check(terms, None)
                raise
            assert terms.least is not None, "it has a limit"
            check_floor(terms, decision.route, terms.least, decision.refusals)
            self._check(terms, decision)
        except OrderdError as error:
            self._waiting.append((watched, error))
            view.again_at = min(view.again_at, self._clock() + _SOON_SECONDS)
            return None
        return MarketLook(decision.route.amount_out, decision.route.slot, self._clock())

    def _largest_part(self, watched: Watched, found: Mapping[Pair, Answers]) -> int | None:
        """The part of the order that gets its limit; None if it is smaller than the smallest part."""

        def is_paid(amount_in: int) -> bool:
            paid = self._paid(replace(watched.request, amount=amount_in), found)
            return paid is not None and watched.pays(amount_in, paid)

        return largest_part(watched.least_part, watched.terms.amount, is_paid)

    def _paid(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> int | None:
        try:
            return self._router.route(request, 0, self._fits, found).route.amount_out
        except OrderdError:
            return None

    # Reports

    def _report_reasons(self) -> None:
        """Report why orders on liquidity wait now. A reason is reported once while it stays the same."""
        new = [(each, error) for each, error in self._waiting if error.code != (each.waits_for or _NOTHING_YET)]
        self._waiting.clear()
        if not new:
            return
        written = journal.apply_each([_why(watched, error) for watched, error in new])
        for (watched, error), answer in zip(new, written, strict=True):
            if isinstance(answer, Moved):
                watched.waits_for, watched.seq = error.code, answer.order.seq
        self._publisher.publish([each for each in written if isinstance(each, Moved)])

    # Firing

    def _fire(self, fired: list[_Fired]) -> int:
        if not fired:
            return 0
        fired.sort(key=lambda each: (each.watched.is_child, -each.watched.passed(each.look)))
        changes = [
            Change(
                each.watched.id,
                each.watched.fact(each.look),
                each.watched.version,
                to=OrderStatus.PENDING,
                valid=True,
            )
            for each in fired
        ]
        singles = [change for each, change in zip(fired, changes, strict=True) if not each.watched.is_child]
        children = [change for each, change in zip(fired, changes, strict=True) if each.watched.is_child]
        written = [*journal.apply_each(singles), *map(_of_family, children)]
        for each, answer in zip(fired, written, strict=True):
            (self._roster.drop if isinstance(answer, Moved) else self._roster.put_off)(each.watched.id)
            if isinstance(answer, Exception):
                log.error("not fired", action="trigger_refused", order_id=str(each.watched.id), exc_info=answer)
        moved = [each for each in written if isinstance(each, Moved)]
        self._publisher.publish(moved)
        if moved:
            log.info("conditions met", action="triggered", orders=len(moved))
            self._send([each.order.id for each in moved])
        return len(moved)


def _why(watched: Watched, error: OrderdError) -> Change:
    fact = Deferred(until=datetime.now(UTC), reason=error.spec.title, code=error.code, detail=error.detail)
    return Change(watched.id, fact, watched.version, to=OrderStatus.OPEN, waits_for=error.code)


@transaction
def _of_family(change: Change) -> Moved | None:
    """Release a child if no other of its family is being executed: two of them must not sell the same amount."""
    if not families.lock_free(change.order_id):
        return None
    return next(iter(journal.apply([change])), None)


def _of(pair: Pair, amount: int) -> QuoteRequest:
    """A request limited only by the pools: the limits of orders are never wider."""
    return QuoteRequest(*pair, amount, max_cost_bps=BPS, exit_bps=BPS, has_own_floor=True)
