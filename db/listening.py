"""Receives Postgres' notifications (LISTEN and NOTIFY), on a connection that is used for nothing else."""

import psycopg2
from psycopg2.extensions import connection

from db.connection import database


def listen(channel: str) -> connection:
    """A connection that is notified of commits on ``channel`` from here on; it is readable when there is a
    notification.

    Raises psycopg2's OperationalError if it cannot be opened.
    """
    opened: connection = psycopg2.connect(database.database, **database.connect_params)
    opened.autocommit = True
    with database.bounded(opened), opened.cursor() as cursor:
        cursor.execute(f'LISTEN "{channel}"')
    return opened


def received(listener: connection) -> list[str]:
    """What has come since, in order. Raises OperationalError when the connection is lost."""
    listener.poll()
    payloads = [notice.payload for notice in listener.notifies]
    listener.notifies.clear()
    return payloads
