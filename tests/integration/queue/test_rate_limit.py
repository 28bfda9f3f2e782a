"""The rate limit, in virtual time on a real Redis."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
import redis
from uuid_utils.compat import uuid7

from db.leases import InLine
from orderd.queue.limiter import Go, RateLimiter, StartSlot
from tests.integration.queue.virtual_time import (
    EPOCH,
    GRACE,
    LAG,
    WINDOW,
    VirtualTime,
    let_scripts_read_the_clock_from_a_key,
    read_clock,
)

KEPT = WINDOW + LAG
SECOND = timedelta(seconds=1)


@pytest.fixture
def time(client: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    let_scripts_read_the_clock_from_a_key(monkeypatch)
    return VirtualTime(client)


@pytest.fixture
def limiter(time: VirtualTime) -> RateLimiter:
    """Three starts per minute, none of them used."""
    limiter = time.limiter(3)
    limiter.prepare()
    time.advance(LAG)
    limiter.prepare()
    return limiter


def orders(count: int) -> list[UUID]:
    return [uuid7() for _ in range(count)]


def in_line(waiting: list[UUID], *, goes_first: bool = False) -> list[InLine]:
    return [InLine(order, goes_first) for order in waiting]


def ask_all(limiter: RateLimiter, asking: list[UUID]) -> list[UUID]:
    return [order for order in asking if isinstance(limiter.ask(order), Go)]


def slot_of(limiter: RateLimiter, order: UUID) -> datetime:
    answer = limiter.ask(order)
    assert isinstance(answer, StartSlot)
    return read_clock(limiter._redis) + answer.wait


def enter(limiter: RateLimiter, order_ids: Sequence[UUID]) -> None:
    for command in limiter.entering(order_ids):
        limiter._redis.execute_command(*command)  # type: ignore[no-untyped-call]


def test_orders_within_the_limit_start_at_once(limiter: RateLimiter) -> None:
    asking = orders(5)
    assert ask_all(limiter, asking) == asking[:3]
    assert limiter.use() == (3, 2)


def test_a_start_leaves_the_window_to_the_microsecond(limiter: RateLimiter, time: VirtualTime) -> None:
    first, second, third, late = orders(4)
    began = time.now
    ask_all(limiter, [first])
    time.advance(SECOND)
    ask_all(limiter, [second, third])
    assert slot_of(limiter, late) == began + KEPT
    time.set(began + KEPT - timedelta(microseconds=1))
    assert slot_of(limiter, late) == began + KEPT
    time.set(began + KEPT)
    assert isinstance(limiter.ask(late), Go)


def test_each_waiting_order_gets_its_own_slot(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    for order in orders(3):
        limiter.ask(order)
        time.advance(SECOND)
    slots = [slot_of(limiter, order) - began for order in orders(7)]
    turns = [KEPT, KEPT + SECOND, KEPT + 2 * SECOND]
    assert slots == [*turns, *(KEPT + turn for turn in turns), 2 * KEPT + turns[0]]


def test_a_later_order_does_not_start_before_a_waiting_one(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    waiting, late = orders(5), uuid7()
    assert ask_all(limiter, waiting) == waiting[:3]
    time.set(began + KEPT)
    # Three slots are free, two of them belong to waiting orders.
    assert isinstance(limiter.ask(late), Go)
    assert isinstance(slot_of(limiter, uuid7()), datetime)
    assert ask_all(limiter, waiting[3:]) == waiting[3:]


def test_orders_have_their_place_in_line_from_submission(limiter: RateLimiter, client: "redis.Redis") -> None:
    sent = orders(5)
    enter(limiter, sent)
    assert ask_all(limiter, sent[::-1]) == sent[:3][::-1]


def test_asking_again_keeps_the_place_in_line(limiter: RateLimiter) -> None:
    ask_all(limiter, orders(3))
    first, second = orders(2)
    slots = [slot_of(limiter, order) for order in (first, second, first, second)]
    assert slots[:2] == slots[2:]
    assert limiter.use() == (3, 2)


def test_an_unused_start_is_returned(limiter: RateLimiter) -> None:
    answers = [limiter.ask(order) for order in orders(3)]
    assert isinstance(answers[1], Go)
    limiter.release(answers[1])
    assert ask_all(limiter, orders(2)) != []
    assert limiter.use() == (3, 1)


def test_a_cancelled_order_leaves_the_line(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    ask_all(limiter, orders(3))
    cancelled, behind = orders(2)
    slot_of(limiter, cancelled)
    limiter.forget(cancelled)
    assert slot_of(limiter, behind) == began + KEPT
    assert limiter.use() == (3, 1)


def test_an_order_that_misses_its_slot_delays_the_line_by_the_grace_period_at_most(
    limiter: RateLimiter, time: VirtualTime
) -> None:
    began = time.now
    ask_all(limiter, orders(3))
    lost, present = orders(4)[:3], uuid7()
    for order in lost:
        slot_of(limiter, order)
    time.set(began + KEPT + GRACE - timedelta(microseconds=1))
    slot_of(limiter, present)
    time.set(began + KEPT + GRACE)
    assert isinstance(limiter.ask(present), Go)
    assert isinstance(limiter.ask(lost[0]), Go), "an order that comes late is still served"


def test_the_number_of_free_starts_reserves_them_for_the_first_in_line(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    started, *waiting = orders(4)
    ask_all(limiter, [started])
    assert limiter.free(in_line(waiting[:2])) == 2
    assert isinstance(slot_of(limiter, uuid7()), datetime), "the two first orders keep their places without asking"
    assert ask_all(limiter, waiting[:2]) == waiting[:2]
    assert limiter.free(in_line(waiting[2:])) == 0
    time.set(began + KEPT)
    assert limiter.free(in_line(waiting[2:])) == 3


def test_a_priority_order_starts_before_older_orders(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    first, *later, older, stop = orders(5)
    ask_all(limiter, [first])
    time.advance(SECOND)
    ask_all(limiter, [*later, older, stop])
    assert limiter.free(in_line([stop], goes_first=True)) == 0
    enter(limiter, [stop])
    assert limiter.use() == (3, 2), "the order is in line twice"
    time.set(began + KEPT)
    assert limiter.free(in_line([stop], goes_first=True)) == 1
    assert ask_all(limiter, [older, stop]) == [stop]
    time.set(began + KEPT + SECOND)
    assert ask_all(limiter, [older]) == [older]


def test_a_cancelled_priority_order_delays_no_other_order(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    *_, stop = asking = orders(4)
    ask_all(limiter, asking)
    limiter.free(in_line([stop], goes_first=True))
    limiter.forget(stop)
    assert limiter.use() == (3, 0)
    time.set(began + KEPT)
    assert len(ask_all(limiter, orders(3))) == 3


def test_a_just_started_order_is_not_put_in_line_again(limiter: RateLimiter) -> None:
    """The first in line are read from Postgres, which may not have the start yet."""
    started, late = orders(2)
    ask_all(limiter, [started])
    limiter.free(in_line([started]))
    assert limiter.use() == (1, 0)
    assert isinstance(limiter.ask(late), Go)


def test_a_retried_order_starts_before_younger_ones(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    retried, *others = orders(4)
    ask_all(limiter, [retried, *others])
    assert slot_of(limiter, retried) == began + KEPT, "the first start did not count"
    time.set(began + KEPT)
    assert ask_all(limiter, orders(5))[:2] != []
    assert isinstance(limiter.ask(retried), Go)


def test_a_lowered_limit_applies_at_once(limiter: RateLimiter, time: VirtualTime) -> None:
    began = time.now
    for order in orders(3):
        limiter.ask(order)
        time.advance(SECOND)
    lowered = time.limiter(1)
    first, second = orders(2)
    assert slot_of(lowered, first) == began + KEPT + 2 * SECOND
    assert slot_of(lowered, second) == began + 2 * KEPT + 2 * SECOND


def test_a_limit_of_zero_allows_every_start_and_stores_nothing(time: VirtualTime, client: "redis.Redis") -> None:
    unlimited = time.limiter(0)
    order = uuid7()
    answer = unlimited.ask(order)
    assert isinstance(answer, Go)
    unlimited.release(answer)
    unlimited.forget(order)
    enter(unlimited, [order])
    assert client.keys("orderd:rate:*") == []


class TestLostRedis:
    def test_a_prepared_limit_grants_starts_at_once(self, limiter: RateLimiter) -> None:
        assert isinstance(limiter.ask(uuid7()), Go)
        assert limiter.use() == (1, 0)

    def test_the_first_start_on_an_empty_redis_waits_for_the_journal(self, time: VirtualTime) -> None:
        limiter, order = time.limiter(3), uuid7()
        time.journal = [(uuid7(), EPOCH - timedelta(seconds=age)) for age in (70, 10, 5, 1)]
        assert slot_of(limiter, order) == EPOCH + LAG
        time.advance(LAG)
        assert slot_of(limiter, order) == EPOCH - 10 * SECOND + KEPT
        assert limiter.use() == (3, 1)

    def test_the_preparing_call_waits_for_the_journal(self, time: VirtualTime, monkeypatch: pytest.MonkeyPatch) -> None:
        # Only this module's sleep is patched: threads of other tests use the real one.
        clock = SimpleNamespace(sleep=lambda lag: time.advance(timedelta(seconds=lag)))
        monkeypatch.setattr("orderd.queue.limiter.time", clock)
        limiter = time.limiter(3)
        limiter.prepare(wait=True)
        assert time.now == EPOCH + LAG
        assert isinstance(limiter.ask(uuid7()), Go)

    def test_a_flush_does_not_allow_additional_starts(self, limiter: RateLimiter, time: VirtualTime) -> None:
        began = time.now
        for order in orders(3):
            assert isinstance(limiter.ask(order), Go)
            time.start(order)
        time.flush()
        order = uuid7()
        assert slot_of(limiter, order) == began + LAG
        time.advance(LAG)
        assert slot_of(limiter, order) == began + KEPT

    def test_a_start_that_reaches_the_journal_after_the_flush_counts(
        self, limiter: RateLimiter, time: VirtualTime
    ) -> None:
        granted = orders(3)
        assert ask_all(limiter, granted) == granted
        time.flush()
        slot_of(limiter, uuid7())
        for order in granted:
            time.start(order)
        time.advance(LAG)
        assert isinstance(limiter.ask(uuid7()), StartSlot)
        assert limiter.use()[0] == 3

    def test_a_restart_that_lost_the_last_starts_is_detected(self, limiter: RateLimiter, time: VirtualTime) -> None:
        for order in orders(3):
            assert isinstance(limiter.ask(order), Go)
            time.start(order)
        time.restart(forgets=2)
        assert isinstance(limiter.ask(uuid7()), StartSlot)
        time.advance(LAG)
        assert isinstance(limiter.ask(uuid7()), StartSlot)
        assert limiter.use()[0] == 3

    def test_starts_read_before_another_flush_are_discarded(
        self, limiter: RateLimiter, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The slower of two processes must not declare its outdated reading complete."""
        time.flush()
        opener, *others = orders(3)
        slot_of(limiter, opener)
        time.advance(LAG)
        slow, real = time.limiter(3), limiter._recent_starts

        def overtaken(seconds: float) -> list[tuple[UUID, timedelta]]:
            read = list(real(seconds))
            monkeypatch.setattr(slow, "_recent_starts", real)
            for order in (opener, *others):
                assert isinstance(limiter.ask(order), Go)
                time.start(order)
            time.flush()
            slot_of(limiter, uuid7())
            return read

        monkeypatch.setattr(slow, "_recent_starts", overtaken)
        assert slot_of(slow, uuid7()) == time.now + LAG
        time.advance(LAG)
        assert isinstance(slow.ask(uuid7()), StartSlot)
        assert slow.use()[0] == 3


