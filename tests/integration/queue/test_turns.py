"""Messages, turns and what follows them: queue, rate limit and retries together, on real Redis and Postgres."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from queue import SimpleQueue
from uuid import UUID

import pytest
import redis
from dramatiq import Worker
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware, TimeLimit
from peewee import InternalError, OperationalError
from uuid_utils.compat import uuid7

from db import journal
from db.connection import database
from db.journal import Change, recent_starts
from db.models import Order, OrderFailure
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Deferred, Routed
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine import views
from orderd.engine.dispatch import Dispatch
from orderd.engine.failure import AttemptFailedError, Failures, LeaseLostError, NotStartedError
from orderd.engine.publish import Publisher
from orderd.queue.actors import declare_actor
from orderd.queue.broker import OrderBroker, orders_of
from orderd.queue.halt_first import HaltFirst
from orderd.queue.limiter import Go, RateLimiter, StartSlot
from orderd.queue.look_first import LookFirst
from orderd.queue.rate_limit import RateLimit
from orderd.queue.retry import Retry
from tests.integration.orders import new_order, read, sign
from tests.integration.queue.conftest import send_apart
from tests.samples.orders import METEORA as QUOTED

PATIENCE = 20
OWNER = "worker-under-test"


class Finished(Middleware):
    """The first middleware: says which orders came with a message once that is done with, also those that wait."""

    def __init__(self) -> None:
        self.orders: SimpleQueue[UUID] = SimpleQueue()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        message.options["came"] = orders_of(message)

    def after_ack(self, broker: Broker, message: MessageProxy) -> None:
        for order_id in message.options["came"]:
            self.orders.put(order_id)


class Turns:
    """A worker whose turns are the test's own."""

    def __init__(
        self, client: "redis.Redis", limit: int, window: timedelta, first: Sequence[Middleware], *more: Middleware
    ) -> None:
        publisher = Publisher(client)
        self.limiter = RateLimiter(client, limit, window, lambda _: [], lag=timedelta(milliseconds=1))
        self.broker = OrderBroker(client, line=self.limiter)
        self.dispatch = Dispatch(publisher, self.broker.send, self.broker.depth, OWNER, self.limiter)
        self.finished = Finished()
        self.begin: Callable[[], None] = lambda: None
        self.work: Callable[[Order], None] = lambda _: None
        retry = Retry(Failures(RetryPolicy(base_ms=60_000), publisher), OWNER, self.dispatch.missed)
        for middleware in (
            self.finished,
            *first,
            RateLimit(self.limiter, self.dispatch.defer, self.dispatch.missed),
            retry,
            *more,
        ):
            self.broker.add_middleware(middleware)
        declare_actor(self.broker, self.turn)
        self.broker.emit_after("process_boot")
        self._worker = Worker(self.broker, worker_threads=4, worker_timeout=20)

    def turn(self, order_ids: Sequence[UUID]) -> Mapping[UUID, Exception]:
        """Where the test's work raises what a turn keeps of one order, it is that order's; all else ends the turn."""
        self.begin()
        kept: dict[UUID, Exception] = {}
        with database.connection_context():
            claimed = journal.claim(order_ids, OWNER, 15.0)
            for order_id in set(order_ids) - {moved.order.id for moved in claimed}:
                kept[order_id] = NotStartedError("not to be had")
            for moved in claimed:
                try:
                    self.work(moved.order)
                except (AttemptFailedError, LeaseLostError) as error:
                    kept[moved.order.id] = error
        return kept

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        self._worker.stop(timeout=10_000)

    def finish(self, order_id: UUID) -> Order:
        """Send an order and return it as it stands when its message is done with."""
        self.broker.send([order_id])
        assert self.finished.orders.get(timeout=PATIENCE) == order_id
        return read(order_id)


@pytest.fixture(autouse=True)
def connection(connected: str) -> Iterator[None]:
    database.connect()
    yield
    database.close()


StartTurns = Callable[..., Turns]


@pytest.fixture
def start_turns(client: "redis.Redis") -> Iterator[StartTurns]:
    started: list[Turns] = []

    def start(
        *more: Middleware,
        first: Sequence[Middleware] = (),
        limit: int = 0,
        window: timedelta = timedelta(seconds=60),
    ) -> Turns:
        turns = Turns(client, limit, window, first, *more)
        started.append(turns)
        turns.start()
        return turns

    yield start
    for turns in started:
        turns.stop()


