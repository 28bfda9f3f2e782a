"""Orders that are fetched from the queue during a halt wait in Postgres, without using up a start."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from orderd.domain.errors import OrderdError
from orderd.queue.broker import keep, orders_of
from orderd.queue.deferring import defer_or_miss


class HaltFirst(Middleware):
    """Defers orders while trading is halted. ``halted`` returns the error that they get.

    Dispatch sends nothing before the halt is lifted. Orders that could not be deferred
    are reported to ``missed``.
    """

    def __init__(
        self,
        halted: Callable[[], OrderdError | None],
        defer: Callable[[Mapping[UUID, timedelta], OrderdError], object],
        missed: Callable[[UUID], object],
    ) -> None:
        self._halted = halted
        self._defer = defer
        self._missed = missed

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        error = self._halted()
        if error is None:
            return
        defer_or_miss(self._defer, self._missed, orders_of(message), error)
        keep(message, [])
