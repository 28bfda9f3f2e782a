"""What follows a failed attempt, by kind of order and by how far the attempt had come."""

from typing import Any

import pytest

from db.journal import AttemptEnd, Change
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Deferred, Failed, Retrying
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine.failure import AttemptFailedError, change_after
from tests.unit.engine.orders import TERMS, order_of

POLICY = RetryPolicy(max_attempts=3, base_ms=1_000, cap_ms=30_000)
A_SLOT_MS = 400
AWAY = ErrorCode.RPC_UNAVAILABLE
BELOW = ErrorCode.ROUTE_BELOW_FLOOR
STEEP = ErrorCode.ROUTE_PRICE_IMPACT
POOR = ErrorCode.FUNDS_INSUFFICIENT
MOVED = ErrorCode.TX_SLIPPAGE_EXCEEDED
LAPSED = ErrorCode.TX_EXPIRED
DEAD = {MOVED: AttemptEnd("failed", 9, 1), LAPSED: AttemptEnd("expired", None, 1)}
RESTS = ("limit", "on_liquidity", "stop_limit", "take_profit", "take_profit_limit")
INSISTS = ("stop", "trailing")
AT_ONCE = ("ioc", "fok")


def after(what: str, code: ErrorCode, *, signed: bool = False, **row: Any) -> Change:
    failed = AttemptFailedError(order_of(what, **row), OrderdError(code, "why"))
    if not signed:
        return change_after(failed, POLICY)
    return change_after(failed, POLICY, signature="sig", attempt_end=DEAD[code])


def test_every_variant_of_orders_is_covered() -> None:
    assert TERMS.keys() == {"market", *RESTS, *INSISTS, *AT_ONCE}
    executed_by_others = {OrderKind.OCO, OrderKind.TWAP}
    assert {order_of(what).kind for what in TERMS} == set(OrderKind) - executed_by_others


@pytest.mark.parametrize(
    ("what", "code", "signed", "fact", "to"),
    [
        # An unavailable service is waited for, without counting an attempt.
        *[(what, AWAY, False, Deferred, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, AWAY, False, Deferred, OrderStatus.OPEN) for what in RESTS],
        *[(what, AWAY, False, Failed, None) for what in AT_ONCE],
        # The market moved between evaluation and routing.
        *[(what, BELOW, False, Retrying, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, BELOW, False, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, BELOW, False, Failed, None) for what in AT_ONCE],
        # A market order fails; a resting order waits for a better moment.
        *[(what, STEEP, False, Retrying, OrderStatus.PENDING) for what in INSISTS],
        *[(what, STEEP, False, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, STEEP, False, Failed, None) for what in ("market", *AT_ONCE)],
        # Waiting does not help against missing funds.
        *[(what, POOR, False, Failed, None) for what in TERMS],
        # The signed attempt is dead.
        *[(what, MOVED, True, Retrying, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, MOVED, True, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, MOVED, True, Failed, None) for what in AT_ONCE],
        *[(what, LAPSED, True, Retrying, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, LAPSED, True, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, LAPSED, True, Failed, None) for what in AT_ONCE],
    ],
)
def test_a_failure_leads_to_the_right_event_and_state(
    what: str, code: ErrorCode, signed: bool, fact: type, to: OrderStatus | None
) -> None:
    change = after(what, code, signed=signed)
    assert (type(change.fact), change.to) == (fact, to)
    assert change.version == 3, "the change must use the failed claim"
    assert change.attempt_end == (DEAD[code] if signed else None)
    if fact is Deferred:
        assert change.failure is None
        assert (change.waits_for is None) == (to is OrderStatus.OPEN), (
            "a resting order is evaluated again instead of being checked"
        )
    else:
        assert change.failure is not None
        assert (change.failure.code, change.failure.signature) == (code, "sig" if signed else None)
        assert change.columns["failures"] == 1
    if fact is Failed:
        assert change.columns["error_code"] == code


@pytest.mark.parametrize(
    ("what", "code", "signed", "counts"),
    [
        ("market", BELOW, False, True),
        ("market", MOVED, True, True),
        ("market", LAPSED, True, False),
        ("limit", BELOW, False, False),
        ("limit", MOVED, True, True),
        ("limit", LAPSED, True, False),
        ("stop", BELOW, False, False),
        ("stop", MOVED, True, True),
    ],
)
def test_only_sent_attempts_of_a_resting_order_count(what: str, code: ErrorCode, signed: bool, counts: bool) -> None:
    assert after(what, code, signed=signed).columns["uncounted"] == (not counts)


@pytest.mark.parametrize("what", TERMS)
def test_only_market_orders_have_a_limited_number_of_attempts(what: str) -> None:
    change = after(what, MOVED, signed=True, failures=500)
    assert isinstance(change.fact, Failed if what in ("market", *AT_ONCE) else Retrying)
    assert change.columns["failures"] == 501


@pytest.mark.parametrize("what", RESTS)
@pytest.mark.parametrize("failures", [0, 1, 5, 500])
def test_the_pause_grows_with_each_failed_sent_attempt(what: str, failures: int) -> None:
    full = min(1_000 * 2**failures, 30_000)
    assert full // 2 <= after(what, MOVED, signed=True, failures=failures).delay_ms <= full


@pytest.mark.parametrize("what", RESTS)
def test_a_resting_order_that_missed_its_price_is_evaluated_in_the_next_slot(what: str) -> None:
    """The evaluation prevents another attempt that must fail."""
    assert {after(what, BELOW, failures=failures).delay_ms for failures in range(9)} == {A_SLOT_MS}


@pytest.mark.parametrize(
    ("what", "code"), [*[(what, BELOW) for what in INSISTS], *[(what, STEEP) for what in (*RESTS, *INSISTS)]]
)
def test_repeated_refusals_do_not_use_up_the_rate_limit(what: str, code: ErrorCode) -> None:
    delays = [after(what, code, failures=failures).delay_ms for failures in range(7)]
    assert delays == [400, 800, 1_600, 3_200, 6_400, 6_400, 6_400]


@pytest.mark.parametrize("signed", [True, False], ids=["landed", "simulated"])
@pytest.mark.parametrize("what", INSISTS)
def test_a_stop_retries_in_each_slot_at_first(what: str, signed: bool) -> None:
    delays = [after(what, MOVED, signed=signed, failures=failures).delay_ms for failures in (0, 4, 5, 6, 500)]
    assert delays == [400, 400, 800, 1_600, 6_400], "later retries must not use up the rate limit"


@pytest.mark.parametrize("what", [*RESTS, *INSISTS])
def test_an_order_checks_an_unavailable_service_again_soon(what: str) -> None:
    assert 500 <= after(what, AWAY).delay_ms <= 1_000


@pytest.mark.parametrize("what", ["market", *RESTS, *INSISTS, *AT_ONCE])
def test_an_order_whose_family_has_a_live_attempt_waits(what: str) -> None:
    change = after(what, ErrorCode.ORDER_FAMILY_BUSY)
    assert (type(change.fact), change.failure) == (Deferred, None)
