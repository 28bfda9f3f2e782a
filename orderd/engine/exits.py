"""Exits: an order that sells what another order, its entry, has bought, at a profit or at a loss.

An exit is accepted with its entry, and held. When the entry's fill is final, the exit is released and sells the
received amount. If the entry ends without a fill, the exit ends in the same way. Either happens once, because the same
transaction records it in the entry.
"""

from typing import Final

import structlog
from peewee import PeeweeException

from db import exits, journal
from db.connection import database, transaction
from db.journal import Change, Moved
from db.models import Order
from db.terms import terms_of
from orderd.domain.errors import OrderdError
from orderd.domain.events import Cancelled, Expired, Released
from orderd.domain.money import format_amount
from orderd.domain.order import OrderStatus
from orderd.engine.publish import Publisher

_AT_ONCE: Final = 100
log = structlog.get_logger(__name__)


class Exits:
    """One pass at a time; any number of processes may run it together."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def run_once(self) -> int:
        """Release or end the exits of entries that have ended. Returns the number of orders."""
        with database.connection_context():
            return sum(self._handle(entry) for entry in exits.due(_AT_ONCE))

    def _handle(self, entry: Order) -> int:
        try:
            moved = _follow(entry)
        except (OrderdError, PeeweeException, ValueError):
            # The exits of one entry do not delay those of others.
            log.exception("exit stuck", action="exit_failed", order_id=str(entry.id))
            return 0
        self._publisher.publish(moved)
        for each in moved:
            log.info("its entry has ended", action="exit_due", order_id=str(each.order.id), status=each.order.status)
        return len(moved)


@transaction
def _follow(entry: Order) -> list[Moved]:
    if not exits.note(entry):
        return []
    # Orders accepted by releases without exits have none.
    made = journal.accept_exits([(entry.id, entry.account_id, terms_of(entry))])
    return made + journal.apply([_change(entry, held) for held in exits.held_for(entry.id)])


def _change(entry: Order, held: Order) -> Change:
    if entry.filled_out:
        fact = Released(entry=entry.id, amount_in=format_amount(entry.filled_out, entry.decimals_out))
        return Change(held.id, fact, None, {"amount_in": entry.filled_out})
    if entry.status is OrderStatus.EXPIRED:
        expired = Expired(detail=f"order {entry.id}, which was to buy what it sells, has expired")
        columns = {"error_code": str(expired.code), "error_detail": expired.detail}
        return Change(held.id, expired, None, columns)
    return Change(held.id, Cancelled(), None)