def test_forgetting_an_order_works_while_redis_is_unavailable() -> None:
    dead = redis.Redis(unix_socket_path="/nonexistent", retry=None)  # type: ignore[arg-type]
    limiter = RateLimiter(dead, 3, WINDOW, lambda _: [])
    limiter.forget(uuid7())
    with pytest.raises(redis.ConnectionError):
        limiter.ask(uuid7())


HOUR = timedelta(hours=1)


@pytest.mark.parametrize("by", [-HOUR, HOUR], ids=["back", "ahead"])
class TestSetClock:
    """Redis' clock is set; every wait keeps its length."""

    def test_the_window_keeps_its_remaining_time(self, limiter: RateLimiter, time: VirtualTime, by: timedelta) -> None:
        first, *others, late = orders(4)
        ask_all(limiter, [first])
        time.advance(SECOND)
        ask_all(limiter, others)
        time.set_clock(by)
        assert slot_of(limiter, late) == time.now + KEPT - SECOND
        assert limiter.use() == (3, 1)
        time.advance(KEPT - SECOND)
        assert isinstance(limiter.ask(late), Go)

    def test_the_line_keeps_its_order_after_a_jump(
        self, limiter: RateLimiter, time: VirtualTime, by: timedelta
    ) -> None:
        began = ask_all(limiter, orders(3))
        assert len(began) == 3
        first, second = orders(2)
        slots = slot_of(limiter, first) + by
        time.set_clock(by)
        assert slot_of(limiter, second) == slots
        assert limiter.use()[1] == 2

    def test_an_order_that_misses_its_slot_is_skipped_after_a_jump(
        self, limiter: RateLimiter, time: VirtualTime, by: timedelta
    ) -> None:
        ask_all(limiter, orders(3))
        slot_of(limiter, uuid7())
        time.set_clock(by)
        limiter.prepare()
        time.advance(KEPT + GRACE + SECOND)
        assert limiter.use() == (0, 0)

    def test_the_wait_for_the_journal_keeps_its_length(
        self, limiter: RateLimiter, time: VirtualTime, by: timedelta
    ) -> None:
        time.flush()
        limiter.prepare()
        time.set_clock(by)
        limiter.prepare()
        time.advance(LAG)
        assert isinstance(limiter.ask(uuid7()), Go)

    def test_only_one_worker_moves_the_times(self, limiter: RateLimiter, time: VirtualTime, by: timedelta) -> None:
        other = time.limiter(3)
        other.prepare()
        ask_all(limiter, orders(3))
        time.set_clock(by)
        for each in (limiter, other, limiter, other):
            each.prepare()
        assert slot_of(other, uuid7()) == time.now + KEPT


def test_a_dead_worker_is_not_shown_after_a_jump(
    limiter: RateLimiter, client: "redis.Redis", time: VirtualTime
) -> None:
    """Redis expires keys by its own clock as well; the test adds the hour to the key's expiry."""
    client.set("orderd:worker:gone", 1, ex=HOUR + timedelta(seconds=5))
    time.set_clock(-HOUR)
    limiter.prepare()
    assert 0 < client.pttl("orderd:worker:gone") <= 5_000
