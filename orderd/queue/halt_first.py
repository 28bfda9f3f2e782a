"""Orders that are taken from the queue while trading is halted wait in Postgres, and take no start from others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from orderd.domain.errors import OrderdError
from orderd.queue.broker import keep, orders_of

_PAUSE: Final = timedelta(seconds=1)
"""Dispatch sends nothing before the halt is lifted, however soon they are due."""
log = structlog.get_logger(__name__)


class HaltFirst(Middleware):
    """``halted`` says what orders meet with; ``missed`` is told of those that cannot even be made to wait."""

    def __init__(
        self,
        halted: Callable[[], OrderdError | None],
        defer: Callable[[UUID, timedelta, OrderdError], object],
        missed: Callable[[UUID], object],
    ) -> None:
        self._halted = halted
        self._defer = defer
        self._missed = missed

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        error = self._halted()
        if error is None:
            return
        for order_id in orders_of(message):
            try:
                self._defer(order_id, _PAUSE, error)
            except Exception:
                log.exception("order not deferred", action="defer_failed", order_id=str(order_id))
                self._missed(order_id)
        keep(message, [])
