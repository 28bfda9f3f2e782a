"""Concurrent requests share one load, and so do requests shortly after it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from orderd.venues.single_flight import SingleFlight


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_kept_until_it_is_too_old() -> None:
    clock, loads = Clock(), []

    def load(key: str) -> int:
        loads.append(key)
        return len(loads)

    cache = SingleFlight(load, 0.4, clock=clock)
    assert (cache.is_fresh("a"), cache.get("a"), cache.is_fresh("a")) == (False, 1, True)
    clock.now = 0.4
    assert cache.get("a") == 1
    clock.now = 0.41
    assert (cache.is_fresh("a"), cache.get("a")) == (False, 2)


def test_keys_are_independent() -> None:
    cache = SingleFlight(str.upper, 1.0, clock=Clock())
    assert (cache.get("a"), cache.get("b"), cache.is_fresh("c")) == ("A", "B", False)


def test_concurrent_requests_share_a_load() -> None:
    loads: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def load(key: str) -> object:
        loads.append(key)
        begun.set()
        assert go.wait(10)
        return object()

    cache = SingleFlight(load, 1.0, clock=Clock())
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(cache.get, "a") for _ in range(10)]
        assert begun.wait(10)
        assert not cache.is_fresh("a")
        go.set()
        assert len({id(answer.result(timeout=10)) for answer in answers}) == 1
    assert loads == ["a"]


def test_the_age_counts_from_the_start_of_the_load() -> None:
    clock = Clock()

    def load(_: str) -> str:
        clock.now += 0.3  # a slow node: its answer is already that old
        return "state"

    cache = SingleFlight(load, 0.4, clock=clock)
    cache.get("a")
    clock.now += 0.2
    assert not cache.is_fresh("a")


def test_an_error_is_raised_to_waiting_requests_and_not_kept() -> None:
    begun, go = threading.Event(), threading.Event()
    outcomes: list[Exception | str] = [OSError("down"), "up"]

    def load(_: str) -> str:
        begun.set()
        assert go.wait(10)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    cache = SingleFlight(load, 1.0, clock=Clock())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.get, "a")
        assert begun.wait(10)
        go.set()
        with pytest.raises(OSError, match="down"):
            first.result(timeout=10)
    assert not cache.is_fresh("a")
    assert cache.get("a") == "up"


def test_a_forgotten_key_is_loaded_again_even_during_a_load() -> None:
    begun, go = threading.Event(), threading.Event()
    answers = iter(["first", "second"])

    def load(key: str) -> str:
        answer = next(answers)
        if answer == "first":
            begun.set()
            assert go.wait(10)
        return answer

    cache = SingleFlight(load, 1.0, clock=Clock())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.get, "a")
        assert begun.wait(10)
        cache.forget("a")
        assert cache.get("a") == "second"
        go.set()
        assert first.result(timeout=10) == "first"
    assert cache.get("a") == "second"
    cache.forget("unknown")


def test_a_cancelled_load_is_an_error_for_waiting_requests_and_restarts_later() -> None:
    cache = SingleFlight(str.upper, 1.0, clock=Clock())
    flight = cache.begin("a")
    assert flight is not None
    assert cache.begin("a") is None
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(cache.get, "a")
        with pytest.raises(GeneratorExit), flight:
            raise GeneratorExit
        assert waiting.exception() is None or isinstance(waiting.exception(), RuntimeError)
    assert cache.get("a") == "A"
