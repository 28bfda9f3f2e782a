"""A token's pace, by a clock that the test turns."""

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
    """How many requests pass until one is refused."""
    count = 0
    try:
        while count < 1_000:
            bucket.take()
            count += 1
    except OrderdError:
        pass
    return count


def test_so_many_pass_at_once_and_no_more(clock: Clock) -> None:
    assert taken(Bucket(60, 10, clock)) == 10


def test_a_refusal_says_when_the_next_may_pass_and_costs_nothing(clock: Clock) -> None:
    bucket = Bucket(20, 1, clock)
    bucket.take()
    for _ in range(5):
        with pytest.raises(OrderdError) as refused:
            bucket.take()
        assert (refused.value.code, refused.value.retry_after) == (ErrorCode.LIMIT_REQUESTS, 3)
    clock.now += 3
    bucket.take()


def test_over_an_hour_no_more_pass_than_the_pace_allows_beside_the_burst(clock: Clock) -> None:
    bucket, passed = Bucket(60, 10, clock), 0
    for _ in range(36_000):
        clock.now += 0.1
        passed += taken(bucket)
    assert 3_599 <= passed <= 3_610


def test_what_is_saved_up_in_a_quiet_hour_is_one_burst(clock: Clock) -> None:
    bucket = Bucket(60, 10, clock)
    clock.now += 3_600
    assert taken(bucket) == 10
