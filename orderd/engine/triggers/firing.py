"""Fires resting orders whose condition is met: stored first, by a change that names the version that was read, and then
sent. The order whose bound is passed farthest goes first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from db import families, journal
from db.connection import transaction
from db.journal import INVALID_VALUES, Change, InvalidValue, Moved
from orderd.domain.order import OrderStatus
from orderd.engine.publish import Publisher
from orderd.engine.triggers.roster import Roster
from orderd.engine.triggers.watched import Observed, Watched

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fired:
    """An order, and the quote that has met its condition."""

    watched: Watched
    observed: Observed


class Firing:
    """``send`` puts orders in the queue."""

    def __init__(self, roster: Roster, publisher: Publisher, send: Callable[[Sequence[UUID]], None]) -> None:
        self._roster = roster
        self._publisher = publisher
        self._send = send

    def fire(self, fired: list[Fired]) -> int:
        """Store and send them. Returns how many have fired. Needs a connection."""
        if not fired:
            return 0
        fired.sort(key=lambda each: (each.watched.is_child, -each.watched.passed(each.observed)))
        changes = [
            Change(
                each.watched.id,
                each.watched.fact(each.observed),
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


def _of_family(change: Change) -> Moved | InvalidValue | None:
    """As ``journal.apply_each``, for a child."""
    try:
        return _release(change)
    except INVALID_VALUES as invalid:
        return invalid


@transaction
def _release(change: Change) -> Moved | None:
    """Release a child if no other of its family is being executed: two of them must not sell the same amount."""
    if not families.lock_free(change.order_id):
        return None
    return next(iter(journal.apply([change])), None)
