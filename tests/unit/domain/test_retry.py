"""Three attempts with growing delays; errors that cannot change are not retried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.errors import ERRORS, Consequence, ErrorCode
from orderd.domain.retry import RetryPolicy, may_pass

POLICY = RetryPolicy(max_attempts=3, base_ms=1_000, cap_ms=30_000)
RETRYABLE = [code for code in ErrorCode if ERRORS[code].consequence is not Consequence.ENDS]


def test_delays_double() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.TX_FAILED, 1, jitter=0) == 1_000
    assert POLICY.retry_delay_ms(ErrorCode.TX_FAILED, 2, jitter=0) == 2_000


def test_an_attempt_that_does_not_count_is_followed_by_the_first_delay() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.TX_EXPIRED, 0, jitter=0) == 1_000


def test_the_third_failure_is_the_last() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.TX_FAILED, 3, jitter=0) is None


def test_permanent_errors_are_not_retried() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.FUNDS_INSUFFICIENT, 1, jitter=0) is None


@given(st.sampled_from(RETRYABLE), st.integers(1, 19), st.floats(0, 1))
def test_jitter_takes_at_most_half(code: ErrorCode, failures: int, jitter: float) -> None:
    full = min(1_000 * 2 ** (failures - 1), 30_000)
    delay = RetryPolicy(max_attempts=20).retry_delay_ms(code, failures, jitter)
    assert delay is not None
    assert full / 2 <= delay <= full


def test_checks_become_rarer_up_to_a_limit() -> None:
    assert [POLICY.check_delay_ms(waited, jitter=0) for waited in (0, 8_000, 600_000)] == [1_000, 2_000, 5_000]
    assert POLICY.check_delay_ms(8_000, jitter=1) == 1_000


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        (ErrorCode.ROUTE_PRICE_IMPACT, True),
        (ErrorCode.TX_SLIPPAGE_EXCEEDED, True),
        (ErrorCode.SERVICE_TIMEOUT, True),
        (ErrorCode.FUNDS_INSUFFICIENT, False),
        (ErrorCode.TOKEN_SAME, False),
    ],
)
def test_errors_of_market_and_chain_may_pass_and_missing_funds_do_not(code: ErrorCode, passes: bool) -> None:
    assert may_pass(code) is passes
