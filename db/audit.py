"""The audit log: which key did what. Rows are only added; an order's row is written by the statement that accepts
it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from db.models import AuditRow

OK: Final = "ok"
SUBMIT: Final = "order.submit"
CANCEL: Final = "order.cancel"
AMEND: Final = "order.amend"
RESOLVE: Final = "order.resolve"
HALT: Final = "trading.halt"
LIFT: Final = "trading.lift"
NAME_TOKEN: Final = "tokens.name"


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor: the name of an API key, and the address from which it was used. Both may be empty."""

    name: str
    address: str = ""
    key_id: UUID | None = None


NOBODY: Final = Actor("")
"""Callers without a valid API key."""
DAEMON: Final = Actor("orderd")
"""The actor of what the daemon does by itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done, or refused with ``outcome``, an error code; ``times`` equal refusals in one row."""

    by: Actor
    action: str
    outcome: str = OK
    order_id: UUID | None = None
    detail: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows to read, from ``since`` on and before ``until``; None matches any."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    order_id: UUID | None = None
    refused: bool = False


def record(entries: Sequence[Entry]) -> None:
    """Add rows, in one statement."""
    if not entries:
        return
    AuditRow.insert_many(
        [
            {
                "actor": entry.by.name,
                "token_id": entry.by.key_id,
                "address": entry.by.address,
                "action": entry.action,
                "outcome": entry.outcome,
                "order_id": entry.order_id,
                "detail": entry.detail,
                "times": entry.times,
            }
            for entry in entries
        ]
    ).execute()


def read(which: Filter, limit: int) -> list[AuditRow]:
    """The newest rows that match, oldest first."""
    conditions: list[Any] = []
    if which.since is not None:
        conditions.append(AuditRow.at >= which.since)
    if which.until is not None:
        conditions.append(AuditRow.at < which.until)
    if which.actor is not None:
        conditions.append(AuditRow.actor == which.actor)
    if which.action is not None:
        conditions.append(AuditRow.action == which.action)
    if which.outcome is not None:
        conditions.append(AuditRow.outcome == which.outcome)
    if which.order_id is not None:
        conditions.append(AuditRow.order_id == which.order_id)
    if which.refused:
        conditions.append(AuditRow.outcome != OK)
    query = AuditRow.select()
    for condition in conditions:
        query = query.where(condition)
    return list(query.order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit))[::-1]
