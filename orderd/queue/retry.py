"""Handles failed turns. Postgres decides when the next one is; the message itself is acknowledged."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware
from peewee import InterfaceError, InternalError, OperationalError

from db.connection import database
from db.models import Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import WORKING
from orderd.engine.failure import AttemptFailedError, Failures, LeaseLostError, NotStartedError
from orderd.queue.broker import orders_of

_DATABASE_ERRORS: Final = (OperationalError, InterfaceError, InternalError)
"""Errors of the driver if Postgres is lost, too slow or read-only, which the order did not cause."""
log = structlog.get_logger(__name__)


class Retry(Middleware):
    """Records failed attempts, which schedules the next one or ends the order. ``owner`` is the name of this process in
    claims.

    ``missed`` gets the orders whose turn ended before it began, or whose end could not be written, for example because
    Postgres is unavailable. A turn that Postgres interrupted is not an attempt.
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
        result: Mapping[UUID, Exception] | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """``result`` is what kept single orders; an ``exception`` ended the turn of all."""
        kept = result or {} if exception is None else dict.fromkeys(orders_of(message), exception)
        failed = [each for each in (self._failed(order_id, why) for order_id, why in kept.items()) if each is not None]
        if failed:
            self._record(failed)

    def _failed(self, order_id: UUID, kept: BaseException) -> AttemptFailedError | None:
        """The failed attempt that it is, if any."""
        turn = log.bind(order_id=str(order_id))
        if isinstance(kept, NotStartedError):
            turn.info("not started", action="start_void", reason=str(kept))
        elif isinstance(kept, LeaseLostError):
            turn.info("order taken away", action="lease_lost", reason=str(kept))
        elif isinstance(kept, AttemptFailedError):
            what, action = ("waits", "waits") if kept.error.is_awaited else ("attempt failed", "attempt_failed")
            turn.info(what, action=action, code=kept.error.code, error=kept.error.detail)
            return kept
        else:
            turn.error("turn failed", action="turn_failed", exc_info=kept)
            if (unforeseen := self._unexpected(order_id, kept)) is not None:
                return unforeseen
            self._missed(order_id)
        return None

    def _record(self, failed: Sequence[AttemptFailedError]) -> None:
        try:
            self._failures.record(failed)
        except Exception:
            orders = [each.order.id for each in failed]
            log.exception("failure not recorded", action="record_failed", order_ids=[str(each) for each in orders])
            for order_id in orders:
                self._missed(order_id)

    def _unexpected(self, order_id: UUID, exception: BaseException) -> AttemptFailedError | None:
        """The failed attempt for an unforeseen exception, if nothing is signed. Otherwise None, because only the chain
        decides."""
        try:
            with database.connection_context():
                order = Order.get_or_none((Order.id == order_id) & (Order.lease_owner == self._owner))
        except Exception:
            log.exception("order not readable", action="record_failed", order_id=str(order_id))
            return None
        if order is None or order.status not in WORKING:
            return None
        code = ErrorCode.SERVICE_UNAVAILABLE if isinstance(exception, _DATABASE_ERRORS) else ErrorCode.SERVICE_INTERNAL
        error = OrderdError(code, f"the turn ended with {type(exception).__name__}")
        return AttemptFailedError(order, error)
