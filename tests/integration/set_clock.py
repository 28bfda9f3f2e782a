"""A Postgres whose clock a test can set: queries of the time in this database return another time."""

from contextlib import closing
from datetime import timedelta

import psycopg2

_SHADOW = """
CREATE TABLE clock_setting AS SELECT interval '0' AS set_by;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT pg_catalog.clock_timestamp() + set_by FROM public.clock_setting';
CREATE FUNCTION public.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT pg_catalog.statement_timestamp() + set_by FROM public.clock_setting';
ALTER TABLE orders ALTER COLUMN created_at SET DEFAULT public.clock_timestamp(),
    ALTER COLUMN updated_at SET DEFAULT public.clock_timestamp();
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
END $$
"""
"""Functions that shadow Postgres' clock. The changed schema keeps the database from being lent to another test."""


class SettableClock:
    """The clock of the database at ``url``, as seen by connections that are opened from now on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._execute(_SHADOW)

    def set(self, by: timedelta) -> None:
        self._execute("UPDATE clock_setting SET set_by = set_by + %s", by)

    def _execute(self, statement: str, *values: object) -> None:
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
