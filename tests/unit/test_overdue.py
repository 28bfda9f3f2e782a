"""A statement whose time is over is ended, whatever other statements take."""

import socket
from typing import cast

import psycopg2.extensions

from db.overdue import Overdue

PATIENCE = 20


def waits(overdue: Overdue, seconds: float) -> bytes:
    """Wait for an answer that never comes. Returns what is read: nothing, once the connection is shut down."""
    server, client = socket.socketpair()
    client.settimeout(PATIENCE)
    with server, client, overdue.bounded(cast("psycopg2.extensions.connection", client), seconds):
        return client.recv(1)


def test_a_connection_is_shut_down_when_its_time_is_over() -> None:
    overdue = Overdue()
    assert [waits(overdue, 0.01) for _ in range(3)] == [b""] * 3


def test_a_shorter_time_out_is_noticed_during_a_long_pause() -> None:
    overdue = Overdue()
    server, client = socket.socketpair()
    with server, client, overdue.bounded(cast("psycopg2.extensions.connection", client), 3_600):
        pass
    assert waits(overdue, 0.01) == b""
