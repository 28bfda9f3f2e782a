"""While trading is halted orders wait where they are: none is begun, none is tried in vain, none is lost by it."""

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


def test_an_order_that_is_halted_on_its_way_waits_and_is_sent_nowhere(desk: Desk, publisher: Publisher) -> None:
    """The halt is committed after the order was signed, and before its bytes are stored. This is no attempt."""
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


def test_dispatch_sends_nothing_before_it_is_lifted_and_then_what_waits_for_it_without_a_look(
    publisher: Publisher, queue: Queue
) -> None:
    seen = Halts()
    dispatch = Dispatch(publisher, queue.send, queue.depth, halted=seen.look)
    halt(ME, WHY)
    order_id = pending()
    waits(dispatch, order_id, halts.current()[0].error)
    assert dispatch.run_once() == 0
    lift(ME)
    assert dispatch.run_once() == 1
    assert (queue.sent, queue.looking) == ([order_id], [])


def waits(dispatch: Dispatch, order_id: UUID, error: OrderdError) -> None:
    with database.connection_context():
        assert journal.defer(order_id, 0, error)


def test_an_order_that_waits_for_it_is_valid_for_as_long_as_it_was(publisher: Publisher, queue: Queue) -> None:
    dispatch = Dispatch(publisher, queue.send, queue.depth, halted=Halts().look)
    halt(ME, WHY)
    order_id = pending()
    valid_until = "SELECT valid_until FROM orders"
    database.execute_sql("UPDATE orders SET valid_until = clock_timestamp() + interval '1 hour'")
    before = database.execute_sql(valid_until).fetchone()
    waits(dispatch, order_id, halts.current()[0].error)
    dispatch.run_once()
    assert database.execute_sql(valid_until).fetchone() == before
    database.execute_sql("UPDATE orders SET valid_until = clock_timestamp(), due_at = clock_timestamp()")
    Dispatch(publisher, queue.send, queue.depth, halted=Halts().look).run_once()
    assert read(order_id).status is OrderStatus.EXPIRED


def test_nothing_fires(watch: Watch) -> None:
    seen = Halts()
    watch.triggers._halted = seen.known
    order_id = limit("105")
    halt(ME, WHY)
    seen.look()
    assert watch.sees(110) == 0
    lift(ME)
    seen.look()
    assert watch.sees(110) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_twap_stands_still(publisher: Publisher, queue: Queue) -> None:
    seen = Halts()
    care = Families(publisher, queue.send, 600, RetryPolicy(), seen.known, chance=lambda: 0.5)
    halt(ME, WHY)
    seen.look()
    parent = twap()
    was_due(parent, 1)
    care.run_once()
    assert children(parent) == []
    lift(ME)
    seen.look()
    care.run_once()
    assert len(children(parent)) == 1


def test_new_orders_are_refused_and_those_that_were_taken_are_answered(intake: Intake) -> None:
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


@pytest.mark.parametrize("before", [[], [EventKind.STARTED]], ids=["in line", "begun"])
def test_what_is_lifted_while_an_order_is_under_way_does_not_hold_it_up(
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


def test_what_a_process_saw_last_stands_where_it_cannot_look(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Halts()
    halt(ME, WHY)
    assert seen.look() is not None
    fails: Callable[[], object] = lambda: 1 / 0  # noqa: E731
    monkeypatch.setattr(halts, "current", fails)
    with pytest.raises(ZeroDivisionError):
        seen.look()
    assert seen.known() is not None
