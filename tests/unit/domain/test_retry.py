"""Three attempts, with growing waits; nothing is tried again that cannot change."""

from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.errors import ERRORS, ErrorCode
from orderd.domain.retry import RetryPolicy

POLICY = RetryPolicy(max_attempts=3, base_ms=1_000, cap_ms=30_000)
RETRYABLE = [code for code in ErrorCode if ERRORS[code].retryable]


def test_the_waits_double() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.TX_EXPIRED, 1, jitter=0) == 1_000
    assert POLICY.retry_delay_ms(ErrorCode.TX_EXPIRED, 2, jitter=0) == 2_000


def test_the_third_failure_is_the_last() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.TX_EXPIRED, 3, jitter=0) is None


def test_what_cannot_change_is_not_tried_again() -> None:
    assert POLICY.retry_delay_ms(ErrorCode.FUNDS_INSUFFICIENT, 1, jitter=0) is None


@given(st.sampled_from(RETRYABLE), st.integers(1, 19), st.floats(0, 1))
def test_jitter_takes_at_most_half(code: ErrorCode, failures: int, jitter: float) -> None:
    full = min(1_000 * 2 ** (failures - 1), 30_000)
    delay = RetryPolicy(max_attempts=20).retry_delay_ms(code, failures, jitter)
    assert delay is not None
    assert full / 2 <= delay <= full
