"""Retention settings remove old data little by little; data that may still change or be needed stays."""

from contextlib import closing
from uuid import UUID

import psycopg2
import structlog

from db import finality, journal, leases, retention
from db.connection import database
from db.journal import AttemptEnd, Change, FailureRecord
from db.models import DEFAULT_ACCOUNT, Attempt, Order
from db.retention import Kept
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Cancelled, Failed
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from orderd.engine import views
from orderd.engine.retention import Retention
from orderd.gateway.streaming import history
from orderd.gateway.streaming.selection import Selection
from tests.integration.orders import FILL, built, claimed, pending, sign
from tests.samples.orders import FILL as CONFIRMED

DAYS = 7


def confirmed(signature: str, *, awaits_finality: bool = False) -> Order:
    order = sign(built(), signature).order
    end = AttemptEnd("landed", 9, sends=1, awaits_finality=awaits_finality)
    (moved,) = journal.apply([Change(order.id, CONFIRMED, order.version, FILL, attempt_end=end)])
    return moved.order


def failed() -> Order:
    order = claimed()
    fact = Failed(attempt=1, code=ErrorCode.ROUTE_NOT_FOUND, detail="no pool")
    failure = FailureRecord(1, fact.code, "no pool")
    (moved,) = journal.apply([Change(order.id, fact, order.version, {"error_code": fact.code}, failure=failure)])
    return moved.order


def grow_old(order_id: UUID, days: float = DAYS + 1) -> None:
    """Make all stored data of the order this much older."""
    ages = {"orders": ("created_at", "updated_at"), "order_events": ("at",), "order_failures": ("at",)}
    ages |= {"attempts": ("signed_at", "settled_at"), "notionals": ("at",)}
    for table, columns in ages.items():
        older = ", ".join(f"{column} = {column} - {days} * interval '1 day'" for column in columns)
        which = "id" if table == "orders" else "order_id"
        database.execute_sql(f"UPDATE {table} SET {older} WHERE {which} = %s", (str(order_id),))


def events(order_id: UUID) -> int:
    return len(views.events_after(order_id, 0))


def bytes_of(order_id: UUID) -> bytes | None:
    kept = Attempt.get(Attempt.order_id == order_id).signed_bytes
    return None if kept is None else bytes(kept)


def test_events_of_an_order_that_ended_long_ago_are_removed_and_the_order_stays() -> None:
    old, young = confirmed("old"), confirmed("young")
    grow_old(old.id)
    before = views.get(DEFAULT_ACCOUNT, str(old.id))
    assert retention.remove(Kept.EVENTS, DAYS) == old.seq
    after = views.get(DEFAULT_ACCOUNT, str(old.id))
    assert (after.order, after.attempts, after.events) == (before.order, before.attempts, ())
    assert events(young.id) == young.seq
    assert retention.removed()[Kept.EVENTS] == old.seq


def test_events_of_an_active_order_stay_however_old() -> None:
    waits, signed = pending(), sign(built(), "live").order.id
    for order_id in (waits, signed):
        grow_old(order_id, days=1_000)
    for kept in Kept:
        assert retention.remove(kept, DAYS) == 0
    assert (events(waits), events(signed), bytes_of(signed)) == (1, 4, b"signed")


def test_all_events_of_an_order_are_removed_together_once_its_end_is_old() -> None:
    order = failed()
    database.execute_sql("UPDATE order_events SET at = at - interval '30 days' WHERE seq < %s", (order.seq,))
    assert retention.remove(Kept.EVENTS, DAYS) == 0
    grow_old(order.id)
    assert retention.remove(Kept.EVENTS, DAYS, rows=1) == order.seq


def test_an_order_keeps_its_events_until_its_fill_is_final() -> None:
    order = confirmed("landed", awaits_finality=True)
    grow_old(order.id)
    assert [retention.remove(kept, DAYS) for kept in (Kept.EVENTS, Kept.SIGNED_BYTES)] == [0, 0]
    (rolled_back,) = finality.roll_back(finality.awaiting(1))
    (adopted,) = leases.adopt_submitted("worker-b", 15, 10)
    assert (adopted.order.id, adopted.signed_bytes, events(order.id)) == (order.id, b"signed", rolled_back.order.seq)


def test_only_the_bytes_of_a_final_attempt_are_removed() -> None:
    old, young = confirmed("old"), confirmed("young")
    grow_old(old.id)
    before = views.get(DEFAULT_ACCOUNT, str(old.id)).attempts
    assert retention.remove(Kept.SIGNED_BYTES, DAYS) == 1
    assert (bytes_of(old.id), bytes_of(young.id)) == (None, b"signed")
    assert views.get(DEFAULT_ACCOUNT, str(old.id)).attempts == before
    assert retention.remove(Kept.SIGNED_BYTES, DAYS) == 0


