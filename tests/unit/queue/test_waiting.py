"""The middleware that lets orders wait: no order starts without permission, whatever fails."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
import redis
from dramatiq import Message
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import SkipMessage
from uuid_utils.compat import uuid7

from orderd.engine.failure import NotStartedError
from orderd.queue.broker import ACTOR, QUEUE
from orderd.queue.in_flight import InFlightCap
from orderd.queue.limiter import Go, RateLimiter, StartSlot
from orderd.queue.rate_limit import RateLimit

ORDER = uuid7()
WAIT = timedelta(minutes=1)
BROKER = cast(Broker, None)


class Limiter:
    """Returns a configured answer."""

    def __init__(self, answer: Go | StartSlot | Exception) -> None:
        self.answer = answer
        self.released: list[Go] = []
        self.forgotten: list[UUID] = []

    def ask(self, _: UUID) -> Go | StartSlot:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def release(self, go: Go) -> None:
        self.released.append(go)

    def forget(self, order_id: UUID) -> None:
        self.forgotten.append(order_id)


class Deferrals(list[tuple[Mapping[UUID, timedelta], str]]):
    def defer(self, waits: Mapping[UUID, timedelta], reason: str) -> Collection[UUID]:
        self.append((waits, reason))
        return waits


def rate_limit(limiter: Limiter, defer: Any, missed: list[UUID] | None = None) -> RateLimit:
    missed = [] if missed is None else missed
    return RateLimit(cast(RateLimiter, limiter), defer, missed.append)


def cap(
    in_flight: Callable[[], int], defer: Any, missed: list[UUID] | None = None, *, patience: float = 0
) -> InFlightCap:
    missed = [] if missed is None else missed
    return InFlightCap(2, in_flight, defer, missed.append, patience=patience)


def message(*more: UUID) -> MessageProxy:
    return MessageProxy(Message(QUEUE, ACTOR, ([*map(str, (ORDER, *more))],), {}, {}))


def postgres_is_down(*_: object) -> None:
    raise RuntimeError("Postgres is down")


class TestRateLimit:
    def test_a_granted_order_proceeds(self) -> None:
        deferrals = Deferrals()
        rate_limit(Limiter(Go("x")), deferrals.defer).before_process_message(BROKER, message())
        assert deferrals == []

    def test_an_order_with_a_slot_waits_for_it(self) -> None:
        deferrals = Deferrals()
        with pytest.raises(SkipMessage):
            rate_limit(Limiter(StartSlot(WAIT)), deferrals.defer).before_process_message(BROKER, message())
        assert deferrals == [({ORDER: WAIT}, "rate limit")]

    def test_orders_of_a_message_are_deferred_together(self) -> None:
        deferrals, other = Deferrals(), uuid7()
        with pytest.raises(SkipMessage):
            rate_limit(Limiter(StartSlot(WAIT)), deferrals.defer).before_process_message(BROKER, message(other))
        assert deferrals == [({ORDER: WAIT, other: WAIT}, "rate limit")]

    def test_an_order_that_no_longer_waits_leaves_the_rate_limits_line(self) -> None:
        limiter = Limiter(StartSlot(WAIT))
        with pytest.raises(SkipMessage):
            rate_limit(limiter, lambda *_: []).before_process_message(BROKER, message())
        assert limiter.forgotten == [ORDER]

    @pytest.mark.parametrize("error", [redis.ConnectionError("gone"), redis.TimeoutError("late"), ValueError("a bug")])
    def test_no_order_starts_when_the_limiter_is_unavailable(self, error: Exception) -> None:
        deferrals = Deferrals()
        with pytest.raises(SkipMessage):
            rate_limit(Limiter(error), deferrals.defer).before_process_message(BROKER, message())
        assert deferrals == [({ORDER: timedelta(seconds=1)}, "rate limit unreachable")]

    @pytest.mark.parametrize("answer", [StartSlot(WAIT), redis.ConnectionError("gone")])
    def test_no_order_starts_when_it_cannot_be_deferred(self, answer: StartSlot | Exception) -> None:
        missed: list[UUID] = []
        with pytest.raises(SkipMessage):
            rate_limit(Limiter(answer), postgres_is_down, missed).before_process_message(BROKER, message())
        assert missed == [ORDER], "dispatch must send the order again"

    def test_an_unused_start_is_returned(self) -> None:
        limiter, received = Limiter(Go("x")), message()
        middleware = rate_limit(limiter, Deferrals().defer)
        middleware.before_process_message(BROKER, received)
        middleware.after_process_message(BROKER, received, result={ORDER: NotStartedError()})
        assert limiter.released == [Go("x")]

    @pytest.mark.parametrize("exception", [None, ValueError("the turn failed")])
    def test_a_used_start_is_not_returned(self, exception: Exception | None) -> None:
        limiter, received = Limiter(Go("x")), message()
        middleware = rate_limit(limiter, Deferrals().defer)
        middleware.before_process_message(BROKER, received)
        middleware.after_process_message(BROKER, received, exception=exception)
        assert limiter.released == []


class TestInFlightCap:
    def test_an_order_below_the_cap_proceeds(self) -> None:
        deferrals = Deferrals()
        cap(lambda: 1, deferrals.defer).before_process_message(BROKER, message())
        assert deferrals == []

    def test_an_order_at_the_cap_waits_for_another_to_end(self) -> None:
        deferrals, counts = Deferrals(), [2, 2, 2, 1, 1]
        cap(lambda: counts.pop(0), deferrals.defer, patience=20).before_process_message(BROKER, message())
        assert (deferrals, counts) == ([], [])

    def test_an_order_is_deferred_when_no_other_ends(self) -> None:
        deferrals = Deferrals()
        with pytest.raises(SkipMessage):
            cap(lambda: 2, deferrals.defer).before_process_message(BROKER, message())
        assert [([*waits], reason) for waits, reason in deferrals] == [([ORDER], "orders in flight")]

    def test_an_order_at_the_cap_does_not_start_when_it_cannot_be_deferred(self) -> None:
        missed: list[UUID] = []
        with pytest.raises(SkipMessage):
            cap(lambda: 2, postgres_is_down, missed).before_process_message(BROKER, message())
        assert missed == [ORDER]
