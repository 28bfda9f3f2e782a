"""What follows a failed attempt: another one after a pause, the end of the order, or a wait that counts for nothing."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change, Moved
from db.models import Order
from orderd.domain.errors import OrderdError
from orderd.domain.events import Deferred, Failed, Retrying
from orderd.domain.retry import RetryPolicy
from orderd.engine.chain_errors import ChainError
from orderd.engine.publish import Publisher


class AttemptFailedError(Exception):
    """An attempt ended without a fill, for certain: nothing was signed, or what was signed is dead.

    ``order`` is as it was claimed for this attempt.
    """

    def __init__(self, order: Order, error: OrderdError) -> None:
        super().__init__(str(error))
        self.order = order
        self.error = error

    @property
    def logs(self) -> Sequence[str]:
        """What the programs said, where it was the chain that refused."""
        return self.error.logs if isinstance(self.error, ChainError) else ()


class NotStartedError(Exception):
    """The order was not to be had: it is not due, another worker has it, or it has ended."""


class LeaseLostError(Exception):
    """Another worker, or a cancel, has taken the order: this claim may no longer write."""


def change_after(
    failed: AttemptFailedError,
    policy: RetryPolicy,
    *,
    signature: str | None = None,
    attempt_end: AttemptEnd | None = None,
) -> Change:
    """The change that a failed attempt leads to, with its row among the failures."""
    order, error = failed.order, failed.error
    if error.is_awaited and attempt_end is None:
        return _wait(failed, policy)
    failures, uncounted = order.failures + 1, order.uncounted + error.is_awaited
    record = journal.Failure(failures, error.code, error.detail, signature, failed.logs)
    delay_ms = policy.retry_delay_ms(error.code, failures - uncounted, random.random())  # noqa: S311  (spreads load, guards nothing)
    if delay_ms is None:
        return Change(
            order.id,
            Failed(attempt=failures, code=error.code, detail=error.detail),
            order.version,
            {"failures": failures, "error_code": str(error.code), "error_detail": error.detail},
            attempt_end=attempt_end,
            failure=record,
        )
    until = datetime.now(UTC) + timedelta(milliseconds=delay_ms)
    return Change(
        order.id,
        Retrying(attempt=failures, code=error.code, detail=error.detail, until=until),
        order.version,
        {"failures": failures, "uncounted": uncounted},
        delay_ms=delay_ms,
        attempt_end=attempt_end,
        failure=record,
    )


def _wait(failed: AttemptFailedError, policy: RetryPolicy) -> Change:
    """The turn has found that something is away: it is as if it had not been."""
    order, error = failed.order, failed.error
    delay_ms = policy.look_delay_ms(0, random.random())  # noqa: S311
    until = datetime.now(UTC) + timedelta(milliseconds=delay_ms)
    fact = Deferred(until=until, reason=error.spec.title, code=error.code, detail=error.detail)
    return Change(order.id, fact, order.version, delay_ms=delay_ms, waits_for=str(error.code))


class Failures:
    """Records attempts that failed before anything was signed."""

    def __init__(self, policy: RetryPolicy, publisher: Publisher) -> None:
        self._policy = policy
        self._publisher = publisher

    def record(self, failed: Sequence[AttemptFailedError]) -> None:
        """Write the failures and what follows them. A claim that is no longer valid writes nothing."""
        with database.connection_context():
            written = journal.apply_each([change_after(each, self._policy) for each in failed])
        self._publisher.publish([moved for moved in written if isinstance(moved, Moved)])
        for objection in written:
            if isinstance(objection, Exception):
                raise objection
