"""The journal stores a change and its event in one statement, and refuses changes of an outdated claim."""

import threading
from datetime import UTC, datetime

import pytest
from peewee import IntegrityError

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change, FailureRecord, Moved, NewAttempt
from db.models import Attempt, Order, OrderFailure
from orderd.domain import order as domain
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Cancelled, Failed, Reclaimed, Retrying, Routed, Submitted
from orderd.domain.order import EventKind, OrderStatus
from orderd.engine import views
from tests.integration.orders import FILL, built, claimed, new_order, pending, read, sign
from tests.samples.orders import FILL as CONFIRMED
from tests.samples.orders import METEORA as QUOTED

NOW = datetime.now(UTC)
RETRYING = Retrying(attempt=1, code=ErrorCode.TX_EXPIRED, detail="never landed", until=NOW)
pytestmark = pytest.mark.usefixtures("connection")


def history(order: Order) -> list[tuple[int, EventKind, OrderStatus]]:
    return [(event.seq, event.data.kind, event.status) for event in views.events_after(order.id, 0)]


def test_events_of_a_successful_order_are_numbered_without_gaps() -> None:
    live = sign(built(), "sig")
    journal.apply(
        [Change(live.order.id, CONFIRMED, live.order.version, FILL, attempt_end=AttemptEnd("landed", 9, sends=1))]
    )
    assert history(live.order) == [
        (1, EventKind.ACCEPTED, OrderStatus.PENDING),
        (2, EventKind.STARTED, OrderStatus.ROUTING),
        (3, EventKind.ROUTED, OrderStatus.BUILDING),
        (4, EventKind.SUBMITTED, OrderStatus.SUBMITTED),
        (5, EventKind.CONFIRMED, OrderStatus.CONFIRMED),
    ]
    order = read(live.order.id)
    assert (order.seq, order.filled_out, order.lease_owner, order.due_at) == (5, 152_310_211, None, None)


def test_only_the_claim_that_routed_may_route_again() -> None:
    order = built()
    other = Routed(chosen=QUOTED, quotes=(), min_amount_out="150")
    (again,) = journal.apply([Change(order.id, other, order.version, {"min_amount_out": 150_000_000})])
    assert (again.order.status, again.order.version, again.order.lease_owner) == (
        OrderStatus.BUILDING,
        order.version,
        order.lease_owner,
    )
    assert read(order.id).min_amount_out == 150_000_000
    assert [kind for _, kind, _ in history(order)][-2:] == [EventKind.ROUTED, EventKind.ROUTED]
    assert journal.apply([Change(order.id, other, order.version - 1)]) == []
    sign(again.order, "sig")
    assert journal.apply([Change(order.id, other, order.version)]) == [], "a signed order cannot be routed again"


def test_a_fact_with_several_target_states_leads_to_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    to_its_end = (OrderStatus.ROUTING, EventKind.RETRYING, OrderStatus.FAILED)
    monkeypatch.setattr(domain, "TRANSITIONS", (*domain.TRANSITIONS, to_its_end))
    error = {"error_code": "TX_EXPIRED"}
    first, second, third = claimed(), claimed(), built()

    moved = journal.apply(
        [
            Change(first.id, RETRYING, first.version, error, to=OrderStatus.FAILED),
            Change(second.id, RETRYING, second.version, error, to=OrderStatus.PENDING),
            Change(third.id, RETRYING, third.version, error, to=OrderStatus.FAILED),
        ]
    )

    ended, waiting = read(first.id), read(second.id)
    assert (ended.status, ended.due_at, ended.lease_owner) == (OrderStatus.FAILED, None, None)
    assert (waiting.status, waiting.due_at is None, waiting.lease_owner) == (OrderStatus.PENDING, False, None)
    assert read(third.id).status is OrderStatus.BUILDING, "the transition is not allowed from this state"
    assert {each.order.id for each in moved} == {first.id, second.id}
    with pytest.raises(domain.UnclearTransitionError):
        journal.apply([Change(third.id, RETRYING, third.version, error)])


def test_a_client_order_id_is_unique_within_a_batch() -> None:
    first, second = new_order("mine"), new_order("mine")
    assert [moved.order.id for moved in journal.accept([first, second])] == [first.id]
    assert journal.accept([new_order("mine")]) == []
    assert Order.select().count() == 1


