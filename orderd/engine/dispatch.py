"""Work that is due goes to the queue: a loop over Postgres for waits, retries, lost messages and lost workers."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, Protocol
from uuid import UUID

import structlog

from db import counts, journal, leases, validity
from db.connection import database
from db.journal import Change, Moved
from db.models import Order
from db.work_at_hand import work_at_hand
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Failed
from orderd.engine.publish import Publisher

_BATCH: Final = 500
_ENOUGH: Final = 2 * _BATCH
MAX_LOSSES: Final = 20
"""Number of workers lost before signing after which an order is considered the cause."""
_EXPIRY_SECONDS: Final = 1.0
_ADD_UP_SECONDS: Final = 10.0
log = structlog.get_logger(__name__)


class Line(Protocol):
    """The rate limiter, as dispatch uses it."""

    @property
    def most(self) -> int:
        """Starts that can be free at one time."""

    def free(self, first: Sequence[leases.InLine]) -> int:
        """Number of free starts. The orders ``first`` are at the head of the line: no other order starts before
        them."""


class Send(Protocol):
    """Puts orders in the queue; with ``check_first`` they first check whether the cause of their wait is over: the same
    cause, if they are several."""

    def __call__(self, order_ids: Sequence[UUID], *, check_first: bool = False) -> None: ...


class Dispatch:
    """One pass at a time; any number of processes may run it at the same time.

    ``depth`` returns the number of orders in the queue. ``name`` is the name of this process. ``check_clock`` makes
    sure that Postgres' clock was not set; ``halted`` says whether a halt prevents signatures, and is called in each
    pass while there is one.
    """

    def __init__(
        self,
        publisher: Publisher,
        send: Send,
        depth: Callable[[], int],
        name: str | None = None,
        line: "Line | None" = None,
        check_clock: Callable[[], datetime | None] = lambda: None,
        halted: Callable[[], object] = lambda: None,
    ) -> None:
        self._publisher = publisher
        self._send = send
        self._depth = depth
        self._name = name
        self._line = line
        self._check_clock = check_clock
        self._halted = halted
        self._missed: deque[UUID] = deque()
        self._was_halted = True
        """Whether there was a halt in the last pass; before the first one, that is not known."""
        self._expire_at = 0.0
        self._add_up_at = 0.0

    def missed(self, order_id: UUID) -> None:
        """The order's message was consumed without effect. The next pass queues the order again."""
        self._missed.append(order_id)

    def run_once(self) -> int:
        """Release the orders of lost workers, expire orders, and send the due ones. Returns how many it sent."""
        with database.connection_context():
            self._give_back_missed()
            work = work_at_hand()
            if not (any(work) or self._was_halted or time.monotonic() >= self._expire_at):
                return 0
            as_of = self._check_clock()
            if work.orphans:
                self._publisher.publish(_take_back(leases.orphans(_BATCH)))
            if work.withdrawn:
                self._publisher.publish(journal.withdraw(_BATCH))
            self._expire(as_of)
            self._add_up()
            if work.halts or self._was_halted:
                self._was_halted = bool(self._halted())
            if self._was_halted:
                return 0  # orders keep their state during a halt, as long as they are valid
            if work.in_line:
                self._move_up()
            return self._send_due(as_of) if work.due or work.in_line or work.orphans else 0

    def defer(self, waits: Mapping[UUID, timedelta], reason: str | OrderdError) -> frozenset[UUID]:
        """Make pending orders wait this long, and then check whether the error is over. This is not an attempt.

        Returns those that are pending.
        """
        delays = {order_id: -(-wait // timedelta(milliseconds=1)) for order_id, wait in waits.items()}
        with database.connection_context():
            deferred = journal.defer(delays, reason)
        self._publisher.publish(deferred.moved)
        return deferred.orders

    def _give_back_missed(self) -> None:
        if missed := list(self._missed):
            leases.give_back(missed)
            if self._name is not None:
                leases.drop(self._name, missed)
            for order_id in missed:
                self._missed.remove(order_id)

    def _send_due(self, as_of: datetime | None) -> int:
        if self._depth() >= _ENOUGH:
            return 0  # orders that were queued long ago are most likely still in the queue, and not lost
        due = leases.take_due(_BATCH, self._name, as_of)
        order_ids = [*due.start, *chain.from_iterable(due.check)]
        try:
            if due.start:
                self._send(due.start)
            for together in due.check:
                self._send(together, check_first=True)
        except Exception:
            leases.give_back(order_ids)  # what was sent is executed once
            raise
        return len(order_ids)

    def _expire(self, as_of: datetime | None) -> None:
        if time.monotonic() < self._expire_at:
            return
        self._publisher.publish(expired := validity.expire(_BATCH, as_of))
        if expired:
            log.info("no longer valid", action="expired", orders=len(expired))
        if len(expired) < _BATCH:
            self._expire_at = time.monotonic() + _EXPIRY_SECONDS

    def _add_up(self) -> None:
        if time.monotonic() >= self._add_up_at:
            counts.add_up()
            self._add_up_at = time.monotonic() + _ADD_UP_SECONDS

    def _move_up(self) -> None:
        """Wake as many orders at the head of the line as there are free starts: orders before them may have been
        cancelled."""
        if self._line is not None and (waiting := leases.first_in_line(self._line.most)):
            free = self._line.free(waiting)
            leases.wake([each.order_id for each in waiting[:free]])


def _take_back(orders: Sequence[Order]) -> list[Moved]:
    if not orders:
        return []
    log.warning("their workers are gone", action="reclaim", orders=len(orders))
    moved = leases.reclaim(orders)
    poison = [each.order for each in moved if each.order.losses >= MAX_LOSSES]
    return moved + journal.apply([_give_up(order) for order in poison])


def _give_up(order: Order) -> Change:
    code, detail = ErrorCode.SERVICE_CRASH_LOOP, f"{order.losses} workers started this order, and none completed it"
    fact = Failed(attempt=order.failures + 1, code=code, detail=detail)
    failure = journal.FailureRecord(order.failures + 1, code, detail)
    return Change(order.id, fact, order.version, {"error_code": str(code), "error_detail": detail}, failure=failure)
