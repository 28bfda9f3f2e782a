"""The connection pool, and the check of the schema version."""

import heapq
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import psycopg2
from peewee import DatabaseError, InterfaceError, OperationalError, PeeweeException
from playhouse.migrations import Runner
from playhouse.pool import MaxConnectionsExceeded, PoolConnection, PooledDatabase, PooledPostgresqlDatabase
from psycopg2.extensions import parse_dsn

from db.conflicts import again_after_conflicts
from db.overdue import Overdue
from orderd.domain.errors import ErrorCode, OrderdError

P = ParamSpec("P")
T = TypeVar("T")

MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 7_140_051_903_117
_GRACE_SECONDS: Final = 0.5
"""How much later than the server the client ends a statement, because the server's error is more precise than a lost
connection."""
_LOCK_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 10.0
_FOR_EVER: Final = 1e9


class _Patience(threading.local):
    seconds: float | None = None
    """The statement time-out of this thread, if it differs from the default."""


class _Database(PooledPostgresqlDatabase):  # type: ignore[misc]  # the library has no types
    statement_seconds = _FOR_EVER

    def __init__(self) -> None:
        super().__init__(None)
        # The library opens connections while it holds a lock that all threads need. While a server hangs, connections
        # would be opened one after another.
        self._lock = nullcontext()
        self._opening = 0
        self._overdue = Overdue()
        self._patience = _Patience()

    def _connect(self) -> "psycopg2.extensions.connection":
        with self._pool_lock:
            while self._connections:
                opened_at, _, idle = heapq.heappop(self._connections)
                if self._is_closed(idle):
                    continue
                if self._stale_timeout and self._is_stale(opened_at):
                    self._close_raw(idle)
                    continue
                return self._hand_out(idle, opened_at)
            if len(self._in_use) + self._opening >= self._max_connections:
                raise MaxConnectionsExceeded("all connections are in use")
            self._opening += 1
        try:
            opened = super(PooledDatabase, self)._connect()
        finally:
            with self._pool_lock:
                self._opening -= 1
                self._pool_available.notify()
        with self._pool_lock:
            return self._hand_out(opened, time.time())

    def _hand_out(self, conn: "psycopg2.extensions.connection", opened_at: float) -> "psycopg2.extensions.connection":
        self._in_use[self.conn_key(conn)] = PoolConnection(opened_at, conn, time.time())
        return conn

    def _is_closed(self, conn: "psycopg2.extensions.connection") -> bool:
        """Whether an idle connection was closed, without the library's round trip: any incoming data means so."""
        if conn.closed:
            return True
        idle = select.poll()  # select() supports only the first 1,024 file descriptors
        idle.register(conn, select.POLLIN)
        return bool(idle.poll(0))

    def execute_sql(self, sql: str, params: Any = None) -> Any:  # noqa: ANN401  (as the library has it)
        """Repeat a statement outside of a transaction after a conflict. Within one, the whole transaction has to be
        repeated."""
        execute = partial(super().execute_sql, sql, params)
        return execute() if self.in_transaction() else again_after_conflicts(execute)

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:  # noqa: ANN401  (as the library has it)
        with self.bounded(self.connection()):
            return super()._execute_cursor(sql, params, **options)

    def begin(self, isolation_level: str | None = None) -> None:
        with self.bounded(self.connection()):
            super().begin(isolation_level)

    def commit(self) -> None:
        with self.bounded(self.connection()):
            super().commit()

    def rollback(self) -> None:
        with self.bounded(self.connection()):
            super().rollback()

    def bounded(self, waiting: "psycopg2.extensions.connection") -> AbstractContextManager[None]:
        """Within the block, ``waiting`` is closed if the server takes much longer than the statement time-out."""
        seconds = self._patience.seconds or self.statement_seconds
        return self._overdue.bounded(waiting, seconds + _GRACE_SECONDS)

    @contextmanager
    def patient(self, seconds: float | None) -> Iterator[None]:
        """Set the time-out of this thread's statements; None for no time-out, for statements that no client waits for.

        Needs a connection. Within a transaction, the server's time-outs of the connection are changed.
        """
        milliseconds = 0 if seconds is None else int(seconds * 1000)
        self.execute_sql(
            "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)",
            (str(milliseconds), str(milliseconds)),
        )
        before, self._patience.seconds = self._patience.seconds, _FOR_EVER if seconds is None else seconds
        try:
            yield
        finally:
            self._patience.seconds = before
            if not self.connection().closed:
                self.execute_sql("RESET statement_timeout; RESET lock_timeout")


database = _Database()
"""Bound by ``connect``. Each thread has its own connection, taken with ``database.connection_context()``."""


