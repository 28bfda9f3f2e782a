"""Receives notifications of Postgres (LISTEN and NOTIFY) on a dedicated connection."""

import psycopg2
from psycopg2.extensions import connection

from db.connection import database


def listen(channel: str) -> connection:
    """A connection that receives notifications on ``channel`` from now on. It is readable when there is one.

    Raises psycopg2's OperationalError if it cannot be opened.
    """
    opened: connection = psycopg2.connect(database.database, **database.connect_params)
    opened.autocommit = True
    with database.bounded(opened), opened.cursor() as cursor:
        cursor.execute(f'LISTEN "{channel}"')
    return opened


def received(listener: connection) -> list[str]:
    """The notifications since the last call, in order. Raises OperationalError if the connection is lost."""
    listener.poll()
    payloads = [notice.payload for notice in listener.notifies]
    listener.notifies.clear()
    return payloads
