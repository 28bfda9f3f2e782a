"""What the hub reads from Postgres, where everything is that anybody is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from db.connection import database
from orderd.domain.order import ACTIVE, TERMINAL


@dataclass(frozen=True, slots=True)
class Head:
    """How far an order has come: the seq of its last stored event."""

    order_id: UUID
    account_id: UUID
    seq: int
    ended: bool


def active_heads() -> list[Head]:
    """All orders that have not ended."""
    names = ", ".join(f"'{status}'" for status in sorted(ACTIVE))
    return _heads(f"status IN ({names})", ())


def heads_moved_within(seconds: float) -> list[Head]:
    """The orders whose last change is at most ``seconds`` ago."""
    return _heads("updated_at > clock_timestamp() - %s * interval '1 second'", (seconds,))


def head_of(order_id: UUID) -> Head | None:
    found = _heads("id = %s", (str(order_id),))
    return found[0] if found else None


def _heads(where: str, values: Iterable[object]) -> list[Head]:
    rows = database.execute_sql(f"SELECT id, account_id, seq, status FROM orders WHERE {where}", tuple(values))  # noqa: S608
    return [
        Head(UUID(str(order_id)), UUID(str(account_id)), seq, status in TERMINAL)
        for order_id, account_id, seq, status in rows
    ]