def pending() -> UUID:
    (moved,) = journal.accept([new_order()])
    return moved.order.id


def failure_codes(order_id: UUID) -> list[str]:
    return [row.code for row in OrderFailure.select().where(OrderFailure.order_id == order_id)]


def test_a_failed_attempt_is_recorded_and_the_next_one_scheduled(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        error = OrderdError(ErrorCode.TX_FAILED, "the program said no")
        raise AttemptFailedError(order, error)

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures) == (OrderStatus.PENDING, 1)
    assert failure_codes(order.id) == [ErrorCode.TX_FAILED]
    assert turns.dispatch.run_once() == 0, "it waits for its backoff"


def test_who_finds_a_service_away_waits_and_has_used_up_neither_an_attempt_nor_a_start(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        raise AttemptFailedError(order, OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused"))

    turns = start_turns(limit=1)
    turns.limiter.prepare(wait=True)
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures, order.waits_for) == (OrderStatus.PENDING, 0, ErrorCode.RPC_UNAVAILABLE)
    deferred = views.events_after(order.id, 2)[-1].data
    assert isinstance(deferred, Deferred)
    assert (deferred.code, deferred.detail, deferred.until) == (
        ErrorCode.RPC_UNAVAILABLE,
        "connection refused",
        order.due_at,
    )
    assert failure_codes(order.id) == []
    assert turns.limiter.use() == (0, 0), "the start is given back"
    assert recent_starts(60) == []


def test_what_comes_out_of_the_queue_while_trading_is_halted_waits_and_uses_up_no_start(
    start_turns: StartTurns,
) -> None:
    halted = OrderdError(ErrorCode.SERVICE_HALTED, "halted by ops")

    def defer(order_id: UUID, wait: timedelta, error: OrderdError) -> object:
        return turns.dispatch.defer(order_id, wait, error)

    turns = start_turns(first=[HaltFirst(lambda: halted, defer, lambda _: None)], limit=1)
    turns.limiter.prepare(wait=True)
    order = turns.finish(pending())
    assert (order.status, order.starts, order.waits_for) == (OrderStatus.PENDING, 0, ErrorCode.SERVICE_HALTED)
    assert turns.limiter.use() == (0, 1), "it keeps its place in line, and has no start"


def test_an_order_that_cannot_be_told_of_a_halt_is_taken_up_again(start_turns: StartTurns) -> None:
    missed: list[UUID] = []

    def fail(*_: object) -> object:
        raise OperationalError("Postgres is away")

    turns = start_turns(first=[HaltFirst(lambda: OrderdError(ErrorCode.SERVICE_HALTED, ""), fail, missed.append)])
    order = turns.finish(pending())
    assert (missed, order.starts) == ([order.id], 0)


def test_who_waits_for_a_service_looks_before_it_asks_for_a_start(start_turns: StartTurns) -> None:
    looked: list[UUID] = []
    away = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")

    def look(order_id: UUID) -> bool:
        looked.append(order_id)
        if len(looked) < 3:
            turns.dispatch.defer(order_id, timedelta(0), away)
        return len(looked) == 3

    turns = start_turns(first=[LookFirst(look, lambda _: None)], limit=1)
    turns.limiter.prepare(wait=True)
    order_id = pending()
    turns.dispatch.defer(order_id, timedelta(0), away)
    for _ in range(3):
        assert turns.limiter.use() == (0, 0)
        assert turns.dispatch.run_once() == 1
        assert turns.finished.orders.get(timeout=PATIENCE) == order_id
    kinds = [event.data.kind for event in views.events_after(order_id, 1)]
    assert kinds == [EventKind.DEFERRED, EventKind.STARTED], "it is told once that it waits"
    assert looked == [order_id] * 3


def test_an_attempt_that_cannot_succeed_ends_the_order(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        error = OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "1 SOL is missing")
        raise AttemptFailedError(order, error)

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.error_code) == (OrderStatus.FAILED, ErrorCode.FUNDS_INSUFFICIENT)


def test_an_unforeseen_exception_is_an_attempt_that_failed(start_turns: StartTurns) -> None:
    def work(_: Order) -> None:
        raise KeyError("nobody thought of this")

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures) == (OrderStatus.PENDING, 1)
    assert failure_codes(order.id) == [ErrorCode.SERVICE_INTERNAL]


