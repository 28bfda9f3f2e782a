"""The halts in force. After the commit of a halt, no statement stores a signed attempt; the migration explains how."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from peewee import OperationalError
from psycopg2.errors import LockNotAvailable

from db import audit
from db.audit import Actor, Entry
from db.connection import database, transaction
from orderd.domain.halt import Halt, HaltCause

MAY_SIGN: Final = "(SELECT may_sign())"
"""The condition of each statement that stores signed bytes. As a subquery it is evaluated once per statement, not per
row."""
_LOCK: Final = 7_140_051_903_123
_PATIENCE_MS: Final = 500
"""Storing a signature takes a few milliseconds; a transaction that holds the lock for longer is considered hanging."""


def current() -> tuple[Halt, ...]:
    """The halts in force, oldest first. Needs a connection, like all functions here."""
    rows = database.execute_sql("SELECT cause, actor, reason, at FROM halts ORDER BY at")
    return tuple(Halt(HaltCause(cause), actor, reason, at) for cause, actor, reason, at in rows)


def halt(cause: HaltCause, by: Actor, reason: str) -> tuple[Halt, ...]:
    """Prevent all signatures after this transaction's commit. An existing halt for the same cause does not change.

    Returns all current halts. A process that was stopped while it stored a signature cannot delay this: its connection
    is terminated, and its open transaction with it.
    """
    try:
        return _halt(cause, by, reason)
    except OperationalError as error:
        if not isinstance(getattr(error, "orig", error), LockNotAvailable):
            raise
    _end_those_in_the_way()
    return _halt(cause, by, reason)


@contextmanager
def signing_paused() -> Iterator[None]:
    """Within the block, transactions that store signatures wait; afterwards they see what was committed."""
    database.execute_sql("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def explain(cause: HaltCause, reason: str) -> None:
    """Set the reason of a halt, to show what it waits for."""
    database.execute_sql("UPDATE halts SET reason = %s WHERE cause = %s AND reason <> %s", (reason, cause, reason))


def lift(by: Actor, *causes: HaltCause) -> tuple[Halt, ...]:
    """End the halts for these causes, and return them."""
    return _lift(by, causes)


@transaction
def _halt(cause: HaltCause, by: Actor, reason: str) -> tuple[Halt, ...]:
    database.execute_sql("SELECT set_config('lock_timeout', %s, true)", (str(_PATIENCE_MS),))
    database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    new = database.execute_sql(
        "INSERT INTO halts (cause, actor, reason) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING cause",
        (cause, by.name, reason),
    )
    if new.fetchone() is not None:
        audit.record([Entry(by, audit.HALT, detail=f"{cause}: {reason}")])
    return current()


@transaction
def _lift(by: Actor, causes: tuple[HaltCause, ...]) -> tuple[Halt, ...]:
    lifted = [each for each in current() if each.cause in causes]
    for each in lifted:
        database.execute_sql("DELETE FROM halts WHERE cause = %s", (each.cause,))
    audit.record([Entry(by, audit.LIFT, detail=f"{each.cause}: {each.reason}") for each in lifted])
    return tuple(lifted)


def _end_those_in_the_way() -> None:
    database.execute_sql(
        """
        SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32 | objid::bigint) = %s""",
        (_LOCK,),
    )
