"""Checks whether an order that waits for a service can go on: runs its turn up to the signature, without storing
anything."""

import random
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog

from db.connection import database
from db.models import Order
from db.terms import terms_of
from orderd.domain.errors import AWAITED, OrderdError
from orderd.domain.order import WAITING
from orderd.domain.retry import RetryPolicy
from orderd.domain.terms import OrderTerms

Defer = Callable[[UUID, timedelta, OrderdError], bool]
log = structlog.get_logger(__name__)


class Precheck:
    """For one wallet, from any number of threads.

    ``preview`` runs a turn up to the signature, and raises OrderdError if it cannot; ``defer`` lets an order wait until
    an error is over.
    """

    def __init__(self, preview: Callable[[OrderTerms], object], policy: RetryPolicy, defer: Defer) -> None:
        self._preview = preview
        self._policy = policy
        self._defer = defer

    def __call__(self, order_id: UUID) -> bool:
        """Whether the order may have its turn. If the cause of its wait is not over, it is deferred again, for
        longer."""
        found = _waiting(order_id)
        if found is None:
            return True  # it no longer waits; its turn decides
        order, waited_ms = found
        try:
            self._preview(terms_of(order))
        except OrderdError as error:
            if error.is_awaited:
                wait = timedelta(milliseconds=self._policy.check_delay_ms(waited_ms, random.random()))  # noqa: S311
                self._defer(order_id, wait, error)
                log.info("waits on", action="waits_on", order_id=str(order_id), code=error.code, error=error.detail)
                return False
        return True


def _waiting(order_id: UUID) -> tuple[Order, int] | None:
    """The order, if it waits for a service, and since how many milliseconds."""
    waited = "(extract(epoch FROM clock_timestamp() - waits_since) * 1000)::bigint AS waited_ms"
    with database.connection_context():
        rows = list(Order.raw(f"SELECT *, {waited} FROM orders WHERE id = %s", str(order_id)).execute(database))  # noqa: S608
    order = rows[0] if rows else None
    if order is None or order.status not in WAITING or order.waits_for not in AWAITED:
        return None
    return order, order.waited_ms
