"""The identity of this installation: the id in its memos, the ids that it had before, and the tags of orders.

The id is created with the database. A restored database gets a new one and keeps the old one as its past, so that it
differs from the daemon of the backup, if that still runs. A tag is 8 bytes of an HMAC of account and
client order id: memos are public, and without the key they do not show who traded what. The key survives a restore, so
that an order that is missing in the backup is recognised by the tag in its transaction when it is submitted again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from db.connection import database


@dataclass(frozen=True, slots=True)
class Installation:
    """``past`` maps each former id to the slot of the last transaction under it that belongs to this installation.

    The wallet's transactions up to ``seen_slot`` are attributed to their installations.
    """

    id: bytes
    past: dict[bytes, int]
    seen_slot: int

    def is_own(self, installation: bytes, slot: int) -> bool:
        """Whether a transaction in ``slot`` with the id ``installation`` in its memo belongs to this installation."""
        return installation == self.id or slot <= self.past.get(installation, -1)


def read() -> Installation:
    """Read the installation. Needs a connection, like all functions here."""
    row = database.execute_sql("SELECT id, seen_slot FROM installation").fetchone()
    past = database.execute_sql("SELECT id, last_slot FROM past_installations").fetchall()
    return Installation(bytes(row[0]), {bytes(each): int(slot) for each, slot in past}, int(row[1]))


def record_last_slot(slot: int) -> None:
    """Record that the wallet's transactions up to this slot have been attributed."""
    database.execute_sql(
        "UPDATE installation SET seen_slot = %s WHERE seen_slot IS NULL OR seen_slot < %s", (slot, slot)
    )


def unrecorded(transactions: Mapping[str, UUID]) -> set[str]:
    """Those of these transactions of this installation, each with the order in its memo, of which there is no record.

    An attempt is stored before it is sent, so another installation has signed them: one that has a copy of this
    database. After a restore, lost transactions are recorded without their attempts.
    """
    rows = database.execute_sql(
        """
        SELECT signature FROM unnest(%s::text[], %s::uuid[]) AS given (signature, order_id)
        WHERE NOT EXISTS (SELECT FROM attempts a WHERE a.signature = given.signature)
          AND NOT EXISTS (SELECT FROM fills f WHERE f.order_id = given.order_id AND f.signature = given.signature)
          AND NOT EXISTS (SELECT FROM lost_orders l WHERE l.signature = given.signature)""",
        ([*transactions], [str(order_id) for order_id in transactions.values()]),
    )
    return {signature for (signature,) in rows}
