"""The state of a restore, until all transactions since the backup have been read from the chain."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db import halts
from db.audit import DAEMON
from db.connection import database, transaction
from db.models import Order
from orderd.domain.halt import HaltCause

_OPEN: Final = 2**62
"""The last slot of a past installation while it is unknown."""


@dataclass(frozen=True, slots=True)
class LostOrder:
    """A transaction of an order that the backup does not have."""

    signature: str
    tag: bytes
    order_id: UUID
    slot: int


@transaction
def begin(reason: str) -> None:
    """Halt trading and create a new installation id; the old one becomes a past id. Needs a connection, like all
    functions here."""
    database.execute_sql("INSERT INTO past_installations SELECT id, %s FROM installation", (_OPEN,))
    database.execute_sql("UPDATE installation SET id = %s", (secrets.token_bytes(4),))
    _begin("what was traded since the backup is not known yet", reason)


_IS_OLDER: Final = "SELECT FROM installation WHERE timeline <> wal_timeline()"


def begin_if_older() -> bool:
    """Halt if the server has begun a new timeline: a standby was promoted, or the server was recovered to a point in
    time, and may lack what was committed before.

    Returns whether it has begun one. The installation id stays, because the same daemon continues.
    """
    return database.execute_sql(_IS_OLDER).fetchone() is not None and _begin_if_older()


@transaction
def _begin_if_older() -> bool:
    if database.execute_sql(f"{_IS_OLDER} FOR UPDATE").fetchone() is None:
        return False  # another process has begun
    why = "Postgres was promoted from a standby or recovered to a point in time, and may lack its newest transactions"
    _begin(f"{why}: what was traded with them is not known yet", f"{why}: check the orders before you lift the halt")
    return True


def _begin(unknown: str, reason: str) -> None:
    halts.halt(HaltCause.RESTORE, DAEMON, unknown)
    halts.halt(HaltCause.OPERATOR, DAEMON, reason)
    database.execute_sql("UPDATE installation SET timeline = wal_timeline()")
    database.execute_sql("DELETE FROM restores")
    # Determined now, because attempts that were live in the backup can still land.
    database.execute_sql(f"INSERT INTO restores (first_slot) {_FIRST_UNKNOWN_SLOT}")


_FIRST_UNKNOWN_SLOT: Final = """
    SELECT least(
        (SELECT min(coalesce(blockhash_slot, 0)) FROM attempts WHERE outcome = 'live' OR awaits_finality),
        (SELECT coalesce(max(slot), 0) FROM attempts WHERE outcome <> 'live' AND NOT awaits_finality))"""
"""Transactions that are missing in a backup were signed after the newest transaction that is final in it. Live attempts
of the backup are searched from their blockhash slot on."""


def height() -> int | None:
    """The chain's newest block height after the restore; None until it has been read."""
    row = database.execute_sql("SELECT height FROM restores").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def note_height(newest: int) -> None:
    """Store the height, unless another process was faster."""
    database.execute_sql("UPDATE restores SET height = %s WHERE height IS NULL", (newest,))


def first_unknown_slot() -> int:
    """The slot before which no transaction that is missing in the backup has landed."""
    (slot,) = database.execute_sql("SELECT first_slot FROM restores").fetchone()
    return int(slot)


def lock() -> bool:
    """Prevent other processes from ending the restore during this transaction; false if it has ended already."""
    cursor = database.execute_sql("SELECT FROM halts WHERE cause = %s FOR UPDATE", (HaltCause.RESTORE,))
    return cursor.fetchone() is not None


def keep_lost(lost: Sequence[LostOrder]) -> None:
    """Store lost orders, so that they are not executed again when their clients repeat them."""
    for each in lost:
        database.execute_sql(
            "INSERT INTO lost_orders (signature, tag, order_id, slot) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (each.signature, each.tag, str(each.order_id), each.slot),
        )


def active_with(tag: bytes) -> list[Order]:
    """The orders with this tag that have not ended, children before their parents."""
    rows = Order.raw(
        "SELECT * FROM orders WHERE memo_tag = %s AND ended_as IS NULL ORDER BY parent_id IS NULL, id", tag
    )
    return list(rows.execute(database))


def traded_as(account_id: UUID, client_order_id: str) -> str | None:
    """The signature of the transaction of a lost order with this client order id; None if there is none."""
    row = database.execute_sql(
        "SELECT signature FROM lost_orders WHERE tag = memo_tag(%s, %s) ORDER BY slot LIMIT 1",
        (str(account_id), client_order_id),
    ).fetchone()
    return None if row is None else str(row[0])


def finish(last_slot: int) -> None:
    """End the restore: the past installation ends at ``last_slot``, and only the operator's halt remains."""
    database.execute_sql("UPDATE past_installations SET last_slot = %s WHERE last_slot = %s", (last_slot, _OPEN))
    halts.lift(DAEMON, HaltCause.RESTORE)
