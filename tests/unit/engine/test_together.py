"""Items that meet share a call: none waits for company, none pays for another's failure more than once."""

import threading
from collections.abc import Sequence

import pytest

from orderd.engine.execution.together import Together


class Counter:
    """Doubles numbers; a call waits where the test holds it. Remembers what was called with what."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.began = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def double(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        self.began.release()
        assert self.go_on.acquire(timeout=10)
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number for number in numbers]


def test_a_lone_item_is_dealt_with_at_once() -> None:
    counter = Counter()
    counter.go_on.release()
    assert Together("test", counter.double)(21).result(10) == 42
    assert counter.calls == [[21]]


def test_what_comes_while_a_call_is_under_way_is_the_next_call_in_the_same_order() -> None:
    counter = Counter()
    together = Together("test", counter.double)
    first = together(1)
    assert counter.began.acquire(timeout=10)
    rest = [together(number) for number in (2, 3, 4)]
    counter.go_on.release(2)
    assert [first.result(10), *(each.result(10) for each in rest)] == [2, 4, 6, 8]
    assert counter.calls == [[1], [2, 3, 4]]


def test_an_error_goes_to_all_who_were_part_of_the_call_and_to_nobody_else() -> None:
    counter = Counter()
    together = Together("test", counter.double)
    first = together(1)
    assert counter.began.acquire(timeout=10)
    failing = [together(2), together(0)]
    counter.go_on.release(3)
    assert first.result(10) == 2
    for each in failing:
        with pytest.raises(ZeroDivisionError):
            each.result(10)
    assert together(5).result(10) == 10


def test_a_call_that_forgets_a_result_is_an_error_for_those_without() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Together[int, int]("test", lambda _: [])(1).result(10)
