"""Idle threads wait for a message, and stop at once."""

import threading
from queue import Empty

import pytest
from dramatiq.brokers.stub import StubBroker

from orderd.queue.turn_threads import TurnWorker, WorkQueue

PATIENCE = 20


def test_a_wait_ends_only_with_a_message() -> None:
    queue, got = WorkQueue(), []
    waits = threading.Thread(target=lambda: got.append(queue.get(timeout=0.0)))
    waits.start()
    queue.put(7)
    waits.join(PATIENCE)
    assert got == [7]


def test_the_first_message_in_order_is_next() -> None:
    queue = WorkQueue()
    for number in (2, 1, 3):
        queue.put(number)
    assert [queue.get() for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Empty):
        queue.get(block=False)


def test_a_closed_queue_ends_all_waits_but_keeps_its_messages() -> None:
    queue, ended = WorkQueue(), []

    def wait() -> None:
        with pytest.raises(Empty):
            queue.get()
        ended.append(True)

    waits = [threading.Thread(target=wait) for _ in range(3)]
    for each in waits:
        each.start()
    queue.close()
    for each in waits:
        each.join(PATIENCE)
    assert ended == [True] * 3
    queue.put(7)
    assert queue.get() == 7


def test_an_idle_worker_stops_without_waiting_for_its_interval() -> None:
    broker = StubBroker(middleware=[])
    worker = TurnWorker(broker, threads=3, poll_ms=3_600_000)
    worker.start()
    worker.stop(PATIENCE * 1000)
    assert not any(thread.is_alive() for thread in worker.workers)
