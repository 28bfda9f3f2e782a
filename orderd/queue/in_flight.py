"""A limit of submitted orders, for endpoints that can handle only a few."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from orderd.queue.broker import keep, orders_of
from orderd.queue.deferring import defer_or_miss

_PATIENCE_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.02


class InFlightCap(Middleware):
    """Starts no order while ``in_flight`` is at ``cap``. Waiting does not use up a start of the rate limit.

    Orders first wait for ``patience`` seconds in their thread, so that those behind them stay in the queue and in line.
    Then they wait in Postgres, where each wait is an event. ``missed`` gets the orders that cannot be deferred.
    """

    def __init__(
        self,
        cap: int,
        in_flight: Callable[[], int],
        defer: Callable[[Mapping[UUID, timedelta], str], object],
        missed: Callable[[UUID], object],
        *,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._cap = cap
        self._in_flight = in_flight
        self._defer = defer
        self._missed = missed
        self._patience = patience

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        orders = orders_of(message)
        ends_at = time.monotonic() + self._patience
        while self._in_flight() >= self._cap and time.monotonic() < ends_at:
            time.sleep(_POLL_SECONDS)
        room = max(self._cap - self._in_flight(), 0)
        if room:
            for order_id in orders[room:]:
                self._missed(order_id)  # it is sent again soon, without an event
        else:
            defer_or_miss(self._defer, self._missed, orders, "orders in flight")
        keep(message, orders[:room])
