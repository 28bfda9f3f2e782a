"""Looks at the market for the orders that rest, and lets those go on whose condition it meets.

A change of a pool or a new slot is a hint; the state that is read then is the truth, and the order's own exact quote
decides. What has fired is stored before it is sent, and fires once: its change names the version that was read.
Whatever this process remembers is only to be quick: after a restart all is read again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

import structlog

from db import families, journal, resting
from db.connection import database, transaction
from db.journal import Change, Moved
from db.models import Order
from db.resting import Best, Resting
from orderd.domain.errors import OrderdError
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.quote import QuoteRequest
from orderd.engine.publish import Publisher
from orderd.engine.routing.inquiry import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.book import PairBook
from orderd.engine.triggers.watched import Look, Watched
from orderd.venues.base import OpenPool

_LATE_SECONDS: Final = 5.0
"""How long before the last reading an order may have begun to rest that is read now: longer than a commit may take."""
_READ_ALL_SECONDS: Final = 30.0
_IDLE_SECONDS: Final = 2.0
"""How long a pair of which no hint comes is left alone."""
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Met:
    """What a pass has found: orders that fire, the best that trailing stops have seen, and parts that are paid."""

    fired: "list[_Fired]" = field(default_factory=list)
    best: list[Best] = field(default_factory=list)
    parts: dict[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Fired:
    watched: Watched
    look: Look

    @property
    def is_child(self) -> bool:
        return self.watched.order.parent_id is not None


class Triggers:
    """One pass at a time. ``send`` puts orders in the queue; ``is_mine`` says whether this process watches a pair."""

    def __init__(
        self,
        router: Router,
        fits: Fits,
        publisher: Publisher,
        send: Callable[[Sequence[UUID]], None],
        execute: Callable[[Order, int], object],
        is_mine: Callable[[Pair], bool] = lambda _: True,
        look: Callable[[], object] = lambda: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``execute`` lets so much of an order be sold by a child. ``look`` is as in ``Dispatch``."""
        self._router = router
        self._fits = fits
        self._publisher = publisher
        self._send = send
        self._execute = execute
        self._is_mine = is_mine
        self._look = look
        self._clock = clock
        self._watched: dict[UUID, Watched] = {}
        self._books: dict[Pair, PairBook] = {}
        self._seen: dict[Pair, tuple[OpenPool, ...]] = {}
        self._looked_at: dict[Pair, float] = {}
        self._confirming: dict[Pair, set[UUID]] = {}
        self._read_at = self._read_all_at = 0.0

    def __len__(self) -> int:
        return len(self._watched)

    def run_once(self) -> int:
        """Look at the pairs that may have moved. Returns how many orders have fired."""
        try:
            return self._look_around()
        except Exception:
            # What was found may not have been stored, and a market that stands still is not looked at twice.
            self._forget()
            raise

    def _look_around(self) -> int:
        with database.connection_context():
            self._look()
            self._read()
        due = [pair for pair in self._books if self._is_due(pair)]
        if not due:
            return 0
        found = self._router.pools_for([_of(pair, 1) for pair in due])
        met = _Met()
        for pair in due:
            if self._router.is_told(_of(pair, 1), found):
                self._look_at(pair, found, met)
        with database.connection_context():
            if met.best:
                resting.raise_best(met.best)
            fired = self._fire(met.fired)
        for order_id, amount_in in met.parts.items():
            order = self._watched[order_id].order
            self._drop(order_id)  # it is read again when the part has ended
            self._execute(order, amount_in)
        return fired + len(met.parts)

    # What rests

    def _read(self) -> None:
        now = self._clock()
        if now >= self._read_all_at:
            rows = resting.all_resting()
            for order_id in self._watched.keys() - {each.order.id for each in rows}:
                self._drop(order_id)
            self._read_all_at = now + _READ_ALL_SECONDS
        else:
            rows = resting.resting_of_late(now - self._read_at + _LATE_SECONDS)
        self._read_at = now
        for each in rows:
            self._keep(each)

    def _keep(self, found: Resting) -> None:
        order = found.order
        pair = (order.mint_in, order.mint_out)
        if not self._is_mine(pair) or order.kind in (OrderKind.OCO, OrderKind.TWAP):
            self._drop(order.id)
            return
        known = self._watched.get(order.id)
        if known is not None and (known.order.version, known.order.seq) == (order.version, order.seq):
            return
        watched = self._watched[order.id] = Watched(order, self._clock() + found.wait_ms / 1000)
        self._books.setdefault(pair, PairBook()).put(order.id, watched.least_part, watched.bounds)
        self._looked_at.pop(pair, None)

    def _drop(self, order_id: UUID) -> None:
        if (watched := self._watched.pop(order_id, None)) is None:
            return
        pair = (watched.order.mint_in, watched.order.mint_out)
        book = self._books[pair]
        book.drop(order_id)
        if not len(book):
            del self._books[pair]
            self._seen.pop(pair, None)

    def _forget(self) -> None:
        for kept in (self._watched, self._books, self._seen, self._looked_at, self._confirming):
            kept.clear()
        self._read_all_at = 0.0

    # What the market pays

    def _is_due(self, pair: Pair) -> bool:
        looked_at = self._looked_at.get(pair)
        if looked_at is None or pair in self._confirming or self._clock() - looked_at >= _IDLE_SECONDS:
            return True
        return self._router.may_have_moved(_of(pair, 1))

    def _look_at(self, pair: Pair, found: Mapping[Pair, Answers], met: _Met) -> None:
        book, now = self._books[pair], self._clock()
        pools = self._router.pools_of(_of(pair, 1), found)
        is_new = pair not in self._looked_at or not _is_same(pools, self._seen.get(pair, ()))
        self._looked_at[pair], self._seen[pair] = now, pools
        candidates = set[UUID]()
        if is_new:
            given_up = self._router.given_up(_of(pair, 1), found)
            candidates = book.may_be_met(lambda amount: self._paid(_of(pair, amount), found), given_up)
        confirming = self._confirming.pop(pair, set())
        for watched in [self._watched[each] for each in candidates | confirming if each in self._watched]:
            if now < watched.look_at:
                self._looked_at.pop(pair, None)
                continue
            if watched.terms.partial:
                if part := self._largest_part(watched, found):
                    met.parts[watched.order.id] = part
                continue
            look = self._exact(watched, found)
            if look is not None and watched.rises(look):
                met.best.append(Best(watched.order.id, watched.order.version, look.amount_out))
                book.put(watched.order.id, watched.terms.amount, watched.bounds)
            if watched.is_met(look):
                assert look is not None, "what is met is met by a look"
                met.fired.append(_Fired(watched, look))
            elif watched.is_confirming:
                self._confirming.setdefault(pair, set()).add(watched.order.id)

    def _exact(self, watched: Watched, found: Mapping[Pair, Answers]) -> Look | None:
        try:
            route = self._router.route(watched.request, 0, self._fits, found).route
        except OrderdError as error:
            if watched.is_confirming:
                log.warning("no route", action="trigger_blind", order_id=str(watched.order.id), error=str(error))
            return None
        return Look(route.amount_out, route.slot, self._clock())

    def _largest_part(self, watched: Watched, found: Mapping[Pair, Answers]) -> int | None:
        """As much of it as is paid its limit, to a thousandth; None where that is less than may be sold alone."""

        def is_paid(amount_in: int) -> bool:
            paid = self._paid(replace(watched.request, amount=amount_in), found)
            return paid is not None and watched.pays(amount_in, paid)

        least, most = watched.least_part, watched.terms.amount
        if is_paid(most):
            return most
        if not is_paid(least):
            return None
        step = max((most - least) >> 10, 1)
        while most - least > step:
            middle = (least + most) // 2
            least, most = (middle, most) if is_paid(middle) else (least, middle)
        return least

    def _paid(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> int | None:
        try:
            return self._router.route(request, 0, self._fits, found).route.amount_out
        except OrderdError:
            return None

    # What fires

    def _fire(self, fired: list[_Fired]) -> int:
        if not fired:
            return 0
        fired.sort(key=lambda each: (each.is_child, -each.watched.passed(each.look)))
        changes = [
            Change(
                each.watched.order.id,
                each.watched.fact(each.look),
                each.watched.order.version,
                to=OrderStatus.PENDING,
                valid=True,
            )
            for each in fired
        ]
        alone = [change for each, change in zip(fired, changes, strict=True) if not each.is_child]
        children = [change for each, change in zip(fired, changes, strict=True) if each.is_child]
        written = [*journal.apply_each(alone), *map(_of_family, children)]
        for each, answer in zip(fired, written, strict=True):
            if each.is_child and answer is None:
                # Most likely another one of its family is under way: it is looked at again until that has ended.
                self._looked_at.pop((each.watched.order.mint_in, each.watched.order.mint_out), None)
                continue
            # Another one was faster, or it fires: whatever rests again is read again.
            self._drop(each.watched.order.id)
            if isinstance(answer, Exception):
                log.error("not fired", action="trigger_refused", order_id=str(each.watched.order.id), exc_info=answer)
        moved = [each for each in written if isinstance(each, Moved)]
        self._publisher.publish(moved)
        if moved:
            log.info("conditions met", action="triggered", orders=len(moved))
            self._send([each.order.id for each in moved])
        return len(moved)


@transaction
def _of_family(change: Change) -> Moved | None:
    """Let a child go on if none of its family is under way: what one of them sells, another one must not."""
    if not families.lock_free(change.order_id):
        return None
    return next(iter(journal.apply([change])), None)


def _of(pair: Pair, amount: int) -> QuoteRequest:
    return QuoteRequest(*pair, amount, has_own_floor=True)


def _is_same(pools: Sequence[OpenPool], others: Sequence[OpenPool]) -> bool:
    return len(pools) == len(others) and all(one is other for one, other in zip(pools, others, strict=True))
