"""Work that one process at a time does, of all that could."""

from collections.abc import Iterator
from contextlib import contextmanager

from db.connection import database


@contextmanager
def exclusive(lock: int) -> Iterator[bool]:
    """Whether no other process has this lock, and none will until this ends. Holds a connection."""
    (is_mine,) = database.execute_sql("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone()
    try:
        yield bool(is_mine)
    finally:
        if is_mine:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (lock,))
