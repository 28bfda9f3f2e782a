"""After the commit of a halt no process stores a signature; signed orders are settled."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg2
import pytest

from db import audit, halts, journal, restoring
from db.audit import Actor, Filter
from db.connection import database
from db.halts import halt, lift
from db.journal import AttemptEnd, Change
from db.models import Attempt, Order
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Submitted
from orderd.domain.halt import HaltCause
from orderd.domain.order import OrderStatus
from tests.integration.orders import FILL, built, new_order, pending, read, sign
from tests.samples.orders import FILL as CONFIRMED

pytestmark = pytest.mark.usefixtures("connection")

ME = Actor("ops")
WHY = "prices look wrong"
CAUSE = HaltCause.OPERATOR


@contextmanager
def another(url: str) -> "Iterator[psycopg2.extensions.connection]":
    """A connection of another session, in an open transaction."""
    other = psycopg2.connect(url)
    try:
        yield other
    finally:
        other.close()


def may_sign(other: "psycopg2.extensions.connection") -> bool:
    with other.cursor() as cursor:
        cursor.execute("SELECT may_sign()")
        return cursor.fetchone() == (True,)


def wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not database.execute_sql(waiting).fetchone()[0]:
        pass


def apart(work: Callable[[], object]) -> "Future[object]":
    """Run ``work`` in a thread with its own connection."""

    def connected() -> object:
        with database.connection_context():
            return work()

    pool = ThreadPoolExecutor(1)
    done = pool.submit(connected)
    pool.shutdown(wait=False)
    return done


def is_signed(order: Order) -> bool:
    try:
        sign(order, "sig")
    except ValueError:  # it was not among the changed orders
        return False
    return True


def test_nothing_is_signed_on_a_new_timeline_of_the_log() -> None:
    """Between the promotion of a standby and the halt that follows, not even one signature is stored."""
    order = built("worker-a")
    database.execute_sql("UPDATE installation SET timeline = '00000000'")
    with pytest.raises(ValueError, match="not enough values"):
        sign(order, "sig")
    assert Attempt.select().count() == 0
    restoring.begin_if_older()
    lift(ME, *HaltCause)
    sign(order, "sig")
    assert Attempt.select().count() == 1


def test_nothing_is_signed_during_a_halt_and_signing_resumes_after_it() -> None:
    order = built()
    halt(CAUSE, ME, WHY)
    assert not is_signed(order)
    assert (read(order.id).status, Attempt.select().count()) == (OrderStatus.BUILDING, 0)
    lift(ME, CAUSE)
    assert is_signed(order)


def test_a_signature_in_progress_is_refused_by_a_concurrent_halt(connected: str) -> None:
    """The statement waits for the lock of the halt, which has not been committed yet."""
    order = built()
    with another(connected) as operator, operator.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (halts._LOCK,))
        cursor.execute("INSERT INTO halts (cause, actor, reason) VALUES ('operator', 'ops', 'why')")
        signing = apart(lambda: is_signed(order))
        wait_until_somebody_waits()
        operator.commit()
        assert signing.result(20) is False
    assert Attempt.select().count() == 0


def test_a_batch_of_signatures_is_refused_by_a_concurrent_halt(connected: str) -> None:
    """The batch has two shapes, hence two statements in one transaction."""
    orders = [built() for _ in range(4)]
    halt(CAUSE, ME, WHY)
    changes = [
        Change(
            order.id,
            Submitted(attempt=1, signature=f"sig {number}", last_valid_block_height=150),
            order.version,
            {"signature": f"sig {number}"} | ({"quoted_amount_out": 1} if number % 2 else {}),
            new_attempt=journal.NewAttempt(1, f"sig {number}", b"signed", 150, "meteora", "pool", 1, 8),
        )
        for number, order in enumerate(orders)
    ]
    assert journal.apply(changes) == []
    assert Attempt.select().count() == 0


def test_a_halt_waits_for_signatures_that_are_being_stored(connected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """These signatures precede the halt, and stay."""
    monkeypatch.setattr(halts, "_PATIENCE_MS", 60_000)
    with another(connected) as worker:
        assert may_sign(worker)
        halting = apart(lambda: halt(CAUSE, ME, WHY))
        wait_until_somebody_waits()
        assert not halting.done()
        worker.commit()
        halting.result(20)
        assert not may_sign(worker)


def test_a_worker_suspended_while_storing_a_signature_does_not_block_a_halt(connected: str) -> None:
    order_id = pending()
    with another(connected) as stopped, stopped.cursor() as cursor:
        assert may_sign(stopped)
        cursor.execute("UPDATE orders SET venue = 'x' WHERE id = %s", (str(order_id),))
        halt(CAUSE, ME, WHY)
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    assert read(order_id).venue is None
    assert halts.current()


def test_concurrent_signatures_share_the_lock(connected: str) -> None:
    with another(connected) as one:
        assert may_sign(one)
        assert is_signed(built())


def test_signed_orders_are_settled_during_a_halt() -> None:
    order = sign(built(), "sig").order
    halt(CAUSE, ME, WHY)
    change = Change(order.id, CONFIRMED, order.version, FILL, attempt_end=AttemptEnd("landed", 9, 1))
    assert [moved.order.status for moved in journal.apply([change])] == [OrderStatus.CONFIRMED]


def test_clients_orders_are_refused_and_children_are_created_during_a_halt() -> None:
    halt(CAUSE, ME, WHY)
    assert journal.accept([new_order()], unless_halted=True) == []
    assert len(journal.accept([new_order()])) == 1
    lift(ME, CAUSE)
    assert len(journal.accept([new_order()], unless_halted=True)) == 1


def test_a_halt_keeps_its_first_actor_time_and_reason() -> None:
    (first,) = halt(CAUSE, ME, WHY)
    (again,) = halt(CAUSE, Actor("another"), "another reason")
    assert again == first
    assert (first.actor, first.reason, first.cause) == ("ops", WHY, CAUSE)
    assert first.error.code is ErrorCode.SERVICE_HALTED
    assert first.error.detail == f"halted by ops at {first.at:%Y-%m-%d %H:%M:%S} UTC: {WHY}"


def test_a_halt_and_its_lift_are_in_the_audit_log() -> None:
    halt(CAUSE, ME, WHY)
    halt(CAUSE, ME, WHY)
    lift(Actor("boss"), CAUSE)
    assert lift(ME, CAUSE) == ()
    rows = [(row.actor, row.action, row.detail) for row in audit.read(Filter(), 10)]
    assert rows == [("ops", "trading.halt", f"operator: {WHY}"), ("boss", "trading.lift", f"operator: {WHY}")]


def test_concurrent_halts_create_one_halt() -> None:
    begin = threading.Barrier(2)

    def halting() -> object:
        begin.wait(20)
        return halt(CAUSE, ME, WHY)

    one, two = apart(halting), apart(halting)
    assert one.result(20) == two.result(20)
