"""Calls that meet are made as one: what many threads have to say to Postgres or to the node travels together.

Nobody waits for company. A lone item is dealt with at once; what comes while a call is under way is the next call. So
one order is as quick as ever, and many share the cost of a round trip.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST = 25


class Together(Generic[T, R]):
    """A function of many items, called with one at a time from any thread. It runs in a thread of its own."""

    def __init__(self, name: str, call: Callable[[Sequence[T]], Sequence[R]]) -> None:
        """``call`` takes up to 25 items, in the order in which they came, and has a result for each of them."""
        self._call = call
        self._line: SimpleQueue[tuple[T, Future[R]]] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def __call__(self, item: T) -> "Future[R]":
        """The item's own result, or what the call raised that it was part of."""
        future: Future[R] = Future()
        self._line.put((item, future))
        return future

    def _run(self) -> None:
        while True:
            places = [self._line.get()]
            with suppress(Empty):
                while len(places) < _MOST:
                    places.append(self._line.get_nowait())
            try:
                results = self._call([item for item, _ in places])
                for (_, future), result in zip(places, results, strict=True):
                    future.set_result(result)
            except BaseException as error:  # noqa: BLE001  (no Exception: a panic of a native library must not end the thread)
                for _, future in places:
                    if not future.done():
                        future.set_exception(error)