def test_an_unforeseen_exception_after_signing_decides_nothing(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        columns = {"venue": "meteora", "pool": "pool", "quoted_amount_out": 1, "min_amount_out": 1}
        fact = Routed(chosen=QUOTED, quotes=(QUOTED,), min_amount_out="151")
        (moved,) = journal.apply([journal.Change(order.id, fact, order.version, columns)])
        sign(moved.order, "signature")
        raise KeyError("nobody thought of this")

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures) == (OrderStatus.SUBMITTED, 0)
    assert failure_codes(order.id) == []


def test_an_order_whose_turn_ended_before_it_began_is_sent_again_at_once(start_turns: StartTurns) -> None:
    def fail() -> None:
        raise OperationalError("Postgres is away")

    turns = start_turns()
    turns.begin = fail
    order = turns.finish(pending())
    assert (order.status, order.starts, order.failures) == (OrderStatus.PENDING, 0, 0)
    turns.begin = lambda: None
    assert turns.dispatch.run_once() == 1
    assert turns.finished.orders.get(timeout=PATIENCE) == order.id
    assert read(order.id).status is OrderStatus.ROUTING
    assert turns.dispatch.run_once() == 0, "once is enough"


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InternalError("read-only")])
def test_a_turn_that_loses_postgres_is_no_attempt(start_turns: StartTurns, error: Exception) -> None:
    def work(_: Order) -> None:
        raise error

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures, order.waits_for) == (OrderStatus.PENDING, 0, ErrorCode.SERVICE_UNAVAILABLE)
    assert failure_codes(order.id) == []


def test_an_order_whose_turn_ended_unrecorded_is_taken_up_at_once_and_not_when_its_lease_ends(
    start_turns: StartTurns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(order: Order) -> None:
        raise AttemptFailedError(order, OrderdError(ErrorCode.TX_FAILED, "the program said no"))

    def lost(*_: object) -> None:
        raise OperationalError("Postgres is away")

    monkeypatch.setattr(Failures, "record", lost)
    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.lease_owner) == (OrderStatus.ROUTING, OWNER)
    turns.work = lambda _: None
    assert turns.dispatch.run_once() == 1
    assert turns.finished.orders.get(timeout=PATIENCE) == order.id
    assert (read(order.id).status, read(order.id).starts) == (OrderStatus.ROUTING, 2)


def test_a_turn_that_hangs_is_broken_off(start_turns: StartTurns) -> None:
    def work(_: Order) -> None:
        forever = threading.Event()
        while not forever.wait(0.01):
            pass

    turns = start_turns(TimeLimit(time_limit=1000, interval=25))  # less passes before it hangs
    turns.work = work
    order = turns.finish(pending())
    assert failure_codes(order.id) == [ErrorCode.SERVICE_INTERNAL]


def test_an_order_that_was_taken_away_is_left_to_its_new_holder(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        raise LeaseLostError(str(order.id))

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures) == (OrderStatus.ROUTING, 0)
    assert failure_codes(order.id) == []


def test_an_order_that_is_not_to_be_had_uses_up_no_start(start_turns: StartTurns) -> None:
    turns = start_turns(limit=5)
    turns.limiter.prepare()
    order_id = pending()
    assert journal.claim([order_id], "another worker", 15.0)
    order = turns.finish(order_id)
    assert (order.lease_owner, order.failures) == ("another worker", 0)
    assert turns.limiter.use() == (0, 0)


def test_waiting_for_the_rate_limit_uses_up_no_attempt(start_turns: StartTurns) -> None:
    """25 orders at once, three in 50 ms: all get their one turn, none an attempt less."""
    turned: SimpleQueue[UUID] = SimpleQueue()
    turns = start_turns(limit=3, window=timedelta(milliseconds=50))
    turns.work = lambda order: turned.put(order.id)
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(25)])]
    turns.broker.send(orders)
    done: list[UUID] = []
    while len(done) < len(orders):
        turns.dispatch.run_once()
        while not turned.empty():
            done.append(turned.get())
    assert sorted(done) == orders
    rows = [read(order_id) for order_id in orders]
    assert {(row.status, row.starts, row.failures) for row in rows} == {(OrderStatus.ROUTING, 1, 0)}
    assert any(row.seq > 2 for row in rows), "some had to wait"


def test_of_a_batch_the_first_start_and_the_others_wait_in_line(start_turns: StartTurns) -> None:
    turns = start_turns(limit=3, window=timedelta(hours=1))
    turns.limiter.prepare(wait=True)
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(5)])]
    turns.broker.send(orders)
    for _ in orders:
        turns.finished.orders.get(timeout=PATIENCE)
    assert [read(order_id).status for order_id in orders] == [OrderStatus.ROUTING] * 3 + [OrderStatus.PENDING] * 2
    assert {read(order_id).waits_for for order_id in orders[3:]} == {"rate limit"}


