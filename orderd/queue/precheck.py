"""Orders that wait for a service check it before they request a start, so that a check does not use up a start."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from orderd.queue.broker import CHECK_FIRST, keep, orders_of

log = structlog.get_logger(__name__)


class PrecheckFirst(Middleware):
    """Lets those orders through that ``can_go_on`` returns; it has deferred the others.

    ``missed`` gets the orders that cannot be deferred.
    """

    def __init__(
        self, can_go_on: Callable[[Sequence[UUID]], Collection[UUID]], missed: Callable[[UUID], object]
    ) -> None:
        self._can_go_on = can_go_on
        self._missed = missed

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        if CHECK_FIRST not in message.options:
            return
        order_ids = orders_of(message)
        ready: Collection[UUID] = ()
        # Dramatiq processes a message although its middleware failed, so only SkipMessage may leave this method.
        try:
            ready = self._can_go_on(order_ids)
        except Exception:
            log.exception("precheck failed", action="precheck_failed", order_ids=[str(each) for each in order_ids])
            for order_id in order_ids:
                self._missed(order_id)
        keep(message, ready)
