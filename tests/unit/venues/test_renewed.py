"""Known values are returned at once, even while they are being renewed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from orderd.venues.renewed import Renewed

AGE = 100.0


class Lookups:
    """A loader that the test answers, a clock that it controls, and renewals that it runs."""

    def __init__(self) -> None:
        self.now = 0.0
        self.loads = 0
        self.fails = False
        self.waiting: list[Callable[[], None]] = []
        self.known: Renewed[str, int] = Renewed(
            self.load, lambda _: AGE, start=self.waiting.append, clock=lambda: self.now
        )

    def load(self, _: str) -> int:
        if self.fails:
            raise OSError("the node does not answer")
        self.loads += 1
        return self.loads

    def renew(self) -> None:
        self.waiting.pop()()


def test_an_old_value_is_returned_until_the_new_one_is_loaded() -> None:
    lookups = Lookups()
    assert lookups.known.get("pair") == 1
    lookups.now = AGE / 2
    lookups.known.get("pair")
    assert lookups.waiting == []
    lookups.now = AGE + 1
    assert [lookups.known.get("pair") for _ in range(3)] == [1, 1, 1]
    assert len(lookups.waiting) == 1, "two renewals were started"
    lookups.renew()
    assert lookups.known.get("pair") == 2


def test_a_peek_returns_an_old_value_without_a_renewal() -> None:
    lookups = Lookups()
    assert lookups.known.known("pair") is None
    lookups.known.get("pair")
    lookups.now, lookups.fails = 9 * AGE, True
    assert lookups.known.known("pair") == 1
    assert (lookups.loads, lookups.waiting) == (1, [])


def test_an_old_value_survives_a_failed_renewal_which_is_retried() -> None:
    lookups = Lookups()
    lookups.known.get("pair")
    lookups.now, lookups.fails = AGE + 1, True
    lookups.known.get("pair")
    lookups.renew()
    assert lookups.known.get("pair") == 1
    assert lookups.waiting == []
    lookups.now += 30
    lookups.fails = False
    lookups.known.get("pair")
    lookups.renew()
    assert lookups.known.get("pair") == 2


def test_an_expired_value_is_waited_for() -> None:
    loads, now = iter(range(1, 10)), [0.0]
    known: Renewed[str, int] = Renewed(lambda _: next(loads), lambda _: AGE, lambda _: 3 * AGE, clock=lambda: now[0])
    assert known.get("pair") == 1
    now[0] = 3 * AGE + 1
    assert known.get("pair") == 2


def test_the_first_value_is_waited_for_and_its_failure_raised() -> None:
    lookups = Lookups()
    lookups.fails = True
    with pytest.raises(OSError, match="does not answer"):
        lookups.known.get("pair")
    lookups.fails = False
    assert lookups.known.get("pair") == 1


def test_renewals_come_at_different_times() -> None:
    lookups = Lookups()
    for number in range(40):
        lookups.known.get(f"pair {number}")
    lookups.now = AGE * 0.9
    for number in range(40):
        lookups.known.get(f"pair {number}")
    assert 0 < len(lookups.waiting) < 40


def test_a_renewal_does_not_block_readers() -> None:
    """In a real process: the load hangs, and the old value is available."""
    hangs, now = threading.Event(), [0.0]
    loads: list[None] = []

    def load(_: str) -> int:
        loads.append(None)
        if len(loads) > 1:
            hangs.wait()
        return len(loads)

    known: Renewed[str, int] = Renewed(load, lambda _: AGE, clock=lambda: now[0])
    assert known.get("pair") == 1
    now[0] = AGE + 1
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(known.get, "pair").result() == 1
    hangs.set()
    while known.get("pair") == 1:
        pass


def test_a_new_value_can_be_loaded_at_once_but_only_one_at_a_time() -> None:
    lookups = Lookups()
    lookups.known.get("pair")
    lookups.known.renew("pair")
    assert (lookups.known.get("pair"), lookups.loads) == (2, 2)
    lookups.now = 9 * AGE
    lookups.known.get("pair")  # starts a renewal
    lookups.known.renew("pair")
    assert lookups.loads == 2
    lookups.renew()
    lookups.fails = True
    with pytest.raises(OSError, match="does not answer"):
        lookups.known.renew("pair")
    assert lookups.known.get("pair") == 3
