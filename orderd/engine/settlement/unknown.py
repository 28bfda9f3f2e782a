"""Marks orders whose outcome stays unknown for a while. They are still followed."""

from collections.abc import Callable
from typing import Final

import structlog

from db import journal
from db.connection import database
from orderd.engine.publish import Publisher

CHECK_SECONDS: Final = 2.0
_BATCH: Final = 500
log = structlog.get_logger(__name__)


class UnknownOutcomes:
    """A loop in each worker process; any number of processes may run it together."""

    def __init__(
        self, publisher: Publisher, after_seconds: float, check_clock: Callable[[], object] = lambda: None
    ) -> None:
        """The outcome of a submitted order is unknown ``after_seconds`` after its last new information.

        ``check_clock`` is as in ``Dispatch``.
        """
        self._publisher = publisher
        self._after_seconds = after_seconds
        self._check_clock = check_clock

    def run_once(self) -> int:
        """Mark the orders that are due. Returns how many."""
        with database.connection_context():
            self._check_clock()
            moved = journal.flag_unknown(self._after_seconds, _BATCH)
        for each in moved:
            log.error("outcome unknown", action="outcome_unknown", order_id=str(each.order.id))
        self._publisher.publish(moved)
        return len(moved)
