"""Expiry of waiting orders."""

from datetime import datetime

from db.age import IT_IS
from db.connection import database
from db.journal import Change, Moved, apply
from db.models import IS_FAMILY, Order, in_states, listed
from db.terms import terms_of
from orderd.domain.errors import ERRORS, ErrorCode
from orderd.domain.events import RATE_LIMIT, Expired
from orderd.domain.order import RESTING, WAITING, EventKind, sources
from orderd.domain.terms_formatting import price_reads


def expire(limit: int, as_of: datetime | None = None) -> list[Moved]:
    """End the orders that are due and no longer valid. The time that an order waits for a start does not count.

    A validity that was given as a date always ends then. ``as_of`` is the time of the clock's reading, if there was
    one.
    """
    ended = Order.raw(
        f"""
        (SELECT * FROM orders
         WHERE status IN ({listed(WAITING & sources(EventKind.EXPIRED))}) AND due_at <= {IT_IS}
           AND valid_until <= {IT_IS}
           AND (waits_for IS DISTINCT FROM '{RATE_LIMIT}' OR expires_at IS NOT NULL)
         ORDER BY id LIMIT %s)
        UNION ALL
        (SELECT * FROM orders WHERE {in_states(RESTING)} AND NOT {IS_FAMILY} AND valid_until <= {IT_IS}
         ORDER BY valid_until LIMIT %s)""",  # noqa: S608
        *(as_of, as_of, limit, as_of, limit),
    ).execute(database)
    # With the version that was read, so that an order that a worker has just claimed is not ended.
    return apply([expiry(order) for order in ended])


def expiry(order: Order) -> Change:
    """The change that expires an order."""
    fact = Expired(detail=_waited_for(order))
    columns = {"error_code": str(fact.code), "error_detail": fact.detail}
    return Change(order.id, fact, order.version, columns, valid=False)


def _waited_for(order: Order) -> str:
    assert order.valid_until is not None
    until = f"it was valid until {order.valid_until:%H:%M:%S} UTC"
    if order.looks_from is not None:
        not_met = f"{until}, and the market did not meet its price: {price_reads(terms_of(order))}"
        return not_met if order.waits_for is None else f"{not_met}; the last error was {order.waits_for}"
    if order.waits_for is None:
        return until
    reason = ERRORS[ErrorCode(order.waits_for)].title if order.waits_for in set(ErrorCode) else order.waits_for
    return f"{until} and was waiting because of: {reason}"
