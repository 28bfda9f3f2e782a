"""Work that only one process at a time may do."""

from collections.abc import Iterator
from contextlib import contextmanager

from db.connection import database


@contextmanager
def exclusive(lock: int) -> Iterator[bool]:
    """Try to take a lock for the duration of the block; yields whether it was free. Holds a connection."""
    (is_mine,) = database.execute_sql("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone()
    try:
        yield bool(is_mine)
    finally:
        if is_mine:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (lock,))
