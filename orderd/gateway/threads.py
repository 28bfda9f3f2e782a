"""Blocking work off the event loop: bounded threads, a deadline per answer, and the errors of outages."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog
from peewee import DatabaseError, InterfaceError, OperationalError
from playhouse.pool import MaxConnectionsExceeded

from db.connection import database, refusal, was_refused
from orderd.domain.errors import ErrorCode, OrderdError

P = ParamSpec("P")
T = TypeVar("T")

ANSWER_SECONDS: Final = 2.0
"""Time-out of all queries to Postgres for an answer, including the wait for a thread."""
STATEMENT_SECONDS: Final = 1.5
"""Statement time-out, shorter than that of the answer, so that a slow server can report it itself."""
OUTSIDE_SECONDS: Final = 10.0
"""Time-out of queries to venues and the chain, which also have their own time-outs."""
MAX_WAITING: Final = 2_000
"""Calls in line for a thread, beyond which new ones are refused."""
CLOSE_SECONDS: Final = 3.0
log = structlog.get_logger(__name__)
LOST: Final = (OperationalError, InterfaceError, MaxConnectionsExceeded)
AWAY: Final = "Postgres does not answer; sending the same client order id again is always safe"


class Threads:
    """A pool of threads with a bounded line in front of it, for calls that take their own connections, if any."""

    def __init__(self, name: str, count: int, seconds: float = OUTSIDE_SECONDS) -> None:
        """``seconds`` is the time-out of an answer."""
        self._name = name
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of ``call`` in a thread; ``call`` changes nothing.

        Raises OrderdError SERVICE_OVERLOADED, SERVICE_UNAVAILABLE if no answer comes in time or Postgres is
        unavailable, and what ``call`` raises.
        """
        return await self._do(partial(call, *args, **kwargs), self._unavailable("no answer came in time"))

    async def change(self, what: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``run``, for a call that commits something: if its outcome is not known, it raises OrderdError
        SERVICE_TIMEOUT, whose detail names ``what``.
        """
        return await self._do(partial(call, *args, **kwargs), outcome_unknown(what))

    async def _do(self, call: Callable[[], T], unknown: OrderdError) -> T:
        """Run ``call``. Raises ``unknown`` if it has started and its outcome is not known.

        It then continues until its own time-outs; a call that has not started in time never starts.
        """
        if self._waiting >= MAX_WAITING:
            raise OrderdError(ErrorCode.SERVICE_OVERLOADED, f"{self._waiting} calls are waiting")
        work = self._pool.submit(self._run, call, unknown, time.monotonic() + self._seconds)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            if work.cancelled():
                raise self._unavailable("no thread was free in time, so nothing was done") from None
            if work.done():
                return work.result()  # it came in this very moment, or the call has raised this itself
            raise unknown from None
        finally:
            self._waiting -= 1

    def _run(self, call: Callable[[], T], unknown: OrderdError, ends_at: float) -> T:  # noqa: ARG002
        """``call``, with the database's exceptions turned into OrderdError."""
        try:
            return call()
        except LOST as error:
            raise (_refused(error) if was_refused(error) else unknown) from error
        except DatabaseError as error:
            raise_if_refused(error)
            raise

    def _unavailable(self, why: str) -> OrderdError:
        return OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"{self._name}: {why}")

    async def close(self) -> None:
        """Let running calls end, for this many seconds; waiting calls are dropped."""
        closing = asyncio.get_running_loop().run_in_executor(None, partial(self._pool.shutdown, cancel_futures=True))
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.shield(closing)
        except TimeoutError:
            log.warning("threads still busy", action="threads_busy", pool=self._name)


class DatabaseThreads(Threads):
    """Threads in which each call has a connection to Postgres.

    A call that loses its connection is repeated on another one if there is time, so it must be repeatable. A refusal of
    the second run does not concern the first.
    """

    def __init__(self, name: str, count: int, seconds: float = ANSWER_SECONDS) -> None:
        """If ``seconds`` exceeds the time of an answer, it is the time-out of statements too."""
        super().__init__(name, count, seconds)

    def _unavailable(self, why: str) -> OrderdError:
        return OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"{AWAY} ({why})")

    def _run(self, call: Callable[[], T], unknown: OrderdError, ends_at: float) -> T:
        begun = False

        def once() -> T:
            nonlocal begun
            with database.connection_context():
                if self._seconds <= ANSWER_SECONDS:
                    begun = True
                    return call()
                with database.patient(self._seconds):
                    begun = True
                    return call()

        def lost(error: Exception) -> OrderdError:
            return _refused(error) if was_refused(error) or not begun else unknown

        try:
            return once()
        except LOST as error:
            if was_refused(error):
                raise _refused(error) from error
            database.close_idle()  # the others of the pool were most likely lost with it
            if time.monotonic() >= ends_at:
                raise lost(error) from error
        except DatabaseError as error:
            raise_if_refused(error)
            raise
        may_be_done = begun
        try:
            return once()
        except LOST as error:
            raise (unknown if may_be_done else lost(error)) from error
        except DatabaseError as error:
            if may_be_done and _is_servers_own(error):
                raise unknown from error
            raise_if_refused(error)
            raise


def outcome_unknown(what: str) -> OrderdError:
    """The error if it is not known whether ``what`` has been done."""
    return OrderdError(
        ErrorCode.SERVICE_TIMEOUT, f"Postgres did not confirm in time whether {what} was stored; check, or repeat it"
    )


def raise_if_refused(error: DatabaseError) -> None:
    """Raises OrderdError SERVICE_UNAVAILABLE if the server refuses, for example because it is read-only."""
    if _is_servers_own(error):
        raise _refused(error) from error


def _is_servers_own(error: DatabaseError) -> bool:
    """Whether the server caused the error: classes 25, 53, 55, 57, 58 of the error codes, and 40 (deadlocks)."""
    code: str = getattr(getattr(error, "orig", None), "pgcode", None) or ""
    return was_refused(error) and code[:2] in ("25", "40", "53", "55", "57", "58")


def _refused(error: Exception) -> OrderdError:
    """Nothing was done."""
    if was_refused(error):
        return refusal(error, "nothing was done")
    return OrderdError(ErrorCode.SERVICE_UNAVAILABLE, AWAY)
