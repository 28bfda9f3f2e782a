"""Work of dead processes is released at once; live processes keep theirs."""

import pytest

from db import journal, leases, processes
from db.processes import Process
from orderd.domain.order import OrderStatus
from tests.integration.orders import built, claimed, lapse, new_order, pending, read, sign

pytestmark = pytest.mark.usefixtures("connection")

A = Process("worker-a", "here", 1, 100)
B = Process("worker-b", "here", 2, 100)


def test_work_of_a_dead_process_is_released_and_that_of_others_is_not() -> None:
    for process in (A, B):
        processes.beat(process)
    begun, signed, kept = claimed(A.name), sign(built(A.name), "sig").order, claimed(B.name)
    assert processes.release_dead([(A, 0)]) == [A.name]
    assert [order.id for order in leases.orphans(10)] == [begun.id]
    assert [live.order.id for live in leases.adopt_submitted(B.name, 15, 10)] == [signed.id]
    assert (read(kept.id).status, read(kept.id).lease_owner) == (OrderStatus.ROUTING, B.name)
    assert [*processes.known()] == [B]


def test_orders_that_a_dead_process_may_not_have_queued_are_due_at_once() -> None:
    processes.beat(A)
    (accepted,) = journal.accept([new_order()], A.name)
    again = pending()
    lapse(again)
    assert leases.take_due(10, A.name).start == [again]
    assert leases.take_due(10, B.name).start == []
    processes.release_dead([(A, 0)])
    assert leases.take_due(10, B.name).start == sorted([accepted.order.id, again])


def test_a_process_with_a_new_heartbeat_is_not_released() -> None:
    processes.beat(A)
    order = claimed(A.name)
    processes.beat(A)
    assert processes.release_dead([(A, 0)]) == []
    assert read(order.id).lease_owner == A.name
    assert processes.known() == {A: 1}


def test_an_orderly_stop_releases_started_work_and_keeps_queued_messages() -> None:
    processes.beat(A)
    begun, signed = claimed(A.name), sign(built(A.name), "sig").order
    journal.accept([new_order()], A.name)
    assert processes.unregister(A.name) == 2
    assert [order.id for order in leases.orphans(10)] == [begun.id]
    assert [live.order.id for live in leases.adopt_submitted(B.name, 15, 10)] == [signed.id]
    assert leases.take_due(10).start == []
    assert processes.known() == {}


def test_watchers_are_the_processes_that_last_registered_as_such() -> None:
    processes.beat(A, watches=True)
    processes.beat(B)
    assert processes.watching() == {A.name}
    processes.beat(B, watches=True)
    assert processes.watching() == {A.name, B.name}
    processes.beat(A, watches=False)
    assert processes.watching() == {B.name}
    processes.unregister(B.name)
    assert processes.watching() == set()
