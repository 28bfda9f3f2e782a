"""Messages, turns and their results: queue, rate limit and retries together, on a real Redis and Postgres."""

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
from orderd.engine.execution.precheck import Checked
from orderd.engine.failure import AttemptFailedError, Failures, LeaseLostError, NotStartedError
from orderd.engine.publish import Publisher
from orderd.queue.actors import declare_actor
from orderd.queue.broker import OrderBroker, orders_of
from orderd.queue.halt_first import HaltFirst
from orderd.queue.limiter import Go, RateLimiter, StartSlot
from orderd.queue.precheck import PrecheckFirst
from orderd.queue.rate_limit import RateLimit
from orderd.queue.retry import Retry
from tests.integration.orders import new_order, read, sign
from tests.integration.queue.conftest import send_apart
from tests.samples.orders import METEORA as QUOTED

PATIENCE = 20
OWNER = "worker-under-test"


class Finished(Middleware):
    """The outermost middleware: reports the orders of a message once the message is done, including waiting orders."""

    def __init__(self) -> None:
        self.orders: SimpleQueue[UUID] = SimpleQueue()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        message.options["came"] = orders_of(message)

    def after_ack(self, broker: Broker, message: MessageProxy) -> None:
        for order_id in message.options["came"]:
            self.orders.put(order_id)


class Turns:
    """A worker whose turns the test controls."""

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
        """Run the test's work; an exception about one order is that order's result, any other one ends the turn."""
        self.begin()
        kept: dict[UUID, Exception] = {}
        with database.connection_context():
            claimed = journal.claim(order_ids, OWNER, 15.0)
            for order_id in set(order_ids) - {moved.order.id for moved in claimed}:
                kept[order_id] = NotStartedError("not claimed")
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
        """Send an order, and return it as stored when its message is done."""
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


def test_a_failed_attempt_is_recorded_and_retried_later(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        error = OrderdError(ErrorCode.TX_FAILED, "the program said no")
        raise AttemptFailedError(order, error)

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures) == (OrderStatus.PENDING, 1)
    assert failure_codes(order.id) == [ErrorCode.TX_FAILED]
    assert turns.dispatch.run_once() == 0, "the order waits for its backoff"


def test_an_order_whose_service_is_unavailable_waits_without_using_an_attempt_or_a_start(
    start_turns: StartTurns,
) -> None:
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
    assert turns.limiter.use() == (0, 0), "the start was not returned"
    assert recent_starts(60) == []


def test_an_order_delivered_during_a_halt_waits_without_using_a_start(
    start_turns: StartTurns,
) -> None:
    halted = OrderdError(ErrorCode.SERVICE_HALTED, "halted by ops")

    def defer(waits: Mapping[UUID, timedelta], error: OrderdError) -> object:
        return turns.dispatch.defer(waits, error)

    turns = start_turns(first=[HaltFirst(lambda: halted, defer, lambda _: None)], limit=1)
    turns.limiter.prepare(wait=True)
    order = turns.finish(pending())
    assert (order.status, order.starts, order.waits_for) == (OrderStatus.PENDING, 0, ErrorCode.SERVICE_HALTED)
    assert turns.limiter.use() == (0, 1), "the order keeps its place in line without a start"


def test_an_order_whose_deferral_failed_is_delivered_again(start_turns: StartTurns) -> None:
    missed: list[UUID] = []

    def fail(*_: object) -> object:
        raise OperationalError("Postgres is away")

    turns = start_turns(first=[HaltFirst(lambda: OrderdError(ErrorCode.SERVICE_HALTED, ""), fail, missed.append)])
    order = turns.finish(pending())
    assert (missed, order.starts) == ([order.id], 0)


def refuse(order_ids: Sequence[UUID], *, check_first: bool = False) -> None:
    raise redis.ConnectionError("Redis is away")


def test_an_order_that_waits_for_a_service_is_checked_before_it_uses_a_start(start_turns: StartTurns) -> None:
    looked: list[UUID] = []
    away = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")

    def look(order_ids: Sequence[UUID]) -> Checked:
        looked.extend(order_ids)
        if len(looked) == 3:
            return Checked(order_ids)
        turns.dispatch.defer(dict.fromkeys(order_ids, timedelta(0)), away)
        return Checked([])

    turns = start_turns(first=[PrecheckFirst(look, refuse, lambda _: None)], limit=1)
    turns.limiter.prepare(wait=True)
    order_id = pending()
    turns.dispatch.defer({order_id: timedelta(0)}, away)
    for _ in range(3):
        assert turns.limiter.use() == (0, 0)
        assert turns.dispatch.run_once() == 1
        assert turns.finished.orders.get(timeout=PATIENCE) == order_id
    kinds = [event.data.kind for event in views.events_after(order_id, 1)]
    assert kinds == [EventKind.DEFERRED, EventKind.STARTED], "the wait was reported more than once"
    assert looked == [order_id] * 3


