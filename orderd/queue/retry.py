"""What follows a turn that went wrong. Postgres decides when the next one is; the message itself is done with."""

from collections.abc import Callable
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from db.connection import database
from db.models import Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import WORKING
from orderd.engine.failure import AttemptFailedError, Failures, LeaseLostError
from orderd.queue.rate_limit import NotStartedError

log = structlog.get_logger(__name__)


class Retry(Middleware):
    """Records failed attempts, which schedules the next one or ends the order. ``owner`` is this process' claim name.

    ``missed`` is told of orders whose turn ended before it began, as when Postgres is away. Where a failed attempt
    cannot be recorded, the order's lease runs out and the order comes back by itself.
    """

    def __init__(self, failures: Failures, owner: str, missed: Callable[[UUID], object]) -> None:
        self._failures = failures
        self._owner = owner
        self._missed = missed

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002
        message: MessageProxy,
        *,
        result: object = None,  # noqa: ARG002
        exception: BaseException | None = None,
    ) -> None:
        if exception is None:
            return
        turn = log.bind(order_id=message.args[0])
        if isinstance(exception, NotStartedError):
            turn.info("not started", action="start_void", reason=str(exception))
        elif isinstance(exception, LeaseLostError):
            turn.info("order taken away", action="lease_lost", reason=str(exception))
        elif isinstance(exception, AttemptFailedError):
            what, action = ("waits", "waits") if exception.error.is_awaited else ("attempt failed", "attempt_failed")
            turn.info(what, action=action, code=exception.error.code, error=exception.error.detail)
            self._record(exception)
        else:
            turn.error("turn failed", action="turn_failed", exc_info=exception)
            order_id = UUID(message.args[0])
            failed = self._unexpected(order_id, exception)
            if failed:
                self._record(failed)
            else:
                self._missed(order_id)

    def _record(self, failed: AttemptFailedError) -> None:
        try:
            self._failures.record(failed)
        except Exception:
            log.exception("failure not recorded", action="record_failed", order_id=str(failed.order.id))

    def _unexpected(self, order_id: UUID, exception: BaseException) -> AttemptFailedError | None:
        """The failed attempt that an unforeseen exception is, if nothing is signed; else only the chain decides."""
        try:
            with database.connection_context():
                order = Order.get_or_none((Order.id == order_id) & (Order.lease_owner == self._owner))
        except Exception:
            log.exception("order not readable", action="record_failed", order_id=str(order_id))
            return None
        if order is None or order.status not in WORKING:
            return None
        error = OrderdError(ErrorCode.SERVICE_INTERNAL, f"the turn ended with {type(exception).__name__}")
        return AttemptFailedError(order, error)
