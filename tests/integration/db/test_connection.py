"""The connection pool replaces connections that the server has closed, and its deadlines hold while the server
hangs."""

import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
from peewee import OperationalError, PeeweeException

from db.connection import connect, database, was_refused
from tests.relay import Relay, relay_to_postgres


def test_an_idle_connection_that_the_server_has_closed_is_replaced(connected: str) -> None:
    with database.connection_context():
        idle = database.connection()
        (pid,) = database.execute_sql("SELECT pg_backend_pid()").fetchone()
    administrator = psycopg2.connect(connected)
    with administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
    administrator.close()
    assert select.select([idle], [], [], 10)[0], "the server did not close the connection"

    with database.connection_context():
        assert database.connection() is not idle
        assert database.execute_sql("SELECT 1").fetchone() == (1,)


def test_a_live_idle_connection_is_reused(connected: str) -> None:
    with database.connection_context():
        idle = database.connection()
    with database.connection_context():
        assert database.connection() is idle


@pytest.fixture
def through(postgres_url: str, tmp_path: Path) -> Iterator[Relay]:
    """The relay between the pool and the server."""
    with relay_to_postgres(postgres_url, tmp_path) as (relay, url):
        connect(url, statement_seconds=0.5)
        yield relay
        database.close_all()


def test_a_statement_times_out_while_the_server_hangs(through: Relay) -> None:
    with database.connection_context():
        through.hang()
        with pytest.raises(OperationalError) as lost:
            database.execute_sql("SELECT 1")
    assert not was_refused(lost.value), "the outcome of the statement is unknown"


@pytest.mark.parametrize("asked", [1, 3])
def test_concurrent_connection_attempts_do_not_add_their_timeouts(through: Relay, asked: int) -> None:
    """libpq waits for each connection; all threads must wait at the same time."""
    with database.connection_context():
        database.execute_sql("SELECT 1")
    database.close_all()
    through.hang()

    def ask() -> None:
        with database.connection_context():
            database.execute_sql("SELECT 1")

    with ThreadPoolExecutor(asked) as threads:
        for each in [threads.submit(ask) for _ in range(asked)]:
            with pytest.raises(OperationalError):
                each.result(timeout=4.5)


def test_a_statement_refused_by_the_server_is_known_not_to_be_executed(connected: str) -> None:
    with database.connection_context():
        database.execute_sql("SET default_transaction_read_only = on; SET statement_timeout = 50")
        for statement in ("CREATE TABLE other ()", "SELECT pg_sleep(60)"):
            with pytest.raises(PeeweeException) as refused:
                database.execute_sql(statement)
            assert was_refused(refused.value)


def test_a_commit_whose_answer_is_lost_is_not_known_to_be_refused(through: Relay) -> None:
    def commit() -> None:
        with database.connection_context(), database.atomic():
            database.execute_sql("CREATE TABLE other ()")
            through.lose_the_next_answer()

    with pytest.raises(PeeweeException) as lost:
        commit()
    assert not was_refused(lost.value)
    with database.connection_context():
        assert database.execute_sql("SELECT to_regclass('other')::text").fetchone() == ("other",), "the commit was lost"


def test_background_work_has_a_longer_timeout(connected: str) -> None:
    connect(connected, statement_seconds=0.1)
    with database.connection_context():
        with database.patient(60):
            assert database.execute_sql("SELECT 1 FROM pg_sleep(0.3)").fetchone() == (1,)
        with pytest.raises(OperationalError):
            database.execute_sql("SELECT pg_sleep(60)")
