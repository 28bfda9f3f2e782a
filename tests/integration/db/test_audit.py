"""The audit log is append-only, and is filtered by actor, action, time and order."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from peewee import InternalError

from db import audit, journal
from db.audit import Actor, Entry, Filter
from db.connection import database
from db.models import AuditRow
from tests.integration.orders import new_order

pytestmark = pytest.mark.usefixtures("connection")

DESK = Actor("desk", "10.0.0.1", UUID(int=7))


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_audit_rows_can_be_neither_changed_nor_removed(statement: str) -> None:
    audit.record([Entry(DESK, "order.cancel")])
    with pytest.raises(InternalError, match="append-only"):
        database.execute_sql(statement)
    assert AuditRow.select().count() == 1


def test_an_order_is_recorded_with_its_submitter_and_a_resubmission_is_not() -> None:
    order = new_order("mine")
    journal.accept([order])
    journal.accept([new_order("mine")])
    (row,) = audit.read(Filter(order_id=order.id), 10)
    assert (row.actor, row.action, row.outcome) == ("tests", "order.submit", "ok")


def test_rows_are_found_by_each_filter() -> None:
    order_id = UUID(int=9)
    entries = [
        Entry(DESK, "order.cancel", order_id=order_id),
        Entry(DESK, "order.submit", "LIMIT_DAY", detail="too much", times=3),
        Entry(Actor("bot"), "order.cancel"),
    ]
    audit.record(entries)
    now = datetime.now(UTC)

    def found(which: Filter, limit: int = 10) -> list[int]:
        return [row.id - 1 for row in audit.read(which, limit)]

    assert found(Filter()) == [0, 1, 2]
    assert found(Filter(), limit=2) == [1, 2], "the newest rows, oldest first"
    assert found(Filter(actor="desk")) == [0, 1]
    assert found(Filter(action="order.cancel")) == [0, 2]
    assert found(Filter(order_id=order_id)) == [0]
    assert found(Filter(refused=True)) == [1]
    assert found(Filter(outcome="LIMIT_DAY")) == [1]
    assert found(Filter(outcome="ok", action="order.submit")) == []
    assert found(Filter(until=now + timedelta(minutes=1))) == [0, 1, 2]
    assert found(Filter(until=now - timedelta(minutes=1))) == []
    assert found(Filter(since=now - timedelta(minutes=1), actor="bot")) == [2]
    assert found(Filter(since=now + timedelta(minutes=1))) == []
    assert audit.read(Filter(refused=True), 1)[0].times == 3
