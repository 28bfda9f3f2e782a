"""A loop continues whatever its passes raise."""

import threading
from queue import Queue

import pytest

from orderd.queue.loops import Loop

PATIENCE = 20


class Panic(BaseException):
    """As raised by native libraries: not an Exception."""


def test_a_failing_pass_ends_neither_the_loop_nor_the_process() -> None:
    passes: list[int] = []
    recovered = threading.Event()

    def run_once() -> None:
        passes.append(len(passes))
        if len(passes) < 4:
            raise RuntimeError("no luck")
        if len(passes) < 6:
            raise Panic("a native library gave up")
        recovered.set()

    loop = Loop("test", run_once, 0.001)
    loop.start()
    assert recovered.wait(PATIENCE)
    assert loop.stop(PATIENCE)


def test_a_stopped_loop_finishes_its_pass_and_starts_no_other() -> None:
    begun, may_end, passes = threading.Event(), threading.Event(), []

    def run_once() -> None:
        begun.set()
        may_end.wait(PATIENCE)
        passes.append("ended")

    loop = Loop("test", run_once, 0.0)
    loop.start()
    assert begun.wait(PATIENCE)
    assert not loop.stop(0.0), "the loop is still in its pass"
    may_end.set()
    assert loop.stop(PATIENCE)
    assert passes == ["ended"]


def test_a_hanging_loop_reports_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("orderd.queue.loops.time.monotonic", lambda: clock[0])
    begun, may_end, again = threading.Event(), threading.Event(), threading.Event()

    def run_once() -> None:
        if begun.is_set():
            again.set()
        begun.set()
        may_end.wait(PATIENCE)

    loop = Loop("test", run_once, 0.0)
    loop.start()
    assert begun.wait(PATIENCE)
    assert not loop.hangs
    clock[0] += 31
    assert (loop.seconds_silent, loop.hangs) == (31, True)
    may_end.set()
    assert again.wait(PATIENCE)
    assert (loop.seconds_silent, loop.hangs) == (0, False)
    assert loop.stop(PATIENCE)


def test_a_pass_that_may_take_long_does_not_count_as_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("orderd.queue.loops.time.monotonic", lambda: clock[0])
    begun, may_end = threading.Event(), threading.Event()

    def run_once() -> None:
        begun.set()
        may_end.wait(PATIENCE)

    loop = Loop("test", run_once, 0.0, longest=600.0)
    loop.start()
    assert begun.wait(PATIENCE)
    clock[0] += 599
    assert (loop.seconds_silent, loop.hangs) == (599, False)
    clock[0] += 2
    assert (loop.seconds_silent, loop.hangs) == (601, True)
    may_end.set()
    assert loop.stop(PATIENCE)


def test_a_loop_with_a_long_interval_does_not_count_as_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("orderd.queue.loops.time.monotonic", lambda: clock[0])
    passes: Queue[None] = Queue()
    loop = Loop("test", lambda: passes.put(None), 60.0)
    loop.start()
    passes.get(timeout=PATIENCE)
    loop.wake()
    passes.get(timeout=PATIENCE)  # the first pass is over
    clock[0] += 59
    assert loop.stop(PATIENCE)
    assert loop.seconds_silent == 0


def test_a_woken_loop_does_not_wait_for_its_interval() -> None:
    passes: Queue[None] = Queue()
    loop = Loop("test", lambda: passes.put(None), 3_600.0)
    loop.start()
    passes.get(timeout=10)
    loop.wake()
    passes.get(timeout=10)
    assert loop.stop(10)