def test_of_a_batch_each_is_told_what_became_of_it(start_turns: StartTurns) -> None:
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(4)])]
    assert journal.claim([orders[3]], "another worker", 15.0)
    errors = {orders[1]: ErrorCode.TX_FAILED, orders[2]: ErrorCode.RPC_UNAVAILABLE}

    def work(order: Order) -> None:
        if order.id in errors:
            raise AttemptFailedError(order, OrderdError(errors[order.id], "no"))

    turns = start_turns(limit=9, window=timedelta(hours=1))
    turns.limiter.prepare(wait=True)
    turns.work = work
    turns.broker.send(orders)
    for _ in orders:
        turns.finished.orders.get(timeout=PATIENCE)
    assert [read(order_id).status for order_id in orders] == [
        OrderStatus.ROUTING,
        OrderStatus.PENDING,
        OrderStatus.PENDING,
        OrderStatus.ROUTING,
    ]
    assert [read(order_id).failures for order_id in orders] == [0, 1, 0, 0]
    assert turns.limiter.use()[0] == 2, "the two that did not begin give their starts back"


def test_whoever_is_left_moves_up_when_those_before_him_are_cancelled(start_turns: StartTurns) -> None:
    """By its place alone the last one would wait for a minute."""
    turned: SimpleQueue[UUID] = SimpleQueue()
    turns = start_turns(limit=1, window=timedelta(seconds=2))
    turns.limiter.prepare(wait=True)
    turns.work = lambda order: turned.put(order.id)
    first, *cancelled, last = [moved.order.id for moved in journal.accept([new_order() for _ in range(30)])]
    send_apart(turns.broker, [first, *cancelled, last])
    for _ in range(30):
        turns.finished.orders.get(timeout=PATIENCE)
    assert turned.get(timeout=PATIENCE) == first
    journal.apply([Change(order_id, Cancelled(), None) for order_id in cancelled])
    for order_id in cancelled:
        turns.limiter.forget(order_id)
    moved_up = run_until(turns, turned)
    assert moved_up == last
    assert [event.data.kind for event in views.events_after(last, 1)] == [EventKind.DEFERRED, EventKind.STARTED]


def test_a_raised_limit_helps_those_who_wait(start_turns: StartTurns) -> None:
    turned: SimpleQueue[UUID] = SimpleQueue()
    turns = start_turns(limit=1, window=timedelta(hours=1))
    turns.limiter.prepare(wait=True)
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(3)])]
    send_apart(turns.broker, orders)
    for _ in orders:
        turns.finished.orders.get(timeout=PATIENCE)
    turns.stop()
    raised = start_turns(limit=3, window=timedelta(hours=1))
    raised.work = lambda order: turned.put(order.id)
    assert {run_until(raised, turned), run_until(raised, turned)} == {*orders[1:]}


def test_nobody_overtakes_who_waits_although_redis_has_forgotten_the_line(
    start_turns: StartTurns, client: "redis.Redis"
) -> None:
    turns = start_turns(limit=1, window=timedelta(hours=1))
    turns.limiter.prepare(wait=True)
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(2)])]
    send_apart(turns.broker, orders)
    for _ in orders:
        turns.finished.orders.get(timeout=PATIENCE)
    turns.stop()
    client.flushall()
    turns.limiter.prepare(wait=True)
    turns.dispatch.run_once()
    assert isinstance(turns.limiter.ask(uuid7()), StartSlot)
    assert isinstance(turns.limiter.ask(orders[1]), Go)


def run_until(turns: Turns, turned: "SimpleQueue[UUID]") -> UUID:
    """Let dispatch look again and again until an order has its turn."""
    deadline = time.monotonic() + PATIENCE
    while turned.empty():
        turns.dispatch.run_once()
        assert time.monotonic() < deadline
    return turned.get()


def test_no_order_starts_while_the_rate_limit_cannot_be_asked(
    start_turns: StartTurns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: UUID) -> None:
        raise redis.ConnectionError("gone")

    turns = start_turns(limit=5)
    monkeypatch.setattr(turns.limiter, "ask", refuse)
    order = turns.finish(pending())
    assert (order.status, order.starts, order.failures) == (OrderStatus.PENDING, 0, 0)
