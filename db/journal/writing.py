"""Writes changes atomically."""

from collections.abc import Iterable, Sequence
from typing import Final

import orjson
from peewee import DataError, IntegrityError

from db.connection import database, transaction
from db.journal.changes import Change, has_until
from db.journal.rows import Moved, given_json, moved_by
from db.journal.statement import prepared_for
from db.models import Order
from orderd.domain.events import AnyFact, OrderEvent
from orderd.domain.order import target

InvalidValue = IntegrityError | DataError | ValueError | orjson.JSONEncodeError
"""Errors of the database or the driver about invalid values."""
INVALID_VALUES: Final = (IntegrityError, DataError, ValueError, orjson.JSONEncodeError)


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


def apply_each(changes: Sequence[Change]) -> list[Moved | InvalidValue | None]:
    """Like ``apply``, but returns a result per change: the changed order, or None if another process was faster.

    If the database refuses a change, its result is the error, and the others are written.
    """
    try:
        moved = {each.order.id: each for each in apply(changes)}
        return [moved.get(change.order_id) for change in changes]
    except INVALID_VALUES as invalid:
        if len(changes) == 1:
            return [invalid]
        return [answer for change in changes for answer in apply_each([change])]


def _write(changes: Sequence[Change]) -> list[Moved]:
    """Write changes of the same shape in one statement."""
    first = changes[0]
    by_order = {change.order_id: change for change in changes}
    encoded = {change.order_id: change.encoded() for change in changes}
    rows = [change.values(*encoded[change.order_id]) for change in changes]
    until = has_until(first.fact)

    def fact_of(order: Order) -> AnyFact:
        fact = by_order[order.id].fact
        return fact.model_copy(update={"until": order.due_at or order.looks_from}) if until else fact

    def encoded_of(order: Order) -> bytes | None:
        return None if until else encoded[order.id][0]

    statement = prepared_for(first, rows[0], is_one=len(rows) == 1)
    moved = moved_by(statement.execute(given_json(rows)).fetchall(), fact_of, encoded_of)
    if first.before is None:
        return moved
    return [_with_before(each, by_order[each.order.id].before, encoded[each.order.id][1]) for each in moved]


def _with_before(moved: Moved, fact: AnyFact | None, encoded: bytes | None) -> Moved:
    assert fact is not None
    event = moved.event
    before = OrderEvent(order_id=event.order_id, seq=event.seq - 1, at=event.at, status=target(fact.kind), data=fact)
    return Moved(moved.order, event, before, moved.fact, encoded)
