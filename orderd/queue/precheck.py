"""Orders that wait for a service check it before they request a start, so that a check does not use up a start."""

from collections.abc import Callable
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware, SkipMessage

from orderd.queue.broker import CHECK_FIRST, orders_of

log = structlog.get_logger(__name__)


class PrecheckFirst(Middleware):
    """Lets such an order through if ``can_go_on`` returns True; otherwise ``can_go_on`` has deferred it.

    ``missed`` gets the orders that cannot be deferred.
    """

    def __init__(self, can_go_on: Callable[[UUID], bool], missed: Callable[[UUID], object]) -> None:
        self._can_go_on = can_go_on
        self._missed = missed

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        if CHECK_FIRST not in message.options:
            return
        (order_id,) = orders_of(message)
        # Dramatiq processes a message although its middleware failed, so only SkipMessage may leave this method.
        try:
            if self._can_go_on(order_id):
                return
        except Exception:
            log.exception("precheck failed", action="precheck_failed", order_id=str(order_id))
            self._missed(order_id)
        raise SkipMessage(f"order {order_id} waits")
