"""Connections of the pool: one that the server has closed meanwhile is not given out again."""

import select

import psycopg2

from db.connection import database


def test_an_idle_connection_that_the_server_has_closed_is_replaced(connected: str) -> None:
    with database.connection_context():
        idle = database.connection()
        (pid,) = database.execute_sql("SELECT pg_backend_pid()").fetchone()
    administrator = psycopg2.connect(connected)
    with administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
    administrator.close()
    assert select.select([idle], [], [], 10)[0], "the server has hung up"

    with database.connection_context():
        assert database.connection() is not idle
        assert database.execute_sql("SELECT 1").fetchone() == (1,)


def test_an_idle_connection_that_lives_is_used_again(connected: str) -> None:
    with database.connection_context():
        idle = database.connection()
    with database.connection_context():
        assert database.connection() is idle
