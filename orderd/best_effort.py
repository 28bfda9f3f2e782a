"""Best-effort work, on which no order depends: notifications, hints, metrics, the audit log of refusals. Its failures
never end a process.

A failure is logged, the first of a kind per minute with its traceback, and counted by ``what``.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

import structlog

from orderd.metrics.process import BEST_EFFORT_FAILURES
from orderd.telemetry import name_thread

T = TypeVar("T")

TRACE_SECONDS: Final = 60.0
"""Seconds between two tracebacks of a kind. One per second would hide other log lines."""
_MAX_AT_ONCE: Final = 256
_FIRST_PAUSE_SECONDS: Final = 0.5
_LAST_PAUSE_SECONDS: Final = 10.0
_PANIC: Final = "PanicException"
"""The class name of a panic in a Rust extension (pyo3). It is not an Exception, but it is handled like one."""
_traced: dict[str, float] = {}
log = structlog.get_logger(__name__)


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Catch, log and count all exceptions in the block. ``what`` is a label of the metric: use few values."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise  # such as KeyboardInterrupt
        failed(what, error)


def failed(what: str, error: BaseException) -> None:
    """Log and count a failure."""
    BEST_EFFORT_FAILURES.labels(what).inc()
    now = time.monotonic()
    is_traced = now - _traced.get(what, -TRACE_SECONDS) >= TRACE_SECONDS
    if is_traced:
        _traced[what] = now
    text = str(error).strip() or type(error).__name__
    log.warning("best effort failed", action=f"{what}_failed", error=text, exc_info=error if is_traced else None)


async def keep_going(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work``, which should never return, for ever. When it ends or fails, it is restarted after a growing
    pause."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        began = time.monotonic()
        with best_effort(what):
            await work()
        if time.monotonic() - began > _LAST_PAUSE_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LAST_PAUSE_SECONDS)


class Outbox(Generic[T]):
    """A thread that handles items in order and in batches, so that the threads that produce them do not wait."""

    def __init__(
        self,
        what: str,
        deal: Callable[[Sequence[T]], object],
        undone: Callable[[Sequence[T]], object] = lambda _: None,
        *,
        most: int = _MAX_AT_ONCE,
        at_once: Callable[[Sequence[T]], bool] = lambda _: False,
    ) -> None:
        """``undone`` receives the items for which ``deal`` failed, and all items that were waiting meanwhile.

        So items do not accumulate while the receiver hangs. Items of one ``put`` are handled in the same batch; waiting
        items are added to it until it has ``most`` items.

        ``at_once`` is called first by the thread that puts items, if no others wait. It must not block, and returns
        whether it has handled them: a thread that computes would otherwise keep the outbox's thread from running.
        """
        self._what = what
        BEST_EFFORT_FAILURES.labels(what)  # exported from the beginning, as 0
        self._deal = deal
        self._undone = undone
        self._most = most
        self._at_once = at_once
        self._at_work = threading.Lock()
        self._items: SimpleQueue[Sequence[T] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)
        self._thread.start()

    def put(self, items: Sequence[T]) -> None:
        """Handle items at once, if that is possible without waiting, or else by the thread."""
        if items and not self._handled_at_once(items):
            self._queue(items)

    def _handled_at_once(self, items: Sequence[T]) -> bool:
        if not self._items.empty() or not self._at_work.acquire(blocking=False):
            return False  # earlier items come first
        done = False
        try:
            with best_effort(self._what):
                done = self._at_once(items)
        finally:
            self._at_work.release()
        return done

    def _queue(self, items: Sequence[T]) -> None:
        self._items.put(items)

    def close(self, seconds: float) -> None:
        """Handle the remaining items within ``seconds``, and stop."""
        self._items.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        name_thread(self._what)
        is_open = True
        while is_open:
            items, is_open = self._gathered(self._items.get(), self._most)
            if not items:
                continue
            done = False
            with self._at_work, best_effort(self._what):
                self._deal(items)
                done = True
            if not done:
                late, goes_on = self._gathered((), sys.maxsize)
                is_open = is_open and goes_on
                with best_effort(self._what):
                    self._undone([*items, *late])

    def _gathered(self, first: Sequence[T] | None, most: int) -> tuple[list[T], bool]:
        """A batch of ``first`` and waiting items, and whether the outbox is still open."""
        items = list[T]()
        given = first
        with suppress(Empty):
            while given is not None:
                items += given
                if len(items) >= most:
                    return items, True
                given = self._items.get_nowait()
            return items, False
        return items, True
