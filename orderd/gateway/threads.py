"""Blocking work off the event loop: bounded threads, and what a lost database means for the caller."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog
from peewee import InterfaceError, OperationalError
from playhouse.pool import MaxConnectionsExceeded

from db.connection import database
from orderd.domain.errors import ErrorCode, OrderdError

P = ParamSpec("P")
T = TypeVar("T")

MAX_WAITING: Final = 2_000
"""Calls in line for a thread, beyond which new ones are refused."""
CLOSE_SECONDS: Final = 3.0
log = structlog.get_logger(__name__)
_LOST: Final = (OperationalError, InterfaceError, MaxConnectionsExceeded)


class Threads:
    """A pool of threads with a bounded line in front of it."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of ``call`` in a thread. Raises OrderdError SERVICE_OVERLOADED, and what ``call`` raises."""
        if self._waiting >= MAX_WAITING:
            raise OrderdError(ErrorCode.SERVICE_OVERLOADED, f"{self._waiting} calls are waiting")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: call(*args, **kwargs))
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Let what runs come to its end, for so long; what waits in line is dropped."""
        closing = asyncio.get_running_loop().run_in_executor(None, partial(self._pool.shutdown, cancel_futures=True))
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.shield(closing)
        except TimeoutError:
            log.warning("threads still busy", action="threads_busy", pool=self._name)


class DatabaseThreads(Threads):
    """Threads in which each call has a connection to Postgres."""

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As ``Threads.run``. A call that loses its connection runs once more on another, so it must bear that.

        Raises OrderdError SERVICE_UNAVAILABLE while Postgres does not answer.
        """
        return await super().run(_connected, lambda: call(*args, **kwargs))


def _connected(call: Callable[[], T]) -> T:
    try:
        return _once(call)
    except _LOST:
        database.close_idle()  # the others of the pool were most likely lost with it
    try:
        return _once(call)
    except _LOST as error:
        raise OrderdError(
            ErrorCode.SERVICE_UNAVAILABLE,
            "Postgres does not answer; sending the same client order id again is always safe",
        ) from error


def _once(call: Callable[[], T]) -> T:
    with database.connection_context():
        return call()
