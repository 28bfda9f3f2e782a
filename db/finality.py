"""Successes in blocks that may still be rolled back, and their finalization or rollback."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from db.connection import database
from db.exclusive import exclusive
from db.journal import Change, Moved, apply
from db.models import Order, listed
from orderd.domain.events import RolledBack
from orderd.domain.order import EventKind, sources

_LOCK: Final = 7_140_051_903_118
_LOCK_OF_LATE: Final = 7_140_051_903_124


@dataclass(frozen=True, slots=True)
class Landing:
    """A success that awaits finality, with the order that it confirmed."""

    order: Order
    number: int
    signature: str
    slot: int
    last_valid_block_height: int
    blockhash_slot: int | None


def exclusive_handling(*, late: bool = False) -> AbstractContextManager[bool]:
    """Try to become the only process that handles them, or the ``late`` ones; yields whether this succeeded. Holds a
    connection."""
    return exclusive(_LOCK_OF_LATE if late else _LOCK)


def is_awaited() -> bool:
    """Whether there is a success that awaits finality."""
    return bool(database.execute_sql("SELECT EXISTS (SELECT FROM attempts WHERE awaits_finality)").fetchone()[0])


def awaiting(limit: int) -> list[Landing]:
    """The oldest successes that await finality."""
    rows = Order.raw(
        f"""
        SELECT o.*, a.number, a.signature AS landed_signature, a.slot, a.last_valid_block_height, a.blockhash_slot
        FROM attempts a JOIN orders o ON o.id = a.order_id
        WHERE a.awaits_finality AND o.status IN ({listed(sources(EventKind.ROLLED_BACK))})
        ORDER BY a.order_id LIMIT %s""",
        limit,
    ).execute(database)
    return [
        Landing(row, row.number, row.landed_signature, row.slot, row.last_valid_block_height, row.blockhash_slot)
        for row in rows
    ]


def settle(signatures: Sequence[str]) -> None:
    """Record that these successes are final."""
    database.execute_sql("UPDATE attempts SET awaits_finality = false WHERE signature = ANY(%s)", (list(signatures),))


def roll_back(landings: Sequence[Landing]) -> list[Moved]:
    """Revert these confirmations: the attempts are live again, and a worker adopts them and sends the same bytes."""
    no_fill = {"filled_in": None, "filled_out": None, "network_fee": None}
    return apply(
        [
            Change(
                each.order.id,
                RolledBack(attempt=each.number, signature=each.signature, slot=each.slot),
                each.order.version,
                no_fill,
            )
            for each in landings
        ]
    )
