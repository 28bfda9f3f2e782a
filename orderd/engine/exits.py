"""What follows an order that has bought: the order that sells it again, at a profit or at a loss.

It is made when the success is final, for what was received, and exactly once: it bears the client order id that its
entry gives it, and the entry says in the same transaction that nothing more follows.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from db import exits, journal
from db.audit import DAEMON
from db.connection import database, transaction
from db.journal import Moved, NewOrder
from db.models import Order
from db.terms import terms_of
from orderd.domain.order import OrderKind
from orderd.domain.terms import OrderTerms, exit_of
from orderd.engine.publish import Publisher

_AT_ONCE: Final = 100
log = structlog.get_logger(__name__)


class Exits:
    """One pass at a time; any number of processes may run it together. ``send`` puts orders in the queue."""

    def __init__(self, publisher: Publisher, send: Callable[[Sequence[UUID]], None]) -> None:
        self._publisher = publisher
        self._send = send

    def run_once(self) -> int:
        """Make what is to follow. Returns how many orders."""
        with database.connection_context():
            made = [moved for entry in exits.due(_AT_ONCE) for moved in _follow(entry)]
        self._publisher.publish(made)
        for each in made:
            log.info("exit made", action="exit_made", order_id=str(each.order.id), kind=each.order.kind)
        return len(made)


@transaction
def _follow(entry: Order) -> list[Moved]:
    if not exits.note(entry) or not entry.filled_out:
        return []
    new = NewOrder(uuid7(), entry.account_id, f"{entry.id}-exit", _terms(entry, entry.filled_out), DAEMON)
    return journal.accept([new])


def _terms(entry: Order, received: int) -> OrderTerms:
    terms = exit_of(terms_of(entry), received)
    assert terms.kind in (OrderKind.OCO, OrderKind.STOP, OrderKind.TAKE_PROFIT), "an exit waits for a price"
    return terms
