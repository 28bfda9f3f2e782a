"""A pool of databases that tests reuse: clearing one takes a few milliseconds, creating one takes twenty times as long.

Each database is cleared by a session that stays open between tests: once that session has cached the catalogs, the same
statements take a quarter of the time.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from uuid import uuid4

import psycopg2

from db.connection import connect, database, migrate
from orderd.embedded.postgres import Postgres

RESTING: Final = 3
"""Databases that wait before they are reused. Connections that a test left open end during this wait."""

_TEMPLATE: Final = "migrated"
_PREPARE: Final = """
CREATE SCHEMA pristine;

CREATE TABLE pristine.schema_changes ();
CREATE FUNCTION pristine.note_schema_change() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    IF TG_EVENT = 'sql_drop' OR EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp'
    ) THEN
        INSERT INTO pristine.schema_changes DEFAULT VALUES;
    END IF;
END $$;

DO $$ DECLARE made name; columns text; has_rows boolean; statements text := ''; BEGIN
    FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        statements := statements || format('DELETE FROM public.%I; ', made);
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', made) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE public.%1$I', made);
            SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
            WHERE attrelid = format('public.%I', made)::regclass AND attnum > 0 AND NOT attisdropped
              AND attgenerated = '';
            statements := statements || format(
                'INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM pristine.%1$I; ',
                made, columns);
        END IF;
    END LOOP;
    SELECT statements || string_agg(format('PERFORM setval(%L, %s, false); ', sequencename, start_value), '')
    INTO statements FROM pg_sequences WHERE schemaname = 'public';
    -- With the role of a replica no trigger runs, so that referenced tables and the audit log can be emptied.
    EXECUTE format('CREATE FUNCTION pristine.restore() RETURNS void LANGUAGE plpgsql '
        'SET session_replication_role = replica AS %L', 'BEGIN ' || statements || 'END');
END $$;

CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION pristine.note_schema_change();
CREATE EVENT TRIGGER note_drop ON sql_drop EXECUTE FUNCTION pristine.note_schema_change();
"""
"""What the template has besides the tables: a log of schema changes, and a copy of all rows after the migrations.

The function ``restore`` puts these rows back. A session plans its statements once, and running them takes a hundredth
of the time that a new database takes.
"""
_IS_CHANGED: Final = """
SELECT EXISTS (SELECT FROM pristine.schema_changes) OR EXISTS (
    SELECT FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
"""True if a test changed more than rows. Settings of a database are not part of its schema."""
_RESTORE: Final = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SELECT pristine.restore();
"""


class _Database:
    """One database, and a session in it that outlives tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: Any = None

    def execute(self, statements: str) -> Any:
        """Return the first row, or None if there are no rows. Reconnects if a test has ended the session."""
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
    """The databases of one server that has the template."""

    def __init__(self, server: Postgres, resting: int = RESTING) -> None:
        self._server = server
        self._most_resting = resting
        self._resting: deque[_Database] = deque()
        """The database that has waited longest comes first."""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Lend a migrated, empty database; yields its URL."""
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
            if rested.execute(_IS_CHANGED) == (False,):
                rested.execute(_RESTORE)
                return rested
            rested.close()
        name = f"test_{uuid4().hex}"
        execute(self._server.url, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return _Database(url_of(self._server, name))


def make_template(server: Postgres) -> None:
    """Create a database with all tables and no rows except those of the migrations."""
    execute(server.url, f"CREATE DATABASE {_TEMPLATE}")
    connect(url_of(server, _TEMPLATE))
    migrate()
    database.close_all()
    execute(url_of(server, _TEMPLATE), _PREPARE)


def url_of(server: Postgres, name: str) -> str:
    return server.url.replace("/orderd?", f"/{name}?")


def execute(url: str, statements: str) -> None:
    """Execute statements in a separate session."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True  # CREATE and DROP DATABASE do not run in a transaction
        with connection.cursor() as cursor:
            cursor.execute(statements)
