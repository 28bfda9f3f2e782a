"""A program and a database that do not fit each other do not start."""

from collections.abc import Iterator

import pytest

from db.connection import SchemaError, check_schema, connect, database, migrate


@pytest.fixture(autouse=True)
def empty_database(empty_postgres_url: str) -> Iterator[None]:
    connect(empty_postgres_url)
    yield
    database.close_all()


def test_a_database_that_is_behind_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"behind .* lacks 0001_orders.* orderd migrate"):
        check_schema()


def test_a_database_that_is_ahead_is_refused() -> None:
    migrate()
    with database.connection_context():
        database.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_future', now())")
    with pytest.raises(SchemaError, match=r"ahead .* has 9999_future"):
        check_schema()


def test_migrating_twice_applies_nothing_twice() -> None:
    assert migrate() == ["0001_orders"]
    assert migrate() == []
    check_schema()
