"""Checks whether orders that wait for a service can go on: runs a turn up to the signature, without storing
anything."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from db.connection import database
from db.models import Order
from db.terms import terms_of
from orderd.domain.errors import AWAITED, OrderdError, OutageError
from orderd.domain.order import WAITING
from orderd.domain.retry import RetryPolicy
from orderd.domain.terms import OrderTerms
from orderd.engine.routing.offers import Agreed

Defer = Callable[[Mapping[UUID, timedelta], OrderdError], object]
log = structlog.get_logger(__name__)


class Checked(NamedTuple):
    """``ready`` are the orders that may have their turn, ``unknown`` those that are still to be checked, each alone."""

    ready: Sequence[UUID]
    unknown: Sequence[UUID] = ()


class Precheck:
    """For one wallet, from any number of threads.

    ``preview`` runs a turn up to the signature, and raises OrderdError if it cannot; ``defer`` lets orders wait until
    an error is over.
    """

    def __init__(self, preview: Callable[[OrderTerms, Agreed], object], policy: RetryPolicy, defer: Defer) -> None:
        self._preview = preview
        self._policy = policy
        self._defer = defer

    def __call__(self, order_ids: Sequence[UUID]) -> Checked:
        """Check one of the orders that wait, any one: if it can go on, so can all. If it meets an outage, all wait for
        longer; with any other error it does so alone.

        Given together are orders of one pair that wait for the same cause.
        """
        waiting = _waiting(order_ids)
        if not waiting:
            return Checked(order_ids)
        checked = random.choice([*waiting])  # noqa: S311  (so that no order keeps all others waiting)
        error = self._trouble(waiting[checked][0])
        if error is None:
            return Checked(order_ids)
        affected = waiting if isinstance(error, OutageError) else {checked: waiting[checked]}
        self._wait_on(affected, error)
        return Checked(
            [order_id for order_id in order_ids if order_id not in waiting],
            [order_id for order_id in waiting if order_id not in affected],
        )

    def _trouble(self, order: Order) -> OrderdError | None:
        """What keeps the order from its turn. Any other error is for the turn to find."""
        try:
            self._preview(terms_of(order), (order.min_amount_out, order.max_amount_in))
        except OrderdError as error:
            return error if error.is_awaited else None
        except Exception:
            log.exception("not checked", action="check_failed", order_id=str(order.id))
        return None

    def _wait_on(self, waiting: Mapping[UUID, tuple[Order, int]], error: OrderdError) -> None:
        waits = {
            order_id: timedelta(milliseconds=self._policy.check_delay_ms(waited_ms, random.random()))  # noqa: S311
            for order_id, (_, waited_ms) in waiting.items()
        }
        self._defer(waits, error)
        log.info("wait on", action="waits_on", order_ids=[*map(str, waits)], code=error.code, error=error.detail)


def _waiting(order_ids: Sequence[UUID]) -> dict[UUID, tuple[Order, int]]:
    """Those of the orders that wait for a service, and since how many milliseconds."""
    waited = "(extract(epoch FROM clock_timestamp() - waits_since) * 1000)::bigint AS waited_ms"
    sql = f"SELECT *, {waited} FROM orders WHERE id = ANY(%s::uuid[]) ORDER BY id"  # noqa: S608
    with database.connection_context():
        rows = list(Order.raw(sql, [str(order_id) for order_id in order_ids]).execute(database))
    return {row.id: (row, row.waited_ms) for row in rows if row.status in WAITING and row.waits_for in AWAITED}
