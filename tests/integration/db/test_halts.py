"""From the commit of a halt on no signature is stored, whoever was about to; what is signed goes its way."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg2
import pytest

from db import audit, halts, journal
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
    """A connection of somebody else, in a transaction that has not ended."""
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
    """Done by a thread with a connection of its own."""

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
    except ValueError:  # it was not among those that moved
        return False
    return True


def test_while_a_halt_stands_nothing_is_signed_and_once_it_is_lifted_it_is() -> None:
    order = built()
    halt(CAUSE, ME, WHY)
    assert not is_signed(order)
    assert (read(order.id).status, Attempt.select().count()) == (OrderStatus.BUILDING, 0)
    lift(ME, CAUSE)
    assert is_signed(order)


def test_who_was_about_to_store_a_signature_when_it_was_halted_stores_none(connected: str) -> None:
    """The statement has begun, and waits for the lock of the halt, which has not been committed yet."""
    order = built()
    with another(connected) as operator, operator.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (halts._LOCK,))
        cursor.execute("INSERT INTO halts (cause, actor, reason) VALUES ('operator', 'ops', 'why')")
        signing = apart(lambda: is_signed(order))
        wait_until_somebody_waits()
        operator.commit()
        assert signing.result(20) is False
    assert Attempt.select().count() == 0


def test_of_many_that_are_stored_together_none_is(connected: str) -> None:
    """Of two shapes, so in two statements of one transaction."""
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


def test_a_halt_waits_for_those_who_are_storing_signatures(connected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they store is signed before the halt, and stays."""
    monkeypatch.setattr(halts, "_PATIENCE_MS", 60_000)
    with another(connected) as worker:
        assert may_sign(worker)
        halting = apart(lambda: halt(CAUSE, ME, WHY))
        wait_until_somebody_waits()
        assert not halting.done()
        worker.commit()
        halting.result(20)
        assert not may_sign(worker)


def test_a_worker_that_was_stopped_while_it_stored_a_signature_does_not_hold_a_halt_up(connected: str) -> None:
    order_id = pending()
    with another(connected) as stopped, stopped.cursor() as cursor:
        assert may_sign(stopped)
        cursor.execute("UPDATE orders SET venue = 'x' WHERE id = %s", (str(order_id),))
        halt(CAUSE, ME, WHY)
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    assert read(order_id).venue is None
    assert halts.current()


def test_who_shares_the_lock_signs_beside_the_others(connected: str) -> None:
    with another(connected) as one:
        assert may_sign(one)
        assert is_signed(built())


def test_what_is_signed_is_settled_while_it_stands() -> None:
    order = sign(built(), "sig").order
    halt(CAUSE, ME, WHY)
    change = Change(order.id, CONFIRMED, order.version, FILL, attempt_end=AttemptEnd("landed", 9, 1))
    assert [moved.order.status for moved in journal.apply([change])] == [OrderStatus.CONFIRMED]


def test_no_new_order_is_accepted_of_a_client_but_those_of_families_are() -> None:
    halt(CAUSE, ME, WHY)
    assert journal.accept([new_order()], unless_halted=True) == []
    assert len(journal.accept([new_order()])) == 1
    lift(ME, CAUSE)
    assert len(journal.accept([new_order()], unless_halted=True)) == 1


def test_it_is_told_who_halted_when_and_why_and_the_first_word_stands() -> None:
    (first,) = halt(CAUSE, ME, WHY)
    (again,) = halt(CAUSE, Actor("another"), "another reason")
    assert again == first
    assert (first.actor, first.reason, first.cause) == ("ops", WHY, CAUSE)
    assert first.error.code is ErrorCode.SERVICE_HALTED
    assert first.error.detail == f"halted by ops at {first.at:%Y-%m-%d %H:%M:%S} UTC: {WHY}"


def test_who_halted_and_who_lifted_is_in_the_audit() -> None:
    halt(CAUSE, ME, WHY)
    halt(CAUSE, ME, WHY)
    lift(Actor("boss"), CAUSE)
    assert lift(ME, CAUSE) == ()
    rows = [(row.actor, row.action, row.detail) for row in audit.read(Filter(), 10)]
    assert rows == [("ops", "trading.halt", f"operator: {WHY}"), ("boss", "trading.lift", f"operator: {WHY}")]


def test_two_who_halt_at_once_halt_once() -> None:
    begin = threading.Barrier(2)

    def halting() -> object:
        begin.wait(20)
        return halt(CAUSE, ME, WHY)

    one, two = apart(halting), apart(halting)
    assert one.result(20) == two.result(20)
