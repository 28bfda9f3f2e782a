"""While trading is halted, orders wait in their state: none is started, fails, or is lost."""

from collections.abc import Callable
from uuid import UUID

import pytest

from db import halts, journal
from db.audit import Actor
from db.connection import database
from db.models import Attempt
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Deferred
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine import views
from orderd.engine.dispatch import Dispatch
from orderd.engine.failure import AttemptFailedError, Failures
from orderd.engine.families import Families
from orderd.engine.halting import Halts, halt, lift
from orderd.engine.intake import Intake, SubmitOutcome
from orderd.engine.publish import Publisher
from tests.integration.engine.conftest import Queue
from tests.integration.engine.test_execution import Desk
from tests.integration.engine.test_execution import desk as desk  # a fixture
from tests.integration.engine.test_intake import forgotten as forgotten
from tests.integration.engine.test_intake import intake as intake
from tests.integration.engine.test_intake import submission
from tests.integration.engine.test_triggers import Watch, limit
from tests.integration.engine.test_triggers import begin as begin
from tests.integration.engine.test_triggers import watch as watch
from tests.integration.family import children, twap, was_due
from tests.integration.orders import pending, read

ME = Actor("ops")
WHY = "prices look wrong"


def test_an_order_halted_between_signing_and_storing_waits_and_is_not_sent(desk: Desk, publisher: Publisher) -> None:
    """The halt is committed after signing and before the bytes are stored; this does not count as an attempt."""
    desk.builder.meanwhile = lambda _: halt(ME, WHY)
    order_id = pending()
    with pytest.raises(AttemptFailedError) as kept:
        desk.work(order_id)
    Failures(RetryPolicy(), publisher).record([kept.value])
    order = read(order_id)
    assert (order.status, order.waits_for, order.failures) == (OrderStatus.PENDING, ErrorCode.SERVICE_HALTED, 0)
    assert (desk.sender.sent, len(desk.live), Attempt.select().count()) == ([], 0, 0)
    deferred = views.events_after(order_id, 0)[-1].data
    assert isinstance(deferred, Deferred)
    assert deferred.detail is not None
    assert deferred.detail.startswith("halted by ops at ")
    assert deferred.detail.endswith(f" UTC: {WHY}")


def test_dispatch_sends_halted_orders_only_after_the_halt_and_without_a_check(
    publisher: Publisher, queue: Queue
) -> None:
    seen = Halts()
    dispatch = Dispatch(publisher, queue.send, queue.depth, halted=seen.refresh)
    halt(ME, WHY)
    order_id = pending()
    waits(dispatch, order_id, halts.current()[0].error)
    assert dispatch.run_once() == 0
    lift(ME)
    assert dispatch.run_once() == 1
    assert (queue.sent, queue.looking) == ([order_id], [])


def test_a_halt_is_known_as_long_as_it_lasts(publisher: Publisher, queue: Queue) -> None:
    """A worker may start during a halt, and a halt may come and go between two passes."""
    seen = Halts()
    halt(ME, WHY)
    seen.refresh()
    lift(ME)
    dispatch = Dispatch(publisher, queue.send, queue.depth, halted=seen.refresh)
    dispatch.run_once()
    assert seen.known() is None
    halt(ME, WHY)
    dispatch.run_once()
    dispatch.run_once()
    assert seen.known() is not None
    lift(ME)
    dispatch.run_once()
    assert seen.known() is None


def waits(dispatch: Dispatch, order_id: UUID, error: OrderdError) -> None:
    with database.connection_context():
        assert journal.defer({order_id: 0}, error).orders


def test_an_order_keeps_its_remaining_validity_during_a_halt(publisher: Publisher, queue: Queue) -> None:
    dispatch = Dispatch(publisher, queue.send, queue.depth, halted=Halts().refresh)
    halt(ME, WHY)
    order_id = pending()
    valid_until = "SELECT valid_until FROM orders"
    database.execute_sql("UPDATE orders SET valid_until = clock_timestamp() + interval '1 hour'")
    before = database.execute_sql(valid_until).fetchone()
    waits(dispatch, order_id, halts.current()[0].error)
    dispatch.run_once()
    assert database.execute_sql(valid_until).fetchone() == before
    database.execute_sql("UPDATE orders SET valid_until = clock_timestamp(), due_at = clock_timestamp()")
    Dispatch(publisher, queue.send, queue.depth, halted=Halts().refresh).run_once()
    assert read(order_id).status is OrderStatus.EXPIRED


def test_no_order_fires_during_a_halt(watch: Watch) -> None:
    seen = Halts()
    watch.triggers._halted = seen.known
    order_id = limit("105")
    halt(ME, WHY)
    seen.refresh()
    assert watch.sees(110) == 0
    lift(ME)
    seen.refresh()
    assert watch.sees(110) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_twap_starts_no_execution_during_a_halt(publisher: Publisher, queue: Queue) -> None:
    seen = Halts()
    care = Families(publisher, queue.send, 600, RetryPolicy(), seen.known, chance=lambda: 0.5)
    halt(ME, WHY)
    seen.refresh()
    parent = twap()
    was_due(parent, 1)
    care.run_once()
    assert children(parent) == []
    lift(ME)
    seen.refresh()
    care.run_once()
    assert len(children(parent)) == 1


def test_new_orders_are_refused_and_resubmitted_ones_are_answered_during_a_halt(intake: Intake) -> None:
    first = submission(intake, "before")
    intake.submit_batch([first])
    halt(ME, WHY)
    known, new = intake.submit_batch([submission(intake, "before"), submission(intake, "new")])
    assert isinstance(known, SubmitOutcome)
    assert (known.created, known.order.id) == (False, first.id)
    assert isinstance(new, OrderdError)
    assert (new.code, new.detail.endswith(WHY)) == (ErrorCode.SERVICE_HALTED, True)
    other = submission(intake, "before", "2")
    (conflict,) = intake.submit_batch([other])
    assert isinstance(conflict, OrderdError)
    assert conflict.code is ErrorCode.ORDER_CONFLICT
    lift(ME)
    (taken,) = intake.submit_batch([submission(intake, "new")])
    assert isinstance(taken, SubmitOutcome)


@pytest.mark.parametrize("before", [[], [EventKind.STARTED]], ids=["waiting for a start", "started"])
def test_a_halt_lifted_during_a_turn_does_not_delay_its_order(
    desk: Desk, before: list[EventKind], publisher: Publisher
) -> None:
    order_id = pending()
    if before:
        desk.builder.meanwhile = lambda _: (halt(ME, WHY), lift(ME))
    else:
        halt(ME, WHY)
        lift(ME)
    assert desk.work(order_id)
    assert read(order_id).status is OrderStatus.SUBMITTED


def test_a_process_keeps_the_last_known_halt_while_postgres_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Halts()
    halt(ME, WHY)
    assert seen.refresh() is not None
    fails: Callable[[], object] = lambda: 1 / 0  # noqa: E731
    monkeypatch.setattr(halts, "current", fails)
    with pytest.raises(ZeroDivisionError):
        seen.refresh()
    assert seen.known() is not None
