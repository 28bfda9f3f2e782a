"""A change of the server's clock is distinguished from elapsed time, and from a suspended process."""

import pytest

from orderd.domain.clock import NOTICED_SECONDS, ClockWatch, Jump, Reading

NOON = 43_200.0
HOUR = 3_600.0


class Watched:
    """A server's clock and a process that watches it; ``passed`` is the process' own clock."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.watch = ClockWatch(lambda: self.passed)

    def observe(self, now: float, last: float | None, moved: float = 0.0, took: float = 0.0) -> Jump | None:
        requested_at = self.passed
        self.passed += took
        return self.watch.observe(Reading(now, last, moved), requested_at)


@pytest.fixture
def watched() -> Watched:
    """A process that has read the clock at noon."""
    watched = Watched()
    assert watched.observe(NOON, NOON) is None
    return watched


def test_elapsed_time_is_not_a_jump(watched: Watched) -> None:
    watched.passed = 10.0
    assert watched.observe(NOON + 11.0, NOON + 9.0) is None


def test_a_slow_reading_does_not_change_the_known_time(watched: Watched) -> None:
    watched.passed = 10.0
    watched.observe(NOON + 10.0 + HOUR, NOON, took=1.0)
    assert watched.watch.moment(Reading(NOON + 10.5, NOON, 0.0)) == NOON + 10.5
    assert watched.watch.moment(Reading(NOON + 10.0 + HOUR, NOON, 0.0)) == NOON + 11.0 + NOTICED_SECONDS
    assert ClockWatch(lambda: 0.0).moment(Reading(NOON, None, 0.0)) == NOON, "the first reading is the only one"


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_jump_is_reported_with_its_distance_and_time(watched: Watched, by: float) -> None:
    watched.passed = 1.0
    assert watched.observe(NOON + 1.0 + by, NOON) == Jump(by, NOON + by, 0.0)
    watched.passed = 2.0
    assert watched.observe(NOON + 2.0 + by, NOON + 1.0 + by, moved=by) is None, "a handled jump was reported again"


def test_an_unhandled_jump_is_reported_again(watched: Watched) -> None:
    watched.passed = 1.0
    assert watched.observe(NOON + 1.0 - HOUR, NOON) == Jump(-HOUR, NOON - HOUR, 0.0)
    watched.passed = 2.0
    assert watched.observe(NOON + 2.0 - HOUR, NOON) == Jump(-HOUR, NOON + 1.0 - HOUR, 0.0)


def test_a_jump_handled_by_another_process_is_not_reported(watched: Watched) -> None:
    watched.passed = 1.0
    assert watched.observe(NOON + 1.0 + HOUR, NOON + 1.0 + HOUR, moved=HOUR) is None


def test_a_suspended_process_reports_no_jump(watched: Watched) -> None:
    watched.passed = 1.0
    assert watched.observe(NOON + HOUR, NOON + HOUR - 1.0) is None
    watched.passed = 2.0
    assert watched.observe(NOON + HOUR + 1.0, NOON + HOUR) is None


def test_a_slow_reading_reports_no_jump(watched: Watched) -> None:
    assert watched.observe(NOON - HOUR, NOON, took=0.75) is None
    assert watched.observe(NOON + 0.75 - HOUR, NOON) == Jump(-HOUR, NOON - HOUR, 0.0)


def test_the_first_reading_detects_only_a_clock_behind_the_stored_time() -> None:
    assert Watched().observe(NOON - HOUR, NOON) == Jump(-HOUR, NOON - HOUR, 0.0)
    assert Watched().observe(NOON + HOUR, NOON) is None
    assert Watched().observe(NOON, None) is None


def test_the_expected_time_is_known_after_the_first_reading(watched: Watched) -> None:
    watched.passed = 7.0
    assert watched.watch.expected == NOON + 7.0
    assert Watched().watch.expected is None


def test_an_old_stored_time_is_renewed_by_a_process_that_has_watched_for_a_while() -> None:
    watched = Watched()
    first = Reading(NOON, NOON - HOUR, 0.0)
    assert not watched.watch.may_note(first)
    watched.observe(first.now, first.last)
    assert not watched.watch.may_note(first)
    watched.passed = 2.0
    watched.observe(NOON + 2.0, NOON - HOUR)
    assert watched.watch.may_note(Reading(NOON + 2.0, NOON - HOUR, 0.0))
    watched.observe(NOON + 2.0, NOON + 1.5)
    assert not watched.watch.may_note(Reading(NOON + 2.0, NOON + 1.5, 0.0))
    watched.observe(NOON + 2.0, None)
    assert watched.watch.may_note(Reading(NOON + 2.0, None, 0.0))


def test_a_reading_with_a_jump_is_not_stored(watched: Watched) -> None:
    watched.passed = 3.0
    watched.observe(NOON + HOUR, NOON)
    assert not watched.watch.may_note(Reading(NOON + HOUR, NOON, 0.0))