def test_one_of_many_concurrent_claims_wins() -> None:
    order_id, won = pending(), []

    def compete(owner: str) -> None:
        with database.connection_context():
            if journal.claim([order_id], owner, 15):
                won.append(owner)

    threads = [threading.Thread(target=compete, args=(f"worker-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [read(order_id).lease_owner]


def test_an_outdated_claim_writes_nothing() -> None:
    order = built("worker-a")
    journal.apply([Change(order.id, Cancelled(), None)])
    attempt = NewAttempt(1, "sig", b"signed", 150, "meteora", "pool", 1, 8)
    fact = Submitted(attempt=1, signature="sig", last_valid_block_height=150)
    assert journal.apply([Change(order.id, fact, order.version, {"signature": "sig"}, new_attempt=attempt)]) == []
    assert Attempt.select().count() == 0
    assert read(order.id).status is OrderStatus.CANCELLED


def test_a_signed_order_is_neither_cancelled_nor_failed_without_proof() -> None:
    live = sign(built(), "sig")
    failed = Failed(attempt=1, code=ErrorCode.SERVICE_INTERNAL, detail="?")
    changes = [
        Change(live.order.id, Cancelled(), None),
        Change(live.order.id, Reclaimed(), None),
        Change(live.order.id, RETRYING, None, {"failures": 1}, to=OrderStatus.PENDING),
        Change(live.order.id, failed, None, {"failures": 1, "error_code": "SERVICE_INTERNAL"}),
    ]
    assert [journal.apply([change]) for change in changes] == [[], [], [], []]
    assert read(live.order.id).status is OrderStatus.SUBMITTED


def test_the_database_refuses_a_second_live_attempt() -> None:
    """Whatever the number of the attempt, and even if an earlier check failed."""
    live = sign(built(), "first")
    database.execute_sql("UPDATE orders SET status = 'building', failures = 1 WHERE id = %s", (str(live.order.id),))
    with pytest.raises(IntegrityError, match="attempts_one_alive"):
        sign(read(live.order.id), "second")


def test_a_change_that_the_database_refuses_fails_alone() -> None:
    bad, good = sign(built(), "bad"), sign(built(), "good")
    changes = [
        Change(live.order.id, CONFIRMED, 1, {**FILL, "filled_out": filled}, attempt_end=AttemptEnd("landed", 9, 1))
        for live, filled in ((bad, 1), (good, 152_400_000))
    ]
    objection, moved = journal.apply_each(changes)
    assert isinstance(objection, IntegrityError)
    assert isinstance(moved, Moved)
    assert [read(live.order.id).status for live in (bad, good)] == [OrderStatus.SUBMITTED, OrderStatus.CONFIRMED]


def test_a_retry_ends_the_attempt_keeps_the_failure_and_waits() -> None:
    live = sign(built(), "sig")
    (moved,) = journal.apply(
        [
            Change(
                live.order.id,
                RETRYING,
                live.order.version,
                {"failures": 1},
                to=OrderStatus.PENDING,
                delay_ms=60_000,
                attempt_end=AttemptEnd("expired", None, sends=3),
                failure=FailureRecord(1, ErrorCode.TX_EXPIRED, "never landed", "sig", ["line"]),
            )
        ]
    )
    attempt = Attempt.get(Attempt.order_id == live.order.id)
    failure = OrderFailure.get(OrderFailure.order_id == live.order.id)
    assert (attempt.outcome, attempt.sends) == ("expired", 3)
    assert (failure.code, failure.signature, failure.logs) == ("TX_EXPIRED", "sig", ["line"])
    assert moved.order.due_at is not None
    assert moved.event.data == RETRYING.model_copy(update={"until": moved.order.due_at})
    assert journal.claim([live.order.id], "worker-a", 15) == [], "the order is not due yet"
    assert sign_again(live.order) == 2


def sign_again(order: Order) -> int:
    """The number of the next attempt, signed after the first one was proved dead."""
    database.execute_sql("UPDATE orders SET due_at = now() WHERE id = %s", (str(order.id),))
    assert journal.claim([order.id], "worker-b", 15)
    database.execute_sql("UPDATE orders SET status = 'building', due_at = NULL WHERE id = %s", (str(order.id),))
    return sign(read(order.id), "sig-2").number


def test_a_fill_below_the_minimum_is_not_stored() -> None:
    live = sign(built(), "sig")
    columns = {**FILL, "filled_out": 150_999_999}
    end = AttemptEnd("landed", 9, sends=1)
    with pytest.raises(IntegrityError, match="confirmed_has_a_fill"):
        journal.apply([Change(live.order.id, CONFIRMED, live.order.version, columns, attempt_end=end)])


def test_a_batch_of_several_shapes_is_one_transaction() -> None:
    one, other = sign(built(), "one"), sign(built(), "other")
    bad = {**FILL, "filled_out": 1}
    changes = [
        Change(
            one.order.id,
            RETRYING,
            1,
            {"failures": 1},
            to=OrderStatus.PENDING,
            attempt_end=AttemptEnd("expired", None, sends=1),
        ),
        Change(other.order.id, CONFIRMED, 1, bad, attempt_end=AttemptEnd("landed", 9, sends=1)),
    ]
    with pytest.raises(IntegrityError):
        journal.apply(changes)
    assert read(one.order.id).status is OrderStatus.SUBMITTED


def test_recent_starts_restore_the_rate_limit_after_redis_lost_it() -> None:
    order = claimed()
    assert [order_id for order_id, _ in journal.recent_starts(60)] == [order.id]
