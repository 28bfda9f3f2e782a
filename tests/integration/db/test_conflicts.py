"""Transactions on several orders lock them in one order, and are retried when Postgres aborts them because of
others."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import psycopg2
import pytest
from peewee import OperationalError

from db import journal, leases, processes
from db.connection import database, transaction
from db.journal import Change
from db.models import Order
from db.processes import Process
from orderd.domain.events import Cancelled, Reclaimed
from tests.integration.orders import claimed, new_order, pending, read

pytestmark = pytest.mark.usefixtures("connection")


@contextmanager
def locked(url: str, order_id: UUID) -> "Iterator[psycopg2.extensions.connection]":
    """Another session that has written to this order and has not committed."""
    other = psycopg2.connect(url)
    try:
        other.cursor().execute("UPDATE orders SET venue = venue WHERE id = %s", (str(order_id),))
        yield other
        other.rollback()
    finally:
        other.close()


def is_free(url: str, order_id: UUID) -> bool:
    other = psycopg2.connect(url)
    try:
        other.cursor().execute("SELECT FROM orders WHERE id = %s FOR NO KEY UPDATE NOWAIT", (str(order_id),))
    except psycopg2.errors.LockNotAvailable:
        return False
    finally:
        other.close()
    return True


def wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"  # no other test uses this server
    while not database.execute_sql(waiting).fetchone()[0]:
        pass


@pytest.fixture
def url(connected: str) -> str:
    return connected


def in_a_thread(call: Callable[[], object]) -> object:
    with database.connection_context():
        return call()


def write(orders: Sequence[Order]) -> object:
    return journal.apply([Change(order.id, Reclaimed(), order.version) for order in orders])


def write_two_shapes(orders: Sequence[Order]) -> object:
    first, second = orders
    return journal.apply(
        [
            Change(first.id, Reclaimed(), first.version),
            Change(second.id, Cancelled(), second.version),
        ]
    )


def give_back(orders: Sequence[Order]) -> None:
    leases.give_back([order.id for order in orders])


def claim(orders: Sequence[Order]) -> object:
    return journal.claim([order.id for order in orders], "worker-b", 15)


def bury(orders: Sequence[Order]) -> object:
    processes.beat(Process("worker-a", "here", 1, 1))
    return processes.release_dead([(Process("worker-a", "here", 1, 1), 0)])


@pytest.mark.parametrize("writes", [write, write_two_shapes, give_back, claim, bury])
def test_several_orders_are_locked_in_the_order_of_their_ids(
    url: str, writes: Callable[[Sequence[Order]], object]
) -> None:
    begun = writes in (write, write_two_shapes, bury)
    lowest, highest = sorted([claimed(), claimed()] if begun else [read(pending()), read(pending())], key=_id)
    with ThreadPoolExecutor(1) as thread:
        with locked(url, lowest.id):
            writing: Future[object] = thread.submit(in_a_thread, lambda: writes([highest, lowest]))
            wait_until_somebody_waits()
            assert is_free(url, highest.id)
        writing.result()


def _id(order: Order) -> UUID:
    return order.id


def test_a_renewal_of_leases_does_not_wait_for_locks(url: str) -> None:
    busy, idle = claimed("worker-a", lease_seconds=0), claimed("worker-a", lease_seconds=0)
    with locked(url, busy.id):
        assert leases.renew("worker-a", [busy.id, idle.id], 60) == 1
    assert [order.id for order in leases.orphans(10)] == [busy.id]


def test_concurrent_inserts_of_the_same_orders_do_not_deadlock() -> None:
    orders = [new_order(name) for name in ("first", "second")]
    with ThreadPoolExecutor(1) as thread:
        with database.atomic():
            journal.accept(orders[:1])
            storing = thread.submit(in_a_thread, lambda: journal.accept([new_order("second"), new_order("first")]))
            wait_until_somebody_waits()
            database.execute_sql("SET LOCAL lock_timeout = 100")
            journal.accept(orders[1:])  # an insert in another order would wait while it holds a lock
        assert storing.result() == []


class Stumble:
    """Makes the next inserts of orders fail as if Postgres had aborted them because of another transaction."""

    def __init__(self) -> None:
        database.execute_sql(
            """
            CREATE SEQUENCE stumbles;
            CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('stumbles') <= current_setting('stumble.times')::int THEN
                    RAISE EXCEPTION USING ERRCODE = current_setting('stumble.code');
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER stumble BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stumble()"""
        )

    def next(self, times: int, code: str) -> None:
        database.execute_sql(
            "SELECT setval('stumbles', 1, false), set_config('stumble.times', %s, false),"
            " set_config('stumble.code', %s, false)",
            (str(times), code),
        )


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_an_aborted_transaction_is_retried(code: str) -> None:
    stumble = Stumble()
    stumble.next(3, code)
    assert len(journal.accept([new_order()])) == 1


def test_a_transaction_is_retried_as_a_whole() -> None:
    stumble = Stumble()
    began = []

    @transaction
    def two_orders() -> None:
        began.append(threading.get_ident())
        stored = pending()
        assert read(stored).status == "pending"
        pending()

    stumble.next(2, "40P01")
    two_orders()
    assert len(began) == 3
    assert Order.select().count() == 2


def test_other_database_errors_are_not_retried() -> None:
    stumble = Stumble()
    stumble.next(1, "53100")  # disk_full
    with pytest.raises(OperationalError):
        journal.accept([new_order()])
    assert Order.select().count() == 0


def test_endless_conflicts_are_reported() -> None:
    stumble = Stumble()
    stumble.next(1_000, "40P01")
    with pytest.raises(OperationalError):
        journal.accept([new_order()])
