"""The rate limit as middleware: orders of a message that may start go on, the others wait in Postgres."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from orderd.domain.events import RATE_LIMIT
from orderd.engine.failure import AttemptFailedError, NotStartedError
from orderd.queue.broker import keep, orders_of
from orderd.queue.deferring import defer_or_miss
from orderd.queue.limiter import Go, RateLimiter, StartSlot

log = structlog.get_logger(__name__)


class RateLimit(Middleware):
    """Starts are granted in order of acceptance. If the limiter does not answer, nothing starts.

    ``defer`` returns the orders that wait; ``missed`` gets those that cannot be deferred.
    """

    def __init__(
        self,
        limiter: RateLimiter,
        defer: Callable[[Mapping[UUID, timedelta], str], Collection[UUID]],
        missed: Callable[[UUID], object],
    ) -> None:
        self._limiter = limiter
        self._defer = defer
        self._missed = missed

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        # Dramatiq processes a message although its middleware failed, so only SkipMessage may leave this method.
        starts: dict[UUID, Go] = {}
        waits: dict[UUID, timedelta] = {}
        for order_id in sorted(orders_of(message)):
            answer = self._ask(order_id)
            if isinstance(answer, Go):
                starts[order_id] = answer
            elif answer is not None:
                waits[order_id] = answer.wait
        if waits:
            self._wait(waits)
        keep(message, starts)
        message.options["starts"] = starts

    def _ask(self, order_id: UUID) -> Go | StartSlot | None:
        """A start or a slot; None if the limiter does not answer."""
        try:
            return self._limiter.ask(order_id)
        except Exception:
            log.exception("rate limit unreachable", action="rate_limit_failed", order_id=str(order_id))
            defer_or_miss(self._defer, self._missed, [order_id], "rate limit unreachable")
        return None

    def _wait(self, waits: Mapping[UUID, timedelta]) -> None:
        try:
            waiting = self._defer(waits, RATE_LIMIT)
            for order_id in waits.keys() - waiting:  # cancelled meanwhile, or another message of it was faster
                self._limiter.forget(order_id)
        except Exception:
            log.exception("orders not deferred", action="defer_failed", order_ids=[*map(str, waits)])
            for order_id in waits:
                self._missed(order_id)

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002
        message: MessageProxy,
        *,
        result: Mapping[UUID, Exception] | None = None,
        exception: BaseException | None = None,  # noqa: ARG002
    ) -> None:
        """Return the starts of orders that did not begin, or only found that they have to wait."""
        for order_id, kept in (result or {}).items():
            waits = isinstance(kept, AttemptFailedError) and kept.error.is_awaited
            if waits or isinstance(kept, NotStartedError):
                self._limiter.release(message.options["starts"][order_id])
