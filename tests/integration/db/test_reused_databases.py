"""Databases are reused between tests, except those whose schema a test has changed."""

from contextlib import closing

import pytest

from orderd.embedded.postgres import Postgres
from tests.databases import Databases, execute

CHANGES = (
    "CREATE TABLE other ()",
    "DROP TABLE proofs",
    "ALTER TABLE orders ADD COLUMN other integer",
    "ALTER TABLE orders ALTER COLUMN slippage_bps SET DEFAULT 7",
    "ALTER TABLE orders ADD CHECK (amount_in <> 7)",
    "ALTER TABLE attempts DROP CONSTRAINT settled_has_a_time",
    "CREATE INDEX other ON orders (amount_in)",
    "DROP INDEX attempts_one_alive; CREATE INDEX attempts_one_alive ON attempts (id) WHERE outcome = 'live'",
    "CREATE FUNCTION other() RETURNS integer LANGUAGE sql AS 'SELECT 7'",
    "ALTER TABLE orders DISABLE TRIGGER USER",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 512', current_database()); END $$",
)


def test_a_reused_database_has_only_the_rows_of_the_migrations(postgres_server: Postgres) -> None:
    with closing(Databases(postgres_server, resting=1)) as databases:
        with databases.lent() as first:
            execute(first, "DELETE FROM accounts; INSERT INTO accounts (id, name) VALUES (gen_random_uuid(), 'other')")
        with databases.lent() as second:
            assert second == first
            execute(second, "DO $$ BEGIN ASSERT (SELECT string_agg(name, ', ') FROM accounts) = 'default'; END $$")


def test_a_database_whose_sessions_a_test_has_ended_is_reused(postgres_server: Postgres) -> None:
    with closing(Databases(postgres_server, resting=1)) as databases:
        for _ in range(3):
            with databases.lent() as url:
                execute(
                    url,
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )


@pytest.mark.parametrize("nothing", ["CREATE TEMP TABLE other ()", "CREATE TABLE IF NOT EXISTS orders ()"])
def test_a_database_with_an_unchanged_schema_is_reused(postgres_server: Postgres, nothing: str) -> None:
    with closing(Databases(postgres_server, resting=1)) as databases:
        with databases.lent() as first:
            execute(first, nothing)
        with databases.lent() as second:
            assert second == first


@pytest.mark.parametrize("change", CHANGES)
def test_a_database_with_a_changed_schema_is_not_reused(postgres_server: Postgres, change: str) -> None:
    with closing(Databases(postgres_server, resting=1)) as databases:
        with databases.lent() as changed:
            execute(changed, change)
        with databases.lent() as url:
            assert url != changed
