"""A server's clock that is set is told from time that has passed, and from a watcher that stood still."""

import pytest

from orderd.domain.clock import NOTICED_SECONDS, ClockWatch, Jump, Reading

NOON = 43_200.0
HOUR = 3_600.0


class Watched:
    """A clock on a server, and one process' look at it; ``passed`` is the process' own."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.watch = ClockWatch(lambda: self.passed)

    def look(self, now: float, last: float | None, moved: float = 0.0, took: float = 0.0) -> Jump | None:
        requested_at = self.passed
        self.passed += took
        return self.watch.look(Reading(now, last, moved), requested_at)


@pytest.fixture
def watched() -> Watched:
    """It has looked at noon."""
    watched = Watched()
    assert watched.look(NOON, NOON) is None
    return watched


def test_time_that_has_passed_is_no_jump(watched: Watched) -> None:
    watched.passed = 10.0
    assert watched.look(NOON + 11.0, NOON + 9.0) is None


def test_waits_end_by_the_server_and_not_by_a_reading_that_was_too_slow_to_judge(watched: Watched) -> None:
    watched.passed = 10.0
    watched.look(NOON + 10.0 + HOUR, NOON, took=1.0)
    assert watched.watch.moment(Reading(NOON + 10.5, NOON, 0.0)) == NOON + 10.5
    assert watched.watch.moment(Reading(NOON + 10.0 + HOUR, NOON, 0.0)) == NOON + 11.0 + NOTICED_SECONDS
    assert ClockWatch(lambda: 0.0).moment(Reading(NOON, None, 0.0)) == NOON, "before the first look there is no other"


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_clock_that_is_set_is_reported_with_how_far_and_since_when(watched: Watched, by: float) -> None:
    watched.passed = 1.0
    assert watched.look(NOON + 1.0 + by, NOON) == Jump(by, NOON + by, 0.0)
    watched.passed = 2.0
    assert watched.look(NOON + 2.0 + by, NOON + 1.0 + by, moved=by) is None, "the times have been moved"


def test_a_jump_of_which_the_times_were_not_moved_is_reported_again(watched: Watched) -> None:
    watched.passed = 1.0
    assert watched.look(NOON + 1.0 - HOUR, NOON) == Jump(-HOUR, NOON - HOUR, 0.0)
    watched.passed = 2.0
    assert watched.look(NOON + 2.0 - HOUR, NOON) == Jump(-HOUR, NOON + 1.0 - HOUR, 0.0)


def test_a_jump_that_another_process_has_seen_to_is_none(watched: Watched) -> None:
    watched.passed = 1.0
    assert watched.look(NOON + 1.0 + HOUR, NOON + 1.0 + HOUR, moved=HOUR) is None


def test_who_stood_still_while_others_looked_sees_no_jump(watched: Watched) -> None:
    watched.passed = 1.0
    assert watched.look(NOON + HOUR, NOON + HOUR - 1.0) is None
    watched.passed = 2.0
    assert watched.look(NOON + HOUR + 1.0, NOON + HOUR) is None


def test_a_reading_that_took_long_says_nothing(watched: Watched) -> None:
    assert watched.look(NOON - HOUR, NOON, took=0.75) is None
    assert watched.look(NOON + 0.75 - HOUR, NOON) == Jump(-HOUR, NOON - HOUR, 0.0)


def test_the_first_look_tells_only_a_clock_that_is_behind_what_it_said() -> None:
    assert Watched().look(NOON - HOUR, NOON) == Jump(-HOUR, NOON - HOUR, 0.0)
    assert Watched().look(NOON + HOUR, NOON) is None
    assert Watched().look(NOON, None) is None


def test_what_the_clock_should_say_is_known_from_the_first_look_on(watched: Watched) -> None:
    watched.passed = 7.0
    assert watched.watch.expected == NOON + 7.0
    assert Watched().watch.expected is None


def test_the_last_word_is_renewed_when_it_is_old_by_who_has_watched_for_a_while() -> None:
    watched = Watched()
    first = Reading(NOON, NOON - HOUR, 0.0)
    assert not watched.watch.may_note(first)
    watched.look(first.now, first.last)
    assert not watched.watch.may_note(first)
    watched.passed = 2.0
    watched.look(NOON + 2.0, NOON - HOUR)
    assert watched.watch.may_note(Reading(NOON + 2.0, NOON - HOUR, 0.0))
    watched.look(NOON + 2.0, NOON + 1.5)
    assert not watched.watch.may_note(Reading(NOON + 2.0, NOON + 1.5, 0.0))
    watched.look(NOON + 2.0, None)
    assert watched.watch.may_note(Reading(NOON + 2.0, None, 0.0))


def test_a_reading_that_shows_a_jump_is_not_noted(watched: Watched) -> None:
    watched.passed = 3.0
    watched.look(NOON + HOUR, NOON)
    assert not watched.watch.may_note(Reading(NOON + HOUR, NOON, 0.0))
