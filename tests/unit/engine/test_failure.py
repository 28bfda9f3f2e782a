"""What follows a failed attempt, by the order's kind and by how far the attempt had come."""

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


def test_all_that_behaves_in_its_own_way_is_tried_here() -> None:
    assert TERMS.keys() == {"market", *RESTS, *INSISTS, *AT_ONCE}
    executed_by_others = {OrderKind.OCO, OrderKind.TWAP}
    assert {order_of(what).kind for what in TERMS} == set(OrderKind) - executed_by_others


@pytest.mark.parametrize(
    ("what", "code", "signed", "fact", "to"),
    [
        # What is away is waited for, and the turn was no attempt.
        *[(what, AWAY, False, Deferred, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, AWAY, False, Deferred, OrderStatus.OPEN) for what in RESTS],
        *[(what, AWAY, False, Failed, None) for what in AT_ONCE],
        # The market has moved between the look and the route.
        *[(what, BELOW, False, Retrying, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, BELOW, False, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, BELOW, False, Failed, None) for what in AT_ONCE],
        # A market order ends here; another moment may be better for who waits.
        *[(what, STEEP, False, Retrying, OrderStatus.PENDING) for what in INSISTS],
        *[(what, STEEP, False, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, STEEP, False, Failed, None) for what in ("market", *AT_ONCE)],
        # No moment brings the wallet's funds back.
        *[(what, POOR, False, Failed, None) for what in TERMS],
        # What was signed is dead.
        *[(what, MOVED, True, Retrying, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, MOVED, True, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, MOVED, True, Failed, None) for what in AT_ONCE],
        *[(what, LAPSED, True, Retrying, OrderStatus.PENDING) for what in ("market", *INSISTS)],
        *[(what, LAPSED, True, Retrying, OrderStatus.OPEN) for what in RESTS],
        *[(what, LAPSED, True, Failed, None) for what in AT_ONCE],
    ],
)
def test_what_follows(what: str, code: ErrorCode, signed: bool, fact: type, to: OrderStatus | None) -> None:
    change = after(what, code, signed=signed)
    assert (type(change.fact), change.to) == (fact, to)
    assert change.version == 3, "under the claim that has failed"
    assert change.attempt_end == (DEAD[code] if signed else None)
    if fact is Deferred:
        assert change.failure is None
        assert (change.waits_for is None) == (to is OrderStatus.OPEN), (
            "who rests looks at the market and not for a service"
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
def test_of_an_order_that_waits_what_was_sent_in_vain_counts_alone(
    what: str, code: ErrorCode, signed: bool, counts: bool
) -> None:
    assert after(what, code, signed=signed).columns["uncounted"] == (not counts)


@pytest.mark.parametrize("what", TERMS)
def test_a_market_order_has_a_few_attempts_and_who_waits_has_as_many_as_it_takes(what: str) -> None:
    change = after(what, MOVED, signed=True, failures=500)
    assert isinstance(change.fact, Failed if what in ("market", *AT_ONCE) else Retrying)
    assert change.columns["failures"] == 501


@pytest.mark.parametrize("what", RESTS)
@pytest.mark.parametrize("failures", [0, 1, 5, 500])
def test_after_what_was_sent_in_vain_the_pause_grows(what: str, failures: int) -> None:
    full = min(1_000 * 2**failures, 30_000)
    assert full // 2 <= after(what, MOVED, signed=True, failures=failures).delay_ms <= full


@pytest.mark.parametrize("what", RESTS)
def test_who_rests_is_looked_at_in_the_next_slot_where_only_the_price_was_missed(what: str) -> None:
    """A look at the market keeps it from trying again what must fail."""
    assert {after(what, BELOW, failures=failures).delay_ms for failures in range(9)} == {A_SLOT_MS}


@pytest.mark.parametrize(
    ("what", "code"), [*[(what, BELOW) for what in INSISTS], *[(what, STEEP) for what in (*RESTS, *INSISTS)]]
)
def test_who_is_refused_again_and_again_does_not_use_up_the_starts_of_others(what: str, code: ErrorCode) -> None:
    delays = [after(what, code, failures=failures).delay_ms for failures in range(7)]
    assert delays == [400, 800, 1_600, 3_200, 6_400, 6_400, 6_400]


@pytest.mark.parametrize("signed", [True, False], ids=["landed", "simulated"])
@pytest.mark.parametrize("what", INSISTS)
def test_what_has_to_get_out_runs_after_the_price_in_each_slot_at_first(what: str, signed: bool) -> None:
    delays = [after(what, MOVED, signed=signed, failures=failures).delay_ms for failures in (0, 4, 5, 6, 500)]
    assert delays == [400, 400, 800, 1_600, 6_400], "what nobody can catch does not use up the starts of others"


@pytest.mark.parametrize("what", [*RESTS, *INSISTS])
def test_who_waits_for_what_is_away_looks_for_it_in_a_moment(what: str) -> None:
    assert 500 <= after(what, AWAY).delay_ms <= 1_000


@pytest.mark.parametrize("what", ["market", *RESTS, *INSISTS, *AT_ONCE])
def test_whose_family_is_busy_waits_and_does_not_fail(what: str) -> None:
    change = after(what, ErrorCode.ORDER_FAMILY_BUSY)
    assert (type(change.fact), change.failure) == (Deferred, None)
