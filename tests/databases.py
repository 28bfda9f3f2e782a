"""Databases that tests lend to each other: to clear one takes a few milliseconds, a new one twenty times that.

Each is cleared by a session that stays open between tests: once it has read the catalogs, the same statements take a
quarter of the time.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any, Final
from uuid import uuid4

import psycopg2

from db.connection import connect, database, migrate
from orderd.embedded.postgres import Postgres

RESTING: Final = 3
"""How many databases wait for the next tests. Whatever a test has left connected ends while its database rests."""

_TEMPLATE: Final = "migrated"
_KEEP: Final = """
CREATE SCHEMA pristine;
DO $$ DECLARE made name; BEGIN
    FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE public.%1$I', made);
    END LOOP;
END $$
"""
_RESTORE: Final = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE made name; BEGIN
    SET LOCAL session_replication_role = replica;  -- no trigger, so that references and the audit may be emptied
    FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM public.%I', made);
        EXECUTE format('INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM pristine.%1$I', made, (
            SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
            WHERE attrelid = format('public.%I', made)::regclass AND attnum > 0 AND NOT attisdropped
              AND attgenerated = ''));
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'public';
END $$
"""
"""All rows as the migrations have left them, in a hundredth of the time that a new database takes."""
_SHAPE: Final = """
SELECT md5(string_agg(told, E'\\n' ORDER BY told)) FROM (
    SELECT format('%s %s %s', attrelid::regclass, attname, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())) AS shape (told)
"""
"""What a test may change of a database beside rows, as one word."""


class _Database:
    """One database, and a session in it that outlives tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: Any = None

    def execute(self, statements: str) -> Any:
        """The first row, where there is one. A test may have ended the session."""
        try:
            return self._executed(statements)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.close()
            return self._executed(statements)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _executed(self, statements: str) -> Any:
        if self._session is None:
            self._session = psycopg2.connect(self.url)
            self._session.autocommit = True
        with self._session.cursor() as cursor:
            cursor.execute(statements)
            return cursor.fetchone() if cursor.description else None


class Databases:
    """Those of one server that has the template."""

    def __init__(self, server: Postgres, resting: int = RESTING) -> None:
        self._server = server
        self._most_resting = resting
        self._resting: deque[_Database] = deque()
        """The one first that has rested longest."""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of one that is migrated and empty, for one user at a time."""
        used = self._next()
        try:
            yield used.url
        finally:
            self._resting.append(used)

    def close(self) -> None:
        for each in self._resting:
            each.close()

    def _next(self) -> _Database:
        if len(self._resting) >= self._most_resting:
            rested = self._resting.popleft()
            if rested.execute(_SHAPE) == self._shape_when_made:
                rested.execute(_RESTORE)
                return rested
            rested.close()  # a test has changed more than rows
        name = f"test_{uuid4().hex}"
        execute(self._server.url, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return _Database(url_of(self._server, name))

    @cached_property
    def _shape_when_made(self) -> Any:
        """Nobody changes the template."""
        with closing(_Database(url_of(self._server, _TEMPLATE))) as template:
            return template.execute(_SHAPE)


def make_template(server: Postgres) -> None:
    """A database with all tables and no rows beyond those of the migrations."""
    execute(server.url, f"CREATE DATABASE {_TEMPLATE}")
    connect(url_of(server, _TEMPLATE))
    migrate()
    database.close_all()
    execute(url_of(server, _TEMPLATE), _KEEP)


def url_of(server: Postgres, name: str) -> str:
    return server.url.replace("/orderd?", f"/{name}?")


def execute(url: str, statements: str) -> None:
    """In a session of its own."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True  # CREATE and DROP DATABASE do not run in a transaction
        with connection.cursor() as cursor:
            cursor.execute(statements)
