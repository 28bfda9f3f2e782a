"""Work that is due goes to the queue: a loop over Postgres for waits, retries, lost messages and lost workers."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from db import journal, leases
from db.connection import database
from db.journal import Change, Moved
from db.models import Order
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Deferred, Failed
from orderd.engine.publish import Publisher

_BATCH: Final = 500
_ENOUGH: Final = 2 * _BATCH
MAX_STARTS: Final = 20
"""An order that was begun this often, with at most a few attempts to show for it, stops its workers."""
log = structlog.get_logger(__name__)


class Dispatch:
    """One pass at a time; any number of processes may run it together.

    ``send`` puts orders in the queue, ``depth`` says how many are in it. ``name`` is this process among others.
    """

    def __init__(
        self,
        publisher: Publisher,
        send: Callable[[Sequence[UUID]], None],
        depth: Callable[[], int],
        name: str | None = None,
    ) -> None:
        self._publisher = publisher
        self._send = send
        self._depth = depth
        self._name = name
        self._missed: deque[UUID] = deque()

    def missed(self, order_id: UUID) -> None:
        """The order's message was used up in vain. Where it still waits, the next pass sends it again."""
        self._missed.append(order_id)

    def run_once(self) -> int:
        """Take back what lost workers held, send what is due. Returns how many orders were sent."""
        with database.connection_context():
            if missed := list(self._missed):
                leases.give_back(missed)
                for order_id in missed:
                    self._missed.remove(order_id)
            self._publisher.publish(_take_back(leases.orphans(_BATCH)))
            if self._depth() >= _ENOUGH:
                return 0  # what has been in the queue for long is most likely still there, and not lost
            due = leases.take_due(_BATCH, self._name)
            if due:
                try:
                    self._send(due)
                except Exception:
                    leases.give_back(due)
                    raise
        return len(due)

    def defer(self, order_id: UUID, wait: timedelta, reason: str) -> bool:
        """Let a pending order wait for so long. This is no attempt. False where the order is not pending."""
        delay_ms = -(-wait // timedelta(milliseconds=1))
        until = datetime.now(UTC) + wait
        with database.connection_context():
            moved = journal.apply([Change(order_id, Deferred(until=until, reason=reason), None, delay_ms=delay_ms)])
        self._publisher.publish(moved)
        return bool(moved)


def _take_back(orders: Sequence[Order]) -> list[Moved]:
    if not orders:
        return []
    log.warning("their workers are gone", action="reclaim", orders=len(orders))
    moved = leases.reclaim(orders)
    poison = [each.order for each in moved if each.order.starts >= MAX_STARTS]
    return moved + journal.apply([_give_up(order) for order in poison])


def _give_up(order: Order) -> Change:
    code, detail = ErrorCode.SERVICE_CRASH_LOOP, f"{order.starts} workers began this order and none came to an end"
    fact = Failed(attempt=order.failures + 1, code=code, detail=detail)
    failure = journal.Failure(order.failures + 1, code, detail)
    return Change(order.id, fact, order.version, {"error_code": str(code), "error_detail": detail}, failure=failure)
