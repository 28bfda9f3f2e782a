"""Statements that are planned seldom, whichever connections there are."""

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


def test_a_connection_is_given_a_statement_once(connection: None) -> None:
    assert [_twice(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert _planned() == 1


def test_a_new_connection_is_given_it_again(connected: str) -> None:
    with database.connection_context():
        assert _twice(1) == 2
        database.connection().close()
    with database.connection_context():
        assert _planned() == 0
        assert _twice(2) == 4


def test_it_outlives_a_transaction_that_is_rolled_back(connection: None) -> None:
    @transaction
    def fails() -> None:
        assert _twice(1) == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert _twice(2) == 4
    assert _planned() == 1


def test_it_is_planned_again_after_four_times_as_many_executions(connection: None) -> None:
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
