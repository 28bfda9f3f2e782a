"""Writes changes atomically."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import orjson
from peewee import DataError, IntegrityError

from db.connection import database, transaction
from db.journal.changes import Change
from db.journal.rows import Moved, moved_by
from db.journal.statement import has_until, prepared_for
from db.models import Order
from orderd.domain.events import AnyFact
from orderd.domain.order import target

Objection = IntegrityError | DataError | ValueError | orjson.JSONEncodeError
"""Errors of the database or the driver about invalid values."""
OBJECTIONS: Final = (IntegrityError, DataError, ValueError, orjson.JSONEncodeError)


def apply(changes: Sequence[Change]) -> list[Moved]:
    """Write the changes in one transaction; returns those that took effect. At most one change per order."""
    if not changes:
        return []
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        groups.setdefault(change.shape, []).append(change)
    return _write(changes) if len(groups) == 1 else _write_all(groups.values())


@transaction
def _write_all(groups: Iterable[Sequence[Change]]) -> list[Moved]:
    ids = [str(change.order_id) for group in groups for change in group]
    database.execute_sql(in_order("id = ANY(%s::uuid[])"), (ids,))
    return [moved for group in groups for moved in _write(group)]


def in_order(which: str) -> str:
    """SQL for the ids of orders that match ``which``, locked in the same order everywhere, to avoid deadlocks."""
    return f"SELECT id FROM orders WHERE {which} ORDER BY id FOR NO KEY UPDATE"


def apply_each(changes: Sequence[Change]) -> list[Moved | Objection | None]:
    """Like ``apply``, but returns a result per change: the changed order, or None if another process was faster.

    If the database refuses a change, its result is the error, and the others are written.
    """
    try:
        moved = {each.order.id: each for each in apply(changes)}
        return [moved.get(change.order_id) for change in changes]
    except OBJECTIONS as objection:
        if len(changes) == 1:
            return [objection]
        return [answer for change in changes for answer in apply_each([change])]


def _write(changes: Sequence[Change]) -> list[Moved]:
    """Write changes of the same shape in one statement."""
    first = changes[0]
    rows = [change.values() for change in changes]
    given = orjson.dumps([{name: value for name, _, value in row} for row in rows]).decode()
    columns = [(name, sql_type) for name, sql_type, _ in rows[0]]
    by_order = {change.order_id: change for change in changes}

    def fact_of(order: Order) -> AnyFact:
        fact = by_order[order.id].fact
        return fact.model_copy(update={"until": order.due_at or order.looks_from}) if has_until(fact) else fact

    # A lone row has no order.
    moved = moved_by(prepared_for(first, columns, locks=len(rows) > 1).execute(given).fetchall(), fact_of)
    return moved if first.before is None else [_with_before(each, by_order[each.order.id].before) for each in moved]


def _with_before(moved: Moved, fact: AnyFact | None) -> Moved:
    assert fact is not None
    event = moved.event.model_copy(update={"seq": moved.event.seq - 1, "status": target(fact.kind), "data": fact})
    return replace(moved, before=event)
