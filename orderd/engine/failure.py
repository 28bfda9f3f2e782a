"""Decides what follows a failed attempt: another one after a pause, the order's end, or a wait that does not count.

A market order has a few attempts. One with a limit price that may wait for it rests again, and so does a take-profit:
it needs its price, and if it is half of an OCO, the other half must be able to fire. A fired stop is tried for as
long as it is valid. An order that must be executed at once or not at all is not tried again.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change, Moved
from db.models import Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Deferred, Failed, Retrying
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from orderd.domain.retry import RetryPolicy, may_pass
from orderd.engine.chain_errors import ChainError
from orderd.engine.publish import Publisher

_DOUBLINGS: Final = 4
"""An order whose try led to no signature is checked again after a slot. If no check of the market prevents tries that
must fail, the pause doubles this many times, because a try takes a start from other orders."""
_AT_ONCE: Final = 5
"""Number of immediate retries of a stop after the price moved away: enough to widen its slippage to the maximum."""


class AttemptFailedError(Exception):
    """An attempt certainly ended without a fill: nothing was signed, or the signed transaction is proved dead.

    ``order`` is as it was claimed for this attempt.
    """

    def __init__(self, order: Order, error: OrderdError) -> None:
        super().__init__(str(error))
        self.order = order
        self.error = error

    @property
    def logs(self) -> Sequence[str]:
        """The log of the programs, if the chain refused."""
        return self.error.logs if isinstance(self.error, ChainError) else ()


class NotStartedError(Exception):
    """The order could not be claimed: it is not due, another worker has it, or it has ended."""


class LeaseLostError(Exception):
    """Another worker, or a cancel, has taken the order: this claim may no longer write."""


class _Persistence(Enum):
    """What an order does after a failed attempt."""

    A_FEW = auto()  # as many attempts as the policy has
    RESTS = auto()  # it waits for its price again
    INSISTS = auto()  # it is tried for as long as it is valid
    NONE = auto()


def _persistence(order: Order) -> _Persistence:
    if order.kind is OrderKind.MARKET:
        return _Persistence.A_FEW
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return _Persistence.NONE
    waits = order.limit_price is not None or order.kind is OrderKind.TAKE_PROFIT
    return _Persistence.RESTS if waits else _Persistence.INSISTS


def change_after(
    failed: AttemptFailedError,
    policy: RetryPolicy,
    *,
    signature: str | None = None,
    attempt_end: AttemptEnd | None = None,
) -> Change:
    """The change that a failed attempt leads to, with its row among the failures."""
    order, error = failed.order, failed.error
    persistence = _persistence(order)
    does_wait = persistence is not _Persistence.NONE or error.code is ErrorCode.ORDER_FAMILY_BUSY
    if error.is_awaited and attempt_end is None and does_wait:
        return _wait(failed, policy, persistence)
    failures = order.failures + 1
    does_count = not error.is_awaited and (persistence is _Persistence.A_FEW or attempt_end is not None)
    uncounted = order.uncounted + (not does_count)
    record = journal.FailureRecord(failures, error.code, error.detail, signature, failed.logs)
    delay_ms = _delay_ms(error, persistence, policy, failures, failures - uncounted, is_signed=attempt_end is not None)
    if delay_ms is None:
        return Change(
            order.id,
            Failed(attempt=failures, code=error.code, detail=error.detail),
            order.version,
            {"failures": failures, "error_code": str(error.code), "error_detail": error.detail},
            unless_withdrawn=attempt_end is not None,
            attempt_end=attempt_end,
            failure=record,
        )
    until = datetime.now(UTC) + timedelta(milliseconds=delay_ms)
    return Change(
        order.id,
        Retrying(attempt=failures, code=error.code, detail=error.detail, until=until),
        order.version,
        {"failures": failures, "uncounted": uncounted},
        to=OrderStatus.OPEN if persistence is _Persistence.RESTS else OrderStatus.PENDING,
        delay_ms=delay_ms,
        attempt_end=attempt_end,
        failure=record,
    )


def withdrawn(change: Change) -> Change | None:
    """In place of a failure that ends an order of which a cancel was requested: it is cancelled in a moment.

    None if the change is not such a failure.
    """
    fact = change.fact
    if not change.unless_withdrawn or not isinstance(fact, Failed):
        return None
    retrying = Retrying(attempt=fact.attempt, code=fact.code, detail=fact.detail, until=datetime.now(UTC))
    columns = {"failures": change.columns["failures"]}
    return replace(change, fact=retrying, columns=columns, to=OrderStatus.PENDING, unless_withdrawn=False)


def _delay_ms(
    error: OrderdError, persistence: _Persistence, policy: RetryPolicy, failures: int, counted: int, *, is_signed: bool
) -> int | None:
    """Milliseconds until the next attempt, or None if there is none. ``counted`` are the failures that count."""
    jitter = random.random()  # noqa: S311  (spreads load, guards nothing)
    if persistence is _Persistence.A_FEW:
        return policy.retry_delay_ms(error.code, counted, jitter)
    if persistence is _Persistence.NONE or not may_pass(error.code):
        return None
    if persistence is _Persistence.INSISTS and error.code is ErrorCode.TX_SLIPPAGE_EXCEEDED:
        return policy.slot_ms << min(max(failures - _AT_ONCE, 0), _DOUBLINGS)
    if is_signed:
        return policy.backoff_ms(counted, jitter)
    is_looked_at = persistence is _Persistence.RESTS and error.code is ErrorCode.ROUTE_BELOW_FLOOR
    return policy.slot_ms if is_looked_at else policy.slot_ms << min(failures - 1, _DOUBLINGS)


def _wait(failed: AttemptFailedError, policy: RetryPolicy, persistence: _Persistence) -> Change:
    """The turn has found a service unavailable: it does not count."""
    order, error = failed.order, failed.error
    delay_ms = policy.check_delay_ms(0, random.random())  # noqa: S311
    until = datetime.now(UTC) + timedelta(milliseconds=delay_ms)
    fact = Deferred(until=until, reason=error.spec.title, code=error.code, detail=error.detail)
    if persistence is _Persistence.RESTS:
        return Change(order.id, fact, order.version, to=OrderStatus.OPEN, delay_ms=delay_ms)
    return Change(order.id, fact, order.version, to=OrderStatus.PENDING, delay_ms=delay_ms, waits_for=str(error.code))


class Failures:
    """Records attempts that failed before anything was signed."""

    def __init__(self, policy: RetryPolicy, publisher: Publisher) -> None:
        self._policy = policy
        self._publisher = publisher

    def record(self, failed: Sequence[AttemptFailedError]) -> None:
        """Store the failures and what follows them. Nothing is stored for a claim that is no longer valid."""
        with database.connection_context():
            written = journal.apply_each([change_after(each, self._policy) for each in failed])
        self._publisher.publish([moved for moved in written if isinstance(moved, Moved)])
        for objection in written:
            if isinstance(objection, Exception):
                raise objection
