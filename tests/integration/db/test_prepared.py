"""Prepared statements are planned rarely, on every connection."""

import pytest

from db.connection import database, transaction
from db.prepared import Prepared

_TWICE = Prepared("twice", ("integer",), "SELECT $1 * 2")


def _twice(number: int) -> int:
    (doubled,) = _TWICE.execute(number).fetchone()
    return int(doubled)


def _planned() -> int:
    (count,) = database.execute_sql("SELECT count(*) FROM pg_prepared_statements WHERE name ~ '^twice_'").fetchone()
    return int(count)


def test_a_statement_is_prepared_once_per_connection(connection: None) -> None:
    assert [_twice(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert _planned() == 1


def test_a_statement_is_prepared_again_on_a_new_connection(connected: str) -> None:
    with database.connection_context():
        assert _twice(1) == 2
        database.connection().close()
    with database.connection_context():
        assert _planned() == 0
        assert _twice(2) == 4


def test_a_prepared_statement_survives_a_rolled_back_transaction(connection: None) -> None:
    @transaction
    def fails() -> None:
        assert _twice(1) == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert _twice(2) == 4
    assert _planned() == 1


def test_a_statement_is_replanned_after_four_times_as_many_executions(connection: None) -> None:
    database.execute_sql("CREATE TEMP TABLE growing AS SELECT id FROM generate_series(1, 10) AS _(id)")
    database.execute_sql("ALTER TABLE growing ADD PRIMARY KEY (id)")
    find = Prepared("find", ("integer",), "SELECT id FROM growing WHERE id = $1")

    def plan() -> str:
        (name,) = database.execute_sql("SELECT name FROM pg_prepared_statements WHERE name ~ '^find_'").fetchone()
        return " ".join(line for (line,) in database.execute_sql(f"EXPLAIN EXECUTE {name}(1)").fetchall())

    for number in range(1, 17):
        find.execute(number)
    database.execute_sql("INSERT INTO growing SELECT generate_series(11, 10000)")
    assert "Seq Scan" in plan()
    (found,) = find.execute(10_000).fetchone()
    assert found == 10_000
    assert "Seq Scan" not in plan()
