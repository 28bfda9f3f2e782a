"""A model test of the rate limit: any mix of arrivals, waits, cancels, flushes, crashes and processes."""

from bisect import bisect_right
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from uuid_utils.compat import uuid7

from db.leases import InLine
from orderd.queue.limiter import Go, StartSlot
from tests.integration.queue.virtual_time import GRACE, LAG, WINDOW, VirtualTime, let_scripts_read_the_clock_from_a_key

LIMIT = 4


def most_in_a_window(starts: list[float], window: float) -> int:
    """The maximum number of starts in any half-open window of this length."""
    starts = sorted(starts)
    return max((bisect_right(starts, start) - bisect_right(starts, start - window) for start in starts), default=0)


class RateLimitMachine(RuleBasedStateMachine):
    """Well-behaved orders, orders that vanish, and a Redis that loses data. ``line`` are orders to be served in
    turn."""

    def __init__(self, client: "redis.Redis") -> None:
        super().__init__()
        client.flushall()
        client.script_flush()
        self.client = client
        self.time = VirtualTime(client)
        self.limiters = [self.time.limiter(LIMIT) for _ in range(2)]
        self.due: dict[UUID, datetime] = {}
        self.line: dict[UUID, datetime] = {}
        self.first: set[UUID] = set()

    def place(self, order: UUID) -> tuple[bool, UUID]:
        """The sort key of an order in line: priority orders first, then by age."""
        return (order not in self.first or self.time.now >= self.line.get(order, self.time.now), order)

    def ask(self, order: UUID, process: int) -> None:
        place = self.place(order)
        rank = sum(self.place(other) < place and self.time.now < until for other, until in self.line.items())
        answer = self.limiters[process].ask(order)
        self.due.pop(order, None)
        if isinstance(answer, Go):
            assert rank + self.recent() < LIMIT, "a slot of an older order was used"
            self.line.pop(order, None)
            self.first.discard(order)
            self.time.start(order)
            return
        if place[0]:
            self.first.discard(order)
        assert timedelta(0) < answer.wait <= self.longest_wait(rank)
        self.wait(order, answer)

    def wait(self, order: UUID, slot: StartSlot) -> None:
        self.due[order] = self.time.now + slot.wait
        self.line[order] = self.due[order] + GRACE

    def recent(self) -> int:
        return sum(at > self.time.now - WINDOW - LAG for _, at in self.time.journal)

    @staticmethod
    def longest_wait(rank: int) -> timedelta:
        return (WINDOW + LAG) * (rank // LIMIT + 1)

    @rule(count=st.integers(1, 7), process=st.integers(0, 1), sent=st.booleans())
    def orders_arrive(self, count: int, process: int, sent: bool) -> None:
        orders = [uuid7() for _ in range(count)]
        if sent:
            for command in self.limiters[process].entering(orders):
                self.client.execute_command(*command)  # type: ignore[no-untyped-call]
            self.line |= dict.fromkeys(orders, self.time.now + GRACE)
        for order in orders:
            self.ask(order, process)

    @rule(seconds=st.floats(0.001, 80))
    def time_passes(self, seconds: float) -> None:
        self.time.advance(timedelta(seconds=seconds))

    @precondition(lambda self: self.due)
    @rule(process=st.integers(0, 1), early=st.booleans())
    def the_next_comes_to_its_slot(self, process: int, early: bool) -> None:
        order = min(self.due, key=lambda each: self.due[each])
        if self.due[order] > self.time.now:
            self.time.set(self.due[order] - timedelta(milliseconds=5 * early))
        self.ask(order, process)

    @precondition(lambda self: self.due)
    @rule(data=st.data())
    def one_is_cancelled(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted(self.due)))
        self.limiters[0].forget(order)
        del self.due[order]
        self.line.pop(order, None)

    @precondition(lambda self: self.due)
    @rule(data=st.data())
    def one_goes_first(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted(self.due)))
        self.limiters[0].free([InLine(order, goes_first=True)])
        self.first.add(order)
        self.line[order] = max(self.line.get(order, self.time.now), self.time.now + GRACE)

    @precondition(lambda self: self.due)
    @rule(data=st.data())
    def one_vanishes(self, data: st.DataObject) -> None:
        del self.due[data.draw(st.sampled_from(sorted(self.due)))]

    @rule(process=st.integers(0, 1))
    def a_start_does_not_happen(self, process: int) -> None:
        order = uuid7()
        answer = self.limiters[process].ask(order)
        if isinstance(answer, Go):
            self.limiters[process].release(answer)
        else:
            self.wait(order, answer)

    @rule()
    def redis_is_flushed(self) -> None:
        self.time.flush()
        self.line.clear()
        self.first.clear()

    @rule(forgets=st.integers(0, 3))
    def redis_crashes(self, forgets: int) -> None:
        self.time.restart(forgets)

    @invariant()
    def no_window_holds_more_than_the_limit(self) -> None:
        seconds = [at.timestamp() for _, at in self.time.journal]
        assert most_in_a_window(seconds, WINDOW.total_seconds()) <= LIMIT

    def teardown(self) -> None:
        """No order starves: once every order has come to its slots, every order has started."""
        asked = 0
        while self.due:
            order = min(self.due, key=lambda each: self.due[each])
            self.time.set(max(self.time.now, self.due[order]))
            self.ask(order, 0)
            asked += 1
            assert asked < 2_000


def test_no_sequence_of_events_breaks_the_limit_or_the_line(
    client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    let_scripts_read_the_clock_from_a_key(monkeypatch)
    run_state_machine_as_test(
        cast("type[RateLimitMachine]", lambda: RateLimitMachine(client)),
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
