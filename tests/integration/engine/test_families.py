"""Parent orders and their children: the children together never sell more than the parent's amount."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from peewee import IntegrityError, OperationalError

from db import families, finality, journal
from db.connection import database
from db.journal import AttemptEnd, Change
from db.leases import LiveAttempt
from db.models import Attempt, Order
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Accepted, Cancelled, Retrying
from orderd.domain.order import CatchUp, EventKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine import views
from orderd.engine.failure import AttemptFailedError, Failures
from orderd.engine.families import Families, cancel
from orderd.engine.publish import Publisher
from tests.integration.engine.conftest import Queue
from tests.integration.engine.test_execution import Desk
from tests.integration.engine.test_execution import desk as desk  # a fixture
from tests.integration.engine.test_triggers import Market, Watch
from tests.integration.engine.test_triggers import begin as begin
from tests.integration.family import (
    SOL,
    USDC,
    children,
    failed,
    in_parts,
    is_next,
    landed,
    make_final,
    oco,
    seconds_until,
    signed,
    sold,
    taken_for_dead,
    twap,
    was_due,
)
from tests.integration.orders import new_order, read, sign
from tests.integration.statements import executed

OPEN, PENDING, CONFIRMED_, CANCELLED = (
    OrderStatus.OPEN,
    OrderStatus.PENDING,
    OrderStatus.CONFIRMED,
    OrderStatus.CANCELLED,
)
MARKET_SECONDS = 600


@pytest.fixture
def care(publisher: Publisher, queue: Queue) -> Families:
    """One process that manages families; random moves are zero."""
    return Families(publisher, queue.send, MARKET_SECONDS, RetryPolicy(base_ms=1_000), chance=lambda: 0.5)


def kinds(order_id: UUID) -> list[EventKind]:
    return [EventKind(event.data.kind) for event in views.events_after(order_id, 0)]


def fills(order_id: UUID) -> tuple[int | None, int | None]:
    order = read(order_id)
    return order.filled_in, order.filled_out


def statuses(orders: list[Order]) -> list[OrderStatus]:
    return [read(each.id).status for each in orders]


# At most one live attempt per family


def second_attempt() -> tuple[LiveAttempt, UUID]:
    """A family with one signed child, and a second child that was started nevertheless."""
    parent = twap()
    first, second = (replace(new_order(), parent_id=parent) for _ in range(2))
    assert len(journal.accept([first, second])) == 2
    return signed(first.id), second.id


def test_the_database_refuses_a_second_live_attempt_of_a_family() -> None:
    _, second = second_attempt()
    with pytest.raises(IntegrityError, match="attempts_one_of_a_family") as refused:
        signed(second)
    assert families.is_busy(refused.value)
    assert Attempt.select().count() == 1


def test_the_database_refuses_an_attempt_besides_a_fill_that_is_not_final() -> None:
    first, second = second_attempt()
    landed(first, 160 * USDC, is_final=False)
    with pytest.raises(IntegrityError, match="attempts_one_of_a_family"):
        signed(second)
    make_final(first.order.id)
    assert sign(read(second), "again").number == 1


def test_other_database_errors_are_not_treated_as_a_wait() -> None:
    assert not families.is_busy(IntegrityError("attempts_one_alive"))
    assert not families.is_busy(None)


def test_a_turn_whose_attempt_the_database_refuses_waits_without_a_failure(desk: Desk, publisher: Publisher) -> None:
    """Nothing is sent or counted as an attempt; the order continues when the other child's fill is final."""
    first, second = second_attempt()
    with pytest.raises(AttemptFailedError) as kept:
        desk.work(second)
    assert kept.value.error.code is ErrorCode.ORDER_FAMILY_BUSY
    assert desk.sender.sent == []
    Failures(RetryPolicy(), publisher).record([kept.value])
    order = read(second)
    assert (order.status, order.waits_for, order.failures) == (PENDING, "ORDER_FAMILY_BUSY", 0)
    landed(first, 160 * USDC)
    database.execute_sql("UPDATE orders SET due_at = now() WHERE id = %s", (str(second),))
    assert desk.work(second)
    assert len(desk.sender.sent) == 1


