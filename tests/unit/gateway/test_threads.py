"""Blocking calls in threads, and a database that becomes unavailable during them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import psycopg2
import pytest
from peewee import DatabaseError, IntegrityError, InterfaceError, InternalError, OperationalError

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway import threads
from orderd.gateway.threads import DatabaseThreads, Threads


class Database:
    """Stands in for the connection pool."""

    def __init__(self) -> None:
        self.idle_closed = 0

    @contextmanager
    def connection_context(self) -> Iterator[None]:
        yield

    def close_idle(self) -> None:
        self.idle_closed += 1


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    played = Database()
    monkeypatch.setattr(threads, "database", played)
    return played


def _run(call: Callable[[], object]) -> object:
    async def run() -> object:
        pool = DatabaseThreads("test", 1)
        try:
            return await pool.run(call)
        finally:
            await pool.close()

    return asyncio.run(run())


@pytest.mark.parametrize("loss", [OperationalError, InterfaceError])
def test_a_call_that_loses_its_connection_is_retried_once(database: Database, loss: type[Exception]) -> None:
    attempts = 0

    def call() -> str:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise loss("server closed the connection")
        return "done"

    assert _run(call) == "done"
    assert database.idle_closed == 1


def test_an_unavailable_database_is_reported(database: Database) -> None:
    def call() -> None:
        raise OperationalError("connection refused")

    with pytest.raises(OrderdError) as refused:
        _run(call)
    assert refused.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert refused.value.retryable
    assert "connection refused" not in refused.value.detail


@pytest.mark.parametrize(
    "error", [IntegrityError("taken"), OrderdError(ErrorCode.ORDER_NOT_FOUND, "none"), KeyError(1)]
)
def test_other_errors_are_raised_to_the_caller(database: Database, error: Exception) -> None:
    attempts = 0

    def call() -> None:
        nonlocal attempts
        attempts += 1
        raise error

    with pytest.raises(type(error)):
        _run(call)
    assert attempts == 1


def test_calls_beyond_the_queue_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_WAITING", 3)

    async def play() -> None:
        pool, gate = Threads("test", 1), Event()
        waiting = [asyncio.create_task(pool.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(OrderdError) as refused:
            await pool.run(gate.wait)
        assert refused.value.code is ErrorCode.SERVICE_OVERLOADED
        gate.set()
        assert await asyncio.gather(*waiting) == [True] * 3
        assert await pool.run(gate.wait)
        await pool.close()

    asyncio.run(play())


class TestOutcomes:
    """A caller gets "no" if certainly nothing was done, otherwise an unknown outcome."""

    @staticmethod
    def error_of(call: Callable[[], object], seconds: float = 30.0) -> OrderdError:
        async def run() -> object:
            pool = DatabaseThreads("test", 1, seconds)
            try:
                return await pool.change("order 7", call)
            finally:
                await pool.close()

        with pytest.raises(OrderdError) as refused:
            asyncio.run(run())
        return refused.value

    def test_a_connection_lost_twice_leaves_the_outcome_unknown(self, database: Database) -> None:
        def call() -> None:
            raise OperationalError("server closed the connection unexpectedly")

        error = self.error_of(call, 2.0)
        assert error.code is ErrorCode.SERVICE_TIMEOUT
        assert "order 7" in error.detail

    def test_nothing_was_done_without_a_connection(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused() -> None:
            raise OperationalError("connection refused")

        monkeypatch.setattr(database, "connection_context", refused)
        assert self.error_of(lambda: None, 2.0).code is ErrorCode.SERVICE_UNAVAILABLE

    @pytest.mark.parametrize("code", ["57014", "55P03", "53100", "40P01", "25006"])
    def test_a_statement_refused_by_the_server_was_not_done(self, database: Database, code: str) -> None:
        class ServerError(psycopg2.Error):
            pgcode = code

        def call() -> None:
            raise OperationalError(ServerError(), "the server's words")

        error = self.error_of(call, 2.0)
        assert error.code is ErrorCode.SERVICE_UNAVAILABLE
        assert "the server's words" in error.detail

    @pytest.mark.parametrize("code", ["57P01", "08006"])
    def test_a_server_that_shuts_down_may_have_executed_the_statement(self, database: Database, code: str) -> None:
        class ServerError(psycopg2.Error):
            pgcode = code

        def call() -> None:
            raise OperationalError(ServerError(), "terminating connection")

        assert self.error_of(call, 2.0).code is ErrorCode.SERVICE_TIMEOUT

    @pytest.mark.parametrize("kind", [OperationalError, InternalError])
    def test_a_refusal_of_the_retry_leaves_the_outcome_unknown(
        self, database: Database, kind: type[DatabaseError]
    ) -> None:
        class ReadOnly(psycopg2.Error):
            pgcode = "25006"

        answers = iter(
            [OperationalError("server closed the connection unexpectedly"), kind(ReadOnly(), "only read from")]
        )

        def call() -> None:
            raise next(answers)

        assert self.error_of(call, 2.0).code is ErrorCode.SERVICE_TIMEOUT

    def test_a_hanging_call_is_answered_at_its_deadline(self, database: Database) -> None:
        async def play() -> None:
            pool, gate = DatabaseThreads("test", 1, 0.05), Event()
            with pytest.raises(OrderdError) as unknown:
                await pool.change("order 7", gate.wait)
            assert unknown.value.code is ErrorCode.SERVICE_TIMEOUT
            with pytest.raises(OrderdError) as not_begun:
                await pool.change("order 8", gate.wait)
            assert not_begun.value.code is ErrorCode.SERVICE_UNAVAILABLE, (
                "a call that did not start is refused for certain"
            )
            gate.set()
            await pool.close()

        asyncio.run(play())

    def test_a_late_call_is_not_retried(self, database: Database) -> None:
        """Otherwise it could be executed after its outcome was reported as unknown."""
        runs = 0

        def call() -> None:
            nonlocal runs
            runs += 1
            gate.wait(20)
            raise OperationalError("server closed the connection unexpectedly")

        async def play() -> None:
            pool = DatabaseThreads("test", 1, 0.05)
            with pytest.raises(OrderdError):
                await pool.change("order 7", call)
            gate.set()
            await pool.close()

        gate = Event()
        asyncio.run(play())
        assert runs == 1


def test_a_hanging_thread_does_not_delay_the_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "CLOSE_SECONDS", 0.05)

    async def play() -> None:
        pool, gate, began = Threads("test", 1), Event(), Event()

        def hang() -> None:
            began.set()
            gate.wait()

        hung = asyncio.create_task(pool.run(hang))
        await asyncio.to_thread(began.wait)
        await pool.close()
        assert not hung.done()
        gate.set()
        await hung

    asyncio.run(play())
