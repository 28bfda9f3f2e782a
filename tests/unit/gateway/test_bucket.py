"""The request rate of a key, with a clock that the test controls."""

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.pace import Bucket


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(bucket: Bucket) -> int:
    """The number of requests that pass until one is refused."""
    count = 0
    try:
        while count < 1_000:
            bucket.take()
            count += 1
    except OrderdError:
        pass
    return count


def test_the_burst_is_limited(clock: Clock) -> None:
    assert taken(Bucket(60, 10, clock)) == 10


def test_a_refusal_says_when_to_retry_and_uses_no_request(clock: Clock) -> None:
    bucket = Bucket(20, 1, clock)
    bucket.take()
    for _ in range(5):
        with pytest.raises(OrderdError) as refused:
            bucket.take()
        assert (refused.value.code, refused.value.retry_after) == (ErrorCode.LIMIT_REQUESTS, 3)
    clock.now += 3
    bucket.take()


def test_the_requests_per_hour_are_limited_to_rate_plus_burst(clock: Clock) -> None:
    bucket, passed = Bucket(60, 10, clock), 0
    for _ in range(36_000):
        clock.now += 0.1
        passed += taken(bucket)
    assert 3_599 <= passed <= 3_610


def test_a_quiet_hour_saves_at_most_one_burst(clock: Clock) -> None:
    bucket = Bucket(60, 10, clock)
    clock.now += 3_600
    assert taken(bucket) == 10
