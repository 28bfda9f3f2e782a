"""A Postgres whose clock a test sets: whatever asks this database for the time is told another."""

from contextlib import closing
from datetime import timedelta

import psycopg2

_SHADOW = """
CREATE TABLE clock_setting AS SELECT interval '0' AS set_by;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT pg_catalog.clock_timestamp() + set_by FROM public.clock_setting';
CREATE FUNCTION public.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT pg_catalog.statement_timestamp() + set_by FROM public.clock_setting';
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
END $$
"""
"""What Postgres finds first is its clock; the database is not lent to another test, for it has another shape."""


class SettableClock:
    """Of the database at ``url``, as connections see it that are opened from here on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._execute(_SHADOW)

    def set(self, by: timedelta) -> None:
        self._execute("UPDATE clock_setting SET set_by = set_by + %s", by)

    def _execute(self, statement: str, *values: object) -> None:
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