def test_an_order_is_checked_alone_after_another_one_has_met_an_error_of_its_own(start_turns: StartTurns) -> None:
    looked = SimpleQueue[Sequence[UUID]]()
    first, second, third = pending(), pending(), pending()

    def look(order_ids: Sequence[UUID]) -> Checked:
        looked.put(order_ids)
        return Checked([], order_ids[1:]) if len(order_ids) > 1 else Checked(order_ids)

    def send(order_ids: Sequence[UUID], *, check_first: bool = False) -> None:
        turns.broker.send(order_ids, check_first=check_first)

    turns = start_turns(first=[PrecheckFirst(look, send, lambda _: None)])
    turns.broker.send([first, second, third], check_first=True)
    assert looked.get(timeout=PATIENCE) == [first, second, third]
    assert {*looked.get(timeout=PATIENCE), *looked.get(timeout=PATIENCE)} == {second, third}


def test_orders_are_not_lost_that_could_not_be_checked_alone(start_turns: StartTurns) -> None:
    missed = SimpleQueue[UUID]()
    first, second = pending(), pending()

    turns = start_turns(first=[PrecheckFirst(lambda both: Checked(both[:1], both[1:]), refuse, missed.put)])
    turns.broker.send([first, second], check_first=True)
    assert missed.get(timeout=PATIENCE) == second
    assert turns.finished.orders.get(timeout=PATIENCE) == first


def test_an_attempt_that_cannot_succeed_ends_the_order(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        error = OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "1 SOL is missing")
        raise AttemptFailedError(order, error)

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.error_code) == (OrderStatus.FAILED, ErrorCode.FUNDS_INSUFFICIENT)


def test_an_unforeseen_exception_is_a_failed_attempt(start_turns: StartTurns) -> None:
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


def test_an_order_whose_turn_failed_before_its_start_is_sent_again_at_once(start_turns: StartTurns) -> None:
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
    assert turns.dispatch.run_once() == 0, "the order was sent twice"


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InternalError("read-only")])
def test_a_turn_that_loses_postgres_is_not_an_attempt(start_turns: StartTurns, error: Exception) -> None:
    def work(_: Order) -> None:
        raise error

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures, order.waits_for) == (OrderStatus.PENDING, 0, ErrorCode.SERVICE_UNAVAILABLE)
    assert failure_codes(order.id) == []


def test_an_order_whose_result_was_not_stored_is_released_at_once(
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


def test_a_hanging_turn_is_interrupted(start_turns: StartTurns) -> None:
    def work(_: Order) -> None:
        forever = threading.Event()
        while not forever.wait(0.01):
            pass

    turns = start_turns(TimeLimit(time_limit=1000, interval=25))  # the turn reaches the hanging call earlier
    turns.work = work
    order = turns.finish(pending())
    assert failure_codes(order.id) == [ErrorCode.SERVICE_INTERNAL]


def test_an_order_claimed_by_another_worker_is_left_to_it(start_turns: StartTurns) -> None:
    def work(order: Order) -> None:
        raise LeaseLostError(str(order.id))

    turns = start_turns()
    turns.work = work
    order = turns.finish(pending())
    assert (order.status, order.failures) == (OrderStatus.ROUTING, 0)
    assert failure_codes(order.id) == []


def test_an_order_that_cannot_be_claimed_uses_no_start(start_turns: StartTurns) -> None:
    turns = start_turns(limit=5)
    turns.limiter.prepare()
    order_id = pending()
    assert journal.claim([order_id], "another worker", 15.0)
    order = turns.finish(order_id)
    assert (order.lease_owner, order.failures) == ("another worker", 0)
    assert turns.limiter.use() == (0, 0)


def test_waiting_for_the_rate_limit_uses_no_attempt(start_turns: StartTurns) -> None:
    """25 simultaneous orders at three per 50 ms: each gets its turn and keeps all its attempts."""
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
    assert any(row.seq > 2 for row in rows), "no order had to wait"


def test_the_first_orders_of_a_batch_start_and_the_others_wait_in_line(start_turns: StartTurns) -> None:
    turns = start_turns(limit=3, window=timedelta(hours=1))
    turns.limiter.prepare(wait=True)
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(5)])]
    turns.broker.send(orders)
    for _ in orders:
        turns.finished.orders.get(timeout=PATIENCE)
    assert [read(order_id).status for order_id in orders] == [OrderStatus.ROUTING] * 3 + [OrderStatus.PENDING] * 2
    assert {read(order_id).waits_for for order_id in orders[3:]} == {"rate limit"}


def test_each_order_of_a_batch_gets_its_own_result(start_turns: StartTurns) -> None:
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
    assert turns.limiter.use()[0] == 2, "the two orders that did not start return their starts"


def test_waiting_orders_move_up_when_earlier_ones_are_cancelled(start_turns: StartTurns) -> None:
    """At its original place the last order would wait for a minute."""
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


def test_a_raised_limit_applies_to_waiting_orders(start_turns: StartTurns) -> None:
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


def test_no_order_overtakes_a_waiting_one_after_redis_lost_the_line(
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
    """Run dispatch repeatedly until an order has its turn."""
    deadline = time.monotonic() + PATIENCE
    while turned.empty():
        turns.dispatch.run_once()
        assert time.monotonic() < deadline
    return turned.get()


def test_no_order_starts_while_the_rate_limit_is_unavailable(
    start_turns: StartTurns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: UUID) -> None:
        raise redis.ConnectionError("gone")

    turns = start_turns(limit=5)
    monkeypatch.setattr(turns.limiter, "ask", refuse)
    order = turns.finish(pending())
    assert (order.status, order.starts, order.failures) == (OrderStatus.PENDING, 0, 0)
