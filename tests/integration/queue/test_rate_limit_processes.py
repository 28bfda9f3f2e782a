"""250 simultaneous orders with a limit of 100 in three processes: the whole line in real time, with a window of 1 s."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from heapq import heapify, heappop, heappush
from multiprocessing.synchronize import Barrier
from uuid import UUID

from uuid_utils.compat import uuid7

from orderd.queue.broker import OrderBroker, redis_client
from orderd.queue.limiter import Go, RateLimiter
from tests.integration.queue.test_rate_limit_model import most_in_a_window

LIMIT = 100
WINDOW = timedelta(seconds=1)
LAG = timedelta(milliseconds=1)


def limiter(url: str) -> RateLimiter:
    # No order is skipped, however long a busy machine takes to start a process.
    return RateLimiter(redis_client(url), LIMIT, WINDOW, lambda _: [], lag=LAG, grace=timedelta(minutes=2))


def all_ready(barrier: Barrier) -> None:
    """Wait until all processes have started, so that they ask at the same time."""
    barrier.wait(60)


def work_through(url: str, orders: list[UUID]) -> list[tuple[int, UUID]]:
    """Do what a worker does: ask, and come back at the slot. Returns the starts by Redis' clock."""
    asking, starts = limiter(url), []
    due = [(0.0, order) for order in orders]
    heapify(due)
    while due:
        at, order = heappop(due)
        time.sleep(max(0.0, at - time.monotonic()))
        answer = asking.ask(order)
        if isinstance(answer, Go):
            starts.append((int(answer.start.partition(":")[2]), order))
        else:
            heappush(due, (time.monotonic() + answer.wait.total_seconds(), order))
    return starts


def test_no_window_exceeds_the_limit_and_no_order_overtakes_another(redis_url: str) -> None:
    orders = [uuid7() for _ in range(250)]
    OrderBroker(redis_client(redis_url), line=limiter(redis_url)).send(orders)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, spawn, initializer=all_ready, initargs=(spawn.Barrier(3),)) as processes:
        shares = [processes.submit(work_through, redis_url, orders[n::3]) for n in range(3)]
        starts = sorted(start for share in shares for start in share.result(60))
    assert sorted(order for _, order in starts) == orders
    assert most_in_a_window([at / 1e6 for at, _ in starts], WINDOW.total_seconds()) <= LIMIT
    kept = (WINDOW + LAG) // timedelta(microseconds=1)
    waiting = set(orders)
    for number, (at, order) in enumerate(starts):
        recent = sum(at - kept < earlier for earlier, _ in starts[:number])
        older = sum(each < order for each in waiting)
        assert recent + older < LIMIT, "a slot of an older order was used"
        waiting.remove(order)
