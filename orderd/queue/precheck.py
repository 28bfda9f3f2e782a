"""Orders that wait for a service check it before they request a start, so that a check does not use up a start."""

from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from orderd.engine.dispatch import Send
from orderd.engine.execution.precheck import Checked
from orderd.queue.broker import CHECK_FIRST, keep, orders_of

log = structlog.get_logger(__name__)


class PrecheckFirst(Middleware):
    """Lets those orders through that are ready according to ``check``, which has deferred the others.

    ``send`` puts an order in the queue again that is to be checked alone; ``missed`` gets the orders for which one of
    the two failed.
    """

    def __init__(
        self, check: Callable[[Sequence[UUID]], Checked], send: Send, missed: Callable[[UUID], object]
    ) -> None:
        self._check = check
        self._send = send
        self._missed = missed

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        if CHECK_FIRST not in message.options:
            return
        order_ids = orders_of(message)
        ready: Sequence[UUID] = ()
        # Dramatiq processes a message although its middleware failed, so only SkipMessage may leave this method.
        try:
            ready, unknown = self._check(order_ids)
            for order_id in unknown:
                self._send([order_id], check_first=True)
        except Exception:
            log.exception("precheck failed", action="precheck_failed", order_ids=[str(each) for each in order_ids])
            for order_id in order_ids:
                if order_id not in ready:
                    self._missed(order_id)
        keep(message, ready)
