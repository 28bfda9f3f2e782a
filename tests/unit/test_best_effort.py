"""Best-effort work: whatever it raises is logged and counted, and ends nothing."""

import asyncio
from collections.abc import Callable, Sequence
from threading import Event, current_thread

import pytest
from peewee import DatabaseError
from redis.exceptions import RedisError

from orderd import best_effort as module
from orderd.best_effort import Outbox, best_effort, keep_going
from orderd.metrics.process import BEST_EFFORT_FAILURES

Panic = type("PanicException", (BaseException,), {"__doc__": "As a native library raises it."})


TROUBLE = [
    RuntimeError("odd"),
    OSError(28, "no space"),
    DatabaseError("gone"),
    RedisError("gone"),
    MemoryError(),
    Panic(),
]


def failures(what: str) -> float:
    return BEST_EFFORT_FAILURES.labels(what)._value.get()  # type: ignore[no-any-return]


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda each: type(each).__name__)
def test_any_exception_is_caught_and_counted(trouble: BaseException) -> None:
    def fail() -> None:
        raise trouble

    before = failures("test")
    with best_effort("test"):
        fail()
    assert failures("test") == before + 1


@pytest.mark.parametrize("wish", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_requests_to_exit_are_not_caught(wish: type[BaseException]) -> None:
    with pytest.raises(wish), best_effort("test"):
        raise wish


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda each: type(each).__name__)
def test_a_failing_loop_is_restarted(trouble: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.0)

    async def play() -> None:
        begun, again = 0, asyncio.Event()

        async def work() -> None:
            nonlocal begun
            begun += 1
            if begun < 3:
                raise trouble
            again.set()
            await asyncio.Event().wait()

        loop = asyncio.create_task(keep_going("test", work))
        async with asyncio.timeout(20):
            await again.wait()
        loop.cancel()
        await asyncio.wait([loop])
        assert loop.cancelled()

    asyncio.run(play())


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda each: type(each).__name__)
def test_failed_items_are_reported_and_later_ones_are_handled(trouble: BaseException) -> None:
    done: list[int] = []
    undone: list[int] = []
    reported = Event()

    def deal(items: Sequence[int]) -> None:
        if 1 in items:
            raise trouble
        done.extend(items)

    def give_up(items: Sequence[int]) -> None:
        undone.extend(items)
        reported.set()
        raise trouble

    outbox = Outbox[int]("test", deal, give_up)
    outbox.put([1])
    assert reported.wait(20)
    outbox.put([2])
    outbox.close(20)
    assert (undone, done) == ([1], [2])


def test_items_do_not_accumulate_while_the_handler_hangs() -> None:
    hangs, asked = Event(), Event()
    batches: list[int] = []
    undone: list[int] = []

    def deal(items: Sequence[int]) -> None:
        batches.append(len(items))
        asked.set()
        hangs.wait(20)
        raise TimeoutError

    outbox = Outbox[int]("test", deal, undone.extend)
    outbox.put([0])
    assert asked.wait(20)
    outbox.put(range(1, 10_000))
    hangs.set()
    outbox.close(20)
    assert batches == [1]
    assert undone == list(range(10_000))


def outbox_of(at_once: Callable[[Sequence[int]], bool]) -> tuple[Outbox[int], list[tuple[int, str]]]:
    """An outbox, and its handled items with the names of the threads that have handled them."""
    done: list[tuple[int, str]] = []

    def deal(items: Sequence[int]) -> None:
        done.extend((item, current_thread().name) for item in items)

    def deal_at_once(items: Sequence[int]) -> bool:
        if not at_once(items):
            return False
        deal(items)
        return True

    return Outbox("test", deal, at_once=deal_at_once), done


def test_items_are_handled_by_the_thread_that_puts_them_if_that_is_possible_at_once() -> None:
    outbox, done = outbox_of(lambda items: items[0] != 2)
    outbox.put([1])
    assert done == [(1, current_thread().name)]
    outbox.put([2])
    outbox.close(20)
    assert done[1:] == [(2, "test")]


def test_items_that_fail_at_once_are_handled_by_the_thread() -> None:
    def fail(_: Sequence[int]) -> bool:
        raise ValueError

    outbox, done = outbox_of(fail)
    outbox.put([1])
    outbox.close(20)
    assert done == [(1, "test")]


def test_items_do_not_overtake_those_that_wait() -> None:
    hangs, asked = Event(), Event()
    done: list[int] = []

    def deal(items: Sequence[int]) -> None:
        asked.set()
        hangs.wait(20)
        done.extend(items)

    outbox = Outbox[int]("test", deal, at_once=lambda items: items != [1])
    outbox.put([1])
    assert asked.wait(20)
    outbox.put([2])
    assert not done
    hangs.set()
    outbox.close(20)
    assert done == [1, 2]