def test_failures_have_their_own_retention_time() -> None:
    order = failed()
    grow_old(order.id)
    assert retention.remove(Kept.FAILURES, DAYS) == 1
    detail = views.get(DEFAULT_ACCOUNT, str(order.id))
    assert (detail.failures, len(detail.events), detail.order.error is not None) == ((), order.seq, True)


def test_the_value_of_an_order_is_removed_when_no_allowance_needs_it() -> None:
    database.execute_sql(
        "INSERT INTO api_tokens (id, account_id, name, hash, scopes) VALUES (%s, %s, 'desk', sha256(''), '{trade}')",
        (str(DEFAULT_ACCOUNT), str(DEFAULT_ACCOUNT)),
    )
    orders = [pending(), pending()]
    for order_id in orders:
        values = (str(order_id), str(DEFAULT_ACCOUNT))
        database.execute_sql("INSERT INTO notionals (order_id, token_id, notional) VALUES (%s, %s, 5)", values)
    grow_old(orders[0])
    assert retention.remove(Kept.NOTIONALS, DAYS) == 1
    assert [str(row[0]) for row in database.execute_sql("SELECT order_id FROM notionals")] == [str(orders[1])]


def test_the_value_of_a_resting_order_stays() -> None:
    database.execute_sql(
        "INSERT INTO api_tokens (id, account_id, name, hash, scopes) VALUES (%s, %s, 'desk', sha256(''), '{trade}')",
        (str(DEFAULT_ACCOUNT), str(DEFAULT_ACCOUNT)),
    )
    order_id = pending(kind=OrderKind.LIMIT, limit_price="105", time_in_force=TimeInForce.GTC)
    values = (str(order_id), str(DEFAULT_ACCOUNT))
    database.execute_sql("INSERT INTO notionals (order_id, token_id, notional) VALUES (%s, %s, 5)", values)
    grow_old(order_id)
    assert retention.remove(Kept.NOTIONALS, DAYS) == 0
    journal.apply([Change(order_id, Cancelled(), None, to=OrderStatus.CANCELLED)])
    assert retention.remove(Kept.NOTIONALS, DAYS) == 1


def test_a_clock_set_ahead_does_not_age_data() -> None:
    order = confirmed("landed")
    grow_old(order.id)
    database.execute_sql("UPDATE clock SET moved = 2 * 86400")
    assert retention.remove(Kept.EVENTS, DAYS) == 0
    database.execute_sql("UPDATE clock SET moved = -2 * 86400")
    assert retention.remove(Kept.EVENTS, DAYS) == order.seq


def test_rows_are_removed_in_small_batches_oldest_first() -> None:
    orders = [confirmed(f"landed-{number}") for number in range(3)]
    for number, order in enumerate(orders):
        grow_old(order.id, days=DAYS + 3 - number)
    left = []
    while retention.remove(Kept.EVENTS, DAYS, rows=orders[0].seq):
        left.append([events(order.id) > 0 for order in orders])
    assert left == [[False, True, True], [False, False, True], [False, False, False]]


def test_only_one_process_removes_and_others_do_not_wait(connected: str) -> None:
    order = confirmed("landed")
    grow_old(order.id)
    with closing(psycopg2.connect(connected)) as another, another.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (retention._LOCK,))
        assert retention.remove(Kept.EVENTS, DAYS) == 0
        another.rollback()  # Closing the connection would release the lock only when the server notices.
    assert retention.remove(Kept.EVENTS, DAYS) == order.seq


def test_only_data_with_a_retention_setting_is_removed_and_logged() -> None:
    order = confirmed("landed")
    grow_old(order.id)
    looked: list[bool] = []
    with structlog.testing.capture_logs() as lines:
        assert Retention({}, lambda: looked.append(True)).run_once() == 0
        kept_for_a_week = Retention({Kept.EVENTS: DAYS}, lambda: looked.append(True))
        assert [kept_for_a_week.run_once(), kept_for_a_week.run_once()] == [order.seq, 0]
    assert looked == [True, True], "the clock is checked before data is removed"
    (line,) = lines
    assert (line["action"], line["what"], line["rows"], line["days"]) == ("removed", Kept.EVENTS, order.seq, DAYS)
    assert bytes_of(order.id) == b"signed"


def test_resuming_an_order_whose_events_were_removed_is_reported() -> None:
    order = confirmed("landed")
    grow_old(order.id)
    retention.remove(Kept.EVENTS, DAYS)
    lapses = {
        after: history.snapshots(Selection(DEFAULT_ACCOUNT, {order.id: after}))[0].lapse
        for after in (None, 0, order.seq - 1, order.seq)
    }
    assert lapses == {None: None, 0: "GONE", order.seq - 1: "GONE", order.seq: None}


def test_the_sizes_of_all_tables_are_reported() -> None:
    sizes = retention.table_bytes()
    assert {"orders", "order_events", "attempts", "audit"} <= set(sizes)
    assert all(size > 0 for size in sizes.values())