def transaction(call: Callable[P, T]) -> Callable[P, T]:
    """A decorator that runs each call in a transaction, and repeats the call after a conflict.

    Within another transaction, the call becomes a part of it. Needs a connection.
    """

    @wraps(call)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        @database.atomic()  # type: ignore[untyped-decorator]  # the library has no types
        def once() -> T:
            return call(*args, **kwargs)

        return once() if database.in_transaction() else again_after_conflicts(once)  # type: ignore[no-any-return]

    return whole


class SchemaError(OrderdError):
    """The database has an older or newer schema than this program."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorCode.SERVICE_SCHEMA, detail)


@contextmanager
def translated_database_errors() -> Iterator[None]:
    """Translate errors of the driver to OrderdError."""
    try:
        yield
    except PeeweeException as error:
        what = "does not answer" if isinstance(error, OperationalError | InterfaceError) else "refuses"
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"Postgres {what}: {str(error).strip()}") from error


def connect(
    url: str, *, max_connections: int = 32, application: str = "orderd", statement_seconds: float = 30.0
) -> None:
    """Point the pool at ``url`` (postgresql://...). Opens no connection. Raises ValueError if it is not such a URL.

    No thread can hang: the server cancels statements and waits for locks after ``statement_seconds``. If the server
    does not respond, the client gives up half a second later. Connecting has the same limit (but libpq waits at least 2
    s). Acknowledged commits are on disk, whatever the server's own setting is.
    """
    url = url.replace("postgres://", "postgresql://", 1)
    try:
        parse_dsn(url)
    except psycopg2.ProgrammingError:
        raise ValueError(
            "the database's URL cannot be read"
        ) from None  # the driver's message contains the URL with its password
    if not database.deferred:
        database.close_all()
    milliseconds = int(statement_seconds * 1000)
    lock_milliseconds = int(min(_LOCK_SECONDS, statement_seconds) * 1000)
    database.statement_seconds = statement_seconds
    database.init(
        url,
        max_connections=max_connections,
        stale_timeout=300,
        timeout=min(_CONNECT_SECONDS, statement_seconds),
        application_name=application,
        connect_timeout=round(max(2.0, min(_CONNECT_SECONDS, statement_seconds))),
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=20_000,
        options=f"-c timezone=UTC -c statement_timeout={milliseconds} -c lock_timeout={lock_milliseconds} "
        # The plan of a prepared statement does not depend on its values, so use a generic plan from the first execution
        # on.
        "-c synchronous_commit=on -c plan_cache_mode=force_generic_plan",
    )


_MISCONFIGURED: Final = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted",
    "permission denied",
    "does not support SSL",
    "certificate",
)


def reach(ask: Callable[[], T], waits: Callable[[str], None]) -> T:
    """Return the result of ``ask`` once the server responds. After each failure, ``waits`` is called with the reason;
    it sleeps.

    Raises OperationalError at once if waiting does not help, such as for a wrong password or an unknown database.
    """
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError) as error:
            reason = str(error).strip()
            if any(words in reason for words in _MISCONFIGURED):
                raise
            waits(f"Postgres: {reason.partition(chr(10))[0]}")


def refusal(error: Exception, then: str) -> OrderdError:
    """The error for a refused statement (see ``was_refused``); ``then`` describes what happened to the request."""
    reason = str(error).strip().partition("\n")[0]
    return OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"Postgres refuses: {reason}; {then}")


def was_refused(error: Exception) -> bool:
    """Whether the server has refused a statement, so that it has changed nothing.

    Otherwise the connection was lost, and the statement may or may not have been committed. (An InterfaceError does not
    prove anything either: the library raises it when it rolls back after a lost commit.)
    """
    cause = getattr(error, "orig", error)
    code: str = getattr(cause, "pgcode", None) or ""
    # Errors of classes 08 and 57P mean that the connection ends, possibly after the commit.
    return isinstance(error, DatabaseError | psycopg2.Error) and code != "" and not code.startswith(("08", "57P"))


def migrate() -> list[str]:
    """Apply missing migrations and return their names. Safe to run from several hosts at once."""
    # Creating an index, or waiting for another host that does, has no time limit.
    with database.connection_context(), database.patient(None):
        database.execute_sql("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        try:
            applied: list[str] = Runner(database, str(MIGRATIONS)).up()
        finally:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))
    return applied


def is_empty() -> bool:
    """Whether the database has no tables yet. Needs a connection."""
    (tables,) = database.execute_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    return bool(tables == 0)


def check_schema() -> None:
    """Raises SchemaError if the schema is older or newer than this program, and PeeweeException if Postgres fails."""
    with database.connection_context():
        rows = Runner(database, str(MIGRATIONS)).status()
    if unknown := [row.name for row in rows if row.path is None]:
        raise SchemaError(
            f"the database is ahead of this orderd: it has {', '.join(unknown)}, which this version does not know"
        )
    if missing := [row.name for row in rows if row.applied is None]:
        raise SchemaError(f"the database is behind this orderd: it lacks {', '.join(missing)}")