# Which families are evaluated


def changed() -> list[UUID]:
    return [each.parent_id for each in families.changes(0, 100)]


def test_a_family_without_changes_is_not_read(care: Families) -> None:
    parent = oco()
    assert changed() == [parent]
    assert (care.run_once(), changed()) == (1, [parent]), "the next pass checks for more work"
    assert (care.run_once(), changed()) == (0, [])
    with executed() as statements:
        assert care.run_once() == 0
    assert len(statements) == 1


def test_a_childs_end_its_finality_and_a_change_of_the_parent_trigger_a_pass(care: Families) -> None:
    parent = oco()
    while care.run_once():
        pass
    _, stop = children(parent)
    journal.apply([Change(stop.id, Cancelled(), None)])
    assert changed() == [parent]
    care.run_once()
    database.execute_sql("UPDATE orders SET cancel_requested = true WHERE id = %s", (str(parent),))
    assert changed() == [parent]
    fired = twap()
    care.run_once()
    live = signed(children(fired)[0].id)
    landed(live, 160 * USDC, is_final=False)
    care.run_once()
    make_final(live.order.id)
    assert fired in changed()


def test_more_families_than_one_pass_reads_are_read_in_turn(care: Families, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderd.engine.families._AT_ONCE", 2)
    parents = [oco() for _ in range(5)]
    assert sum(care.run_once() for _ in range(4)) == 5
    assert [len(children(parent)) for parent in parents] == [2] * 5
    while changed():
        care.run_once()


# OCO


def test_an_oco_creates_two_resting_orders_with_its_validity(care: Families) -> None:
    parent = oco(valid_seconds=3_600)
    assert care.run_once() == 1
    assert care.run_once() == 0, "children were created twice"
    ends = children(parent)
    assert [(end.kind, end.take_profit_price, end.stop_price, end.amount_in) for end in ends] == [
        ("take_profit", "105", None, SOL),
        ("stop", None, "95", SOL),
    ]
    assert {end.valid_until for end in ends} == {read(parent).valid_until}
    assert len({end.id.int >> 80 for end in ends}) == 2, "their ids begin with the same millisecond"
    assert kinds(parent) == [EventKind.ACCEPTED, EventKind.EXECUTING, EventKind.EXECUTING]


def test_a_parent_lists_its_children_and_their_first_event_names_it(
    care: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = oco()
    care.run_once()
    profit, stop = children(parent)
    detail = views.get(read(parent).account_id, str(parent))
    assert [(each.id, each.parent_id) for each in detail.children] == [(profit.id, parent), (stop.id, parent)]
    (accepted,) = views.events_after(stop.id, 0)
    assert isinstance(accepted.data, Accepted)
    assert accepted.data.parent_id == parent
    monkeypatch.setattr(views, "CHILDREN_SHOWN", 1)
    assert [each.id for each in views.get(read(parent).account_id, str(parent)).children] == [stop.id]


def test_a_twap_shows_when_its_next_execution_is_due_unless_paused(care: Families) -> None:
    parent = twap()
    assert views.order_view(read(parent)).next_at == read(parent).looks_from
    database.execute_sql("UPDATE orders SET paused = true WHERE id = %s", (str(parent),))
    assert views.order_view(read(parent)).next_at is None
    assert views.order_view(read(oco())).next_at is None


def test_only_one_of_two_children_met_at_once_is_started(care: Families, begin: Callable[[Market], Watch]) -> None:
    parent = oco(take_profit="105", stop="110")
    care.run_once()
    watch = begin(Market())
    assert watch.sees(106) == 1
    assert sorted(statuses(children(parent))) == [OPEN, PENDING]
    assert len(watch.queue.sent) == 1


def test_a_child_that_cannot_be_stored_as_fired_does_not_block_others(
    care: Families, begin: Callable[[Market], Watch]
) -> None:
    parents = oco(), oco()
    care.run_once()
    (bad, _), (good, _) = map(children, parents)
    database.execute_sql("ALTER TABLE orders ADD CHECK (id <> %s OR status <> 'pending')", (str(bad.id),))
    watch = begin(Market())
    assert watch.sees(106) == 1
    assert statuses([read(bad.id), read(good.id)]) == [OPEN, PENDING]
    assert watch.queue.sent == [good.id]


def test_the_other_child_waits_for_finality_and_is_then_cancelled(
    care: Families, begin: Callable[[Market], Watch]
) -> None:
    parent = oco()
    care.run_once()
    watch = begin(Market())
    watch.sees(106)
    profit, stop = children(parent)
    live = signed(profit.id)
    assert (watch.sees(94), care.run_once()) == (0, 0), "signed"
    landed(live, 160 * USDC, is_final=False)
    watch.now[0] += 2
    assert (watch.sees(94), care.run_once()) == (0, 0), "not final"
    assert statuses([read(parent), read(stop.id)]) == [OPEN, OPEN]
    make_final(profit.id)
    watch.now[0] += 2
    assert watch.sees(94) == 0, "the family has already sold"
    assert care.run_once() == 1
    assert statuses([read(parent), read(stop.id)]) == [CONFIRMED_, CANCELLED]
    assert fills(parent) == (SOL, 160 * USDC)
    assert read(parent).signature == live.signature


def test_a_rolled_back_and_expired_fill_lets_the_other_child_start(
    care: Families, begin: Callable[[Market], Watch]
) -> None:
    parent = oco()
    care.run_once()
    watch = begin(Market())
    watch.sees(106)
    profit, stop = children(parent)
    landed(signed(profit.id), 160 * USDC, is_final=False)
    finality.roll_back(finality.awaiting(10))
    watch.now[0] += 2
    assert (watch.sees(94), care.run_once()) == (0, 0), "the same bytes may land"
    order = read(profit.id)
    dead = Change(
        order.id,
        Retrying(attempt=1, code=ErrorCode.TX_EXPIRED, detail="dead", until=order.updated_at),
        order.version,
        {"failures": 1},
        to=OPEN,
        attempt_end=AttemptEnd("expired", None, sends=1),
    )
    assert journal.apply([dead])
    watch.now[0] += 2
    assert watch.sees(94) == 1
    assert statuses([read(each) for each in (parent, profit.id, stop.id)]) == [OPEN, OPEN, PENDING]


def test_the_other_child_never_sells_what_an_operator_took_for_dead(
    care: Families, begin: Callable[[Market], Watch]
) -> None:
    """Nothing proved it dead: if it has landed after all, the amount is sold."""
    parent = oco()
    care.run_once()
    watch = begin(Market())
    watch.sees(106)
    profit, stop = children(parent)
    taken_for_dead(signed(profit.id))
    watch.now[0] += 2
    assert watch.sees(94) == 0, "also before the family is looked at"
    assert care.run_once() == 1
    assert statuses([read(parent), read(stop.id)]) == [OrderStatus.FAILED, CANCELLED]
    assert (read(parent).error_code, fills(parent)) == ("TX_ABANDONED", (None, None))


def test_an_oco_expires_when_both_children_have_expired(care: Families) -> None:
    parent = oco(valid_seconds=0)
    care.run_once()
    care.run_once()
    assert read(parent).status is OrderStatus.EXPIRED
    assert fills(parent) == (None, None)


# TWAP


def test_a_twap_sells_its_amount_one_execution_at_a_time(care: Families) -> None:
    parent = twap(slices=3, amount_in=10 * SOL)
    for number in range(1, 4):
        due = was_due(parent, 0.01)
        assert care.run_once() == 1
        *_, child = children(parent)
        assert care.run_once() == 0, "one at a time"
        sold(child.id, 160 * USDC)
        assert care.run_once() == 1, "told"
        if number < 3:
            assert is_next(parent, 60, due)
    care.run_once()
    order = read(parent)
    assert [child.amount_in for child in children(parent)] == [3_333_333_333, 3_333_333_333, 3_333_333_334]
    assert (order.status, order.filled_in, order.filled_out) == (CONFIRMED_, 10 * SOL, 480 * USDC)
    assert order.network_fee == 15_000
    assert kinds(parent)[-3:] == [EventKind.FILLED, EventKind.EXECUTING, EventKind.CONFIRMED]
    view = views.order_view(order)
    assert (view.filled_amount_in, view.executed_price) == ("10", "48")


def test_each_execution_gets_its_share_of_the_orders_own_minimum(care: Families) -> None:
    parent = twap(slices=3, amount_in=9 * SOL, min_out=1_000)
    was_due(parent, 0.01)
    care.run_once()
    assert [child.min_out for child in children(parent)] == [334], "rounded up"


def test_jitter_moves_each_execution_independently(care: Families) -> None:
    """Each execution starts when it is due; the last one differs from its schedule only by its own jitter."""
    parent = twap(slices=20, amount_in=20 * SOL, jitter_bps=10_000)
    was_due(parent, 0)
    waits = []
    for _ in range(19):
        care.run_once()
        sold(children(parent)[-1].id)
        care.run_once()
        waits.append(seconds_until(parent))
        was_due(parent, 0)
    assert max(waits) - min(waits) > 5, "jitter did not move the executions"
    assert abs(sum(waits) - 19 * 60) < 30 + 1, "jitter exceeded half of the interval"


def test_no_execution_starts_before_the_previous_one_is_final(care: Families) -> None:
    parent = twap(slices=2)
    was_due(parent, 0.01)
    care.run_once()
    (first,) = children(parent)
    landed(signed(first.id), 160 * USDC, is_final=False)
    was_due(parent, 61)
    assert (care.run_once(), fills(parent)) == (0, (None, None))
    make_final(first.id)
    assert (care.run_once(), fills(parent)) == (1, (2 * SOL, 160 * USDC))
    assert care.run_once() == 1
    assert [child.amount_in for child in children(parent)] == [2 * SOL, 2 * SOL]


def test_the_unsold_amount_of_an_execution_is_carried_into_the_next(care: Families) -> None:
    parent = twap(slices=2)
    was_due(parent, 0.01)
    care.run_once()
    failed(children(parent)[0].id)
    was_due(parent, 0.01)
    assert care.run_once() == 1
    assert [child.amount_in for child in children(parent)] == [2 * SOL, 4 * SOL]


def test_what_an_operator_took_for_dead_is_not_carried_into_the_next_execution(care: Families) -> None:
    parent = twap(slices=3, amount_in=9 * SOL)
    was_due(parent, 0.01)
    care.run_once()
    taken_for_dead(signed(children(parent)[0].id))
    for _ in range(2):
        was_due(parent, 0.01)
        assert care.run_once() == 1
        sold(children(parent)[-1].id)
        care.run_once()
    assert [child.amount_in for child in children(parent)] == [3 * SOL, 3 * SOL, 3 * SOL]
    care.run_once()
    order = read(parent)
    assert (order.status, order.filled_in, order.error_code) == (OrderStatus.FAILED, 6 * SOL, "TX_ABANDONED")
    assert order.error_detail is not None
    assert "3 SOL were not sold" in order.error_detail


def test_the_rest_of_a_part_that_an_operator_took_for_dead_is_not_executed(care: Families) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    taken_for_dead(signed(children(parent)[0].id))
    assert not care.execute(parent, 7 * SOL), "more than what is left"
    assert care.run_once() == 1
    assert (read(parent).status, read(parent).error_code) == (OrderStatus.FAILED, "TX_ABANDONED")


def test_a_twap_whose_last_execution_fails_keeps_its_fills(care: Families) -> None:
    parent = twap(slices=2)
    was_due(parent, 0.01)
    care.run_once()
    sold(children(parent)[0].id)
    care.run_once()
    was_due(parent, 0.01)
    care.run_once()
    failed(children(parent)[1].id)
    care.run_once()
    order = read(parent)
    assert (order.status, order.filled_in, order.error_code) == (OrderStatus.EXPIRED, 2 * SOL, "ORDER_EXPIRED")
    assert order.error_detail is not None
    assert "2 SOL were not sold" in order.error_detail


def test_a_twap_without_fills_fails_with_the_error_of_its_last_execution(care: Families) -> None:
    parent = twap(slices=1)
    was_due(parent, 0.01)
    care.run_once()
    failed(children(parent)[0].id, ErrorCode.FUNDS_INSUFFICIENT)
    care.run_once()
    assert (read(parent).status, read(parent).error_code) == (OrderStatus.FAILED, "FUNDS_INSUFFICIENT")


@pytest.mark.parametrize(
    ("catch_up", "amounts"),
    [
        (CatchUp.ONE, [10 * SOL // 7]),
        (CatchUp.ALL, [SOL, SOL, SOL, SOL]),
        (CatchUp.NONE, [10 * SOL // 7]),
    ],
)
def test_missed_executions_are_caught_up_by_the_chosen_policy(
    care: Families, catch_up: CatchUp, amounts: list[int]
) -> None:
    """The daemon returns 3.5 intervals after the first execution was due."""
    parent = twap(slices=10, amount_in=10 * SOL, catch_up=catch_up)
    due = was_due(parent, 3.5 * 60)
    for _ in range(20):
        care.run_once()
        for child in children(parent):
            if read(child.id).status is PENDING:
                sold(child.id)
    assert [child.amount_in for child in children(parent)] == amounts
    assert is_next(parent, 4 * 60, due), "the schedule has moved"


def test_an_execution_that_exceeds_its_interval_counts_as_a_missed_one(care: Families) -> None:
    parent = twap(slices=4, catch_up=CatchUp.ALL)
    was_due(parent, 0.01)
    care.run_once()
    was_due(parent, 61)
    sold(children(parent)[0].id)
    assert care.run_once() == 1, "told"
    assert seconds_until(parent) < -60, "the schedule has moved"


def test_an_ended_twap_starts_no_execution(care: Families) -> None:
    parent = twap(valid_seconds=0)
    was_due(parent, 0.01)
    care.run_once()
    assert (read(parent).status, children(parent)) == (OrderStatus.EXPIRED, [])


def test_no_execution_is_valid_longer_than_its_parent(care: Families) -> None:
    parent = twap(valid_seconds=30)
    was_due(parent, 0.01)
    care.run_once()
    assert children(parent)[0].valid_until == read(parent).valid_until


def test_an_execution_is_valid_until_the_next_one(care: Families) -> None:
    parent = twap(valid_seconds=3_600)
    was_due(parent, 0.01)
    care.run_once()
    (child,) = children(parent)
    assert child.valid_until is not None
    assert (child.valid_until - child.created_at).total_seconds() == pytest.approx(60, abs=1)


# Partial limit orders


def test_a_part_that_meets_the_limit_is_executed_and_the_rest_stays_open(care: Families) -> None:
    parent = in_parts()
    assert care.execute(parent, 4 * SOL)
    (child,) = children(parent)
    assert (child.kind, child.limit_price, child.time_in_force, child.amount_in) == ("limit", "105", "fok", 4 * SOL)
    assert not care.execute(parent, 4 * SOL), "one at a time"
    sold(child.id, 430 * USDC)
    assert care.run_once() == 1
    assert (read(parent).status, fills(parent)) == (OPEN, (4 * SOL, 430 * USDC))
    assert seconds_until(parent) <= 0, "the parent is not evaluated at once"
    assert not care.execute(parent, 7 * SOL), "more than the remaining amount"
    assert care.execute(parent, 6 * SOL)
    sold(children(parent)[1].id, 640 * USDC)
    care.run_once()
    order = read(parent)
    assert (order.status, order.filled_in, order.filled_out) == (CONFIRMED_, 10 * SOL, 1_070 * USDC)


def test_triggers_execute_the_largest_part_that_meets_the_limit(
    care: Families, publisher: Publisher, begin: Callable[[Market], Watch]
) -> None:
    parent = in_parts()
    watch = begin(Market())
    watch.triggers._execute = care.execute
    assert watch.sees(104) == 0
    assert watch.sees(106) == 1
    assert [child.amount_in for child in children(parent)] == [10 * SOL]


def test_a_part_that_cannot_be_executed_does_not_block_others(
    care: Families, publisher: Publisher, begin: Callable[[Market], Watch]
) -> None:
    bad, good = in_parts(), in_parts()
    database.execute_sql("ALTER TABLE orders ADD CHECK (parent_id IS DISTINCT FROM %s)", (str(bad),))
    watch = begin(Market())
    watch.triggers._execute = care.execute
    watch.sees(106)
    assert [len(children(bad)), len(children(good))] == [0, 1]


def test_a_part_gets_its_share_of_the_orders_own_minimum(care: Families, begin: Callable[[Market], Watch]) -> None:
    """That is more than the limit here."""
    parent = in_parts(min_out=1_100 * USDC)
    watch = begin(Market())
    watch.triggers._execute = care.execute
    assert watch.sees(107) == 0
    assert watch.sees(111) == 1
    assert [(child.amount_in, child.min_out) for child in children(parent)] == [(10 * SOL, 1_100 * USDC)]


def test_a_failed_part_is_retried_after_a_pause(care: Families) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    failed(children(parent)[0].id)
    assert care.run_once() == 1
    order = read(parent)
    assert order.looks_from is not None
    assert (order.looks_from - order.updated_at).total_seconds() > 0.5
    assert seconds_until(parent) <= 1
    assert kinds(parent)[-1] is EventKind.RETRYING


def test_a_partly_filled_order_keeps_its_fills_when_it_ends(care: Families) -> None:
    lapses, withdrawn = in_parts(valid_seconds=3_600), in_parts()
    for parent in (lapses, withdrawn):
        care.execute(parent, 4 * SOL)
        sold(children(parent)[0].id, 430 * USDC)
        care.run_once()
    database.execute_sql("UPDATE orders SET valid_until = clock_timestamp() WHERE id = %s", (str(lapses),))
    care.run_once()
    with database.connection_context():
        cancel(withdrawn)
    assert (read(lapses).status, fills(lapses)) == (OrderStatus.EXPIRED, (4 * SOL, 430 * USDC))
    assert (read(withdrawn).status, fills(withdrawn)) == (CANCELLED, (4 * SOL, 430 * USDC))


# Cancels


def test_a_cancel_also_cancels_unsigned_children(care: Families) -> None:
    parent = oco()
    care.run_once()
    cancel(parent)
    assert statuses([read(parent), *children(parent)]) == [CANCELLED] * 3
    assert cancel(parent) == []


def test_a_cancel_waits_for_signed_children(care: Families) -> None:
    parent = twap()
    was_due(parent, 0.01)
    care.run_once()
    live = signed(children(parent)[0].id)
    cancel(parent)
    assert (read(parent).status, read(parent).cancel_requested) == (OPEN, True)
    assert read(live.order.id).cancel_requested
    assert cancel(parent) == [], "a second cancel failed"
    was_due(parent, 61)
    assert care.run_once() == 0
    landed(live, 160 * USDC)
    care.run_once()
    assert (read(parent).status, fills(parent)) == (CANCELLED, (SOL, 160 * USDC))
    assert len(children(parent)) == 1


# Kills


@pytest.mark.parametrize("where", ["accept", "apply"])
def test_a_crash_while_children_are_created_leaves_no_trace(
    care: Families, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    parent = twap()
    was_due(parent, 0.01)

    def dies(*_: object) -> None:
        raise OperationalError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(journal, where, dies)
        assert care.run_once() == 0
    assert (read(parent).slice_no, children(parent)) == (0, [])
    assert care.run_once() == 1
    assert (read(parent).slice_no, len(children(parent))) == (1, 1)


def test_a_child_whose_message_was_lost_is_found_by_dispatch(care: Families, queue: Queue) -> None:
    parent = twap()
    was_due(parent, 0.01)
    queue.outage = ConnectionError("killed before it was sent")
    with pytest.raises(ConnectionError):
        care.run_once()
    queue.outage = None
    assert care.run_once() == 0, "the child exists"
    (child,) = children(parent)
    assert (child.status, child.due_at is not None) == (PENDING, True)


def test_only_one_process_at_a_time_manages_families(care: Families) -> None:
    twap()
    with families.exclusive_handling() as is_mine:
        assert is_mine
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(care.run_once).result(20) == 0
