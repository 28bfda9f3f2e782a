"""The connection pool, and whether the database has the tables that this program expects."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg2
from peewee import InterfaceError, OperationalError, PeeweeException
from playhouse.migrations import Runner
from playhouse.pool import PooledPostgresqlDatabase
from psycopg2.extensions import parse_dsn

from db.conflicts import again_after_conflicts
from orderd.domain.errors import ErrorCode, OrderdError

P = ParamSpec("P")
T = TypeVar("T")

MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 7_140_051_903_117


class _Database(PooledPostgresqlDatabase):  # type: ignore[misc]  # the library has no types
    def _is_closed(self, conn: "psycopg2.extensions.connection") -> bool:
        """Without the library's round trip: what an idle connection has to say is that the server has closed it."""
        if conn.closed:
            return True
        idle = select.poll()  # select() itself knows only the first 1,024 files of a process
        idle.register(conn, select.POLLIN)
        return bool(idle.poll(0))

    def execute_sql(self, sql: str, params: Any = None) -> Any:  # noqa: ANN401  (as the library has it)
        """Outside of a transaction a statement is one, and is made again after a conflict; else all of it has to be."""
        execute = partial(super().execute_sql, sql, params)
        return execute() if self.in_transaction() else again_after_conflicts(execute)


database = _Database(None)
"""Bound by ``connect``. Each thread has its own connection, taken with ``database.connection_context()``."""


def transaction(call: Callable[P, T]) -> Callable[P, T]:
    """Make each call of the function one transaction, from its beginning again after a conflict.

    Within another transaction it is a part of that. Needs a connection.
    """

    @wraps(call)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        @database.atomic()  # type: ignore[untyped-decorator]  # the library has no types
        def once() -> T:
            return call(*args, **kwargs)

        return once() if database.in_transaction() else again_after_conflicts(once)  # type: ignore[no-any-return]

    return whole


class SchemaError(OrderdError):
    """The database's tables are not those of this program; the text says which way."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorCode.SERVICE_SCHEMA, detail)


@contextmanager
def database_errors_told() -> Iterator[None]:
    """Turns what the driver raises into the OrderdError that an operator is told."""
    try:
        yield
    except PeeweeException as error:
        what = "does not answer" if isinstance(error, OperationalError | InterfaceError) else "refuses"
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"Postgres {what}: {str(error).strip()}") from error


def connect(url: str, *, max_connections: int = 32, application: str = "orderd") -> None:
    """Point the pool at ``url`` (postgresql://...). Nothing is opened yet. Raises ValueError for what is no such URL.

    Statements are cut after 30 s, waits for locks after 10 s and those for a silent peer after 20 s, so that no thread
    hangs for ever. A commit is on disk when it is answered, whatever the server's own setting is.
    """
    url = url.replace("postgres://", "postgresql://", 1)
    try:
        parse_dsn(url)
    except psycopg2.ProgrammingError:
        raise ValueError("the database's URL cannot be read") from None  # the driver's words quote it, password and all
    if not database.deferred:
        database.close_all()
    database.init(
        url,
        max_connections=max_connections,
        stale_timeout=300,
        timeout=10,
        application_name=application,
        connect_timeout=10,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=20_000,
        options="-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=10000 -c synchronous_commit=on",
    )


def migrate() -> list[str]:
    """Bring the tables up to date; returns what was applied. Safe to run from several hosts at once."""
    with database.connection_context():
        # To fill an index, and to wait for another host that does, takes as long as it takes.
        database.execute_sql("SET statement_timeout = 0; SET lock_timeout = 0")
        database.execute_sql("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        try:
            applied: list[str] = Runner(database, str(MIGRATIONS)).up()
        finally:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))
            database.execute_sql("RESET ALL")
    return applied


def check_schema() -> None:
    """Raises SchemaError when the tables are behind or ahead of this program, PeeweeException without an answer."""
    with database.connection_context():
        rows = Runner(database, str(MIGRATIONS)).status()
    if unknown := [row.name for row in rows if row.path is None]:
        raise SchemaError(
            f"the database is ahead of this orderd: it has {', '.join(unknown)}, which this version does not know"
        )
    if missing := [row.name for row in rows if row.applied is None]:
        raise SchemaError(f"the database is behind this orderd: it lacks {', '.join(missing)}")
