"""Orders that are executed by others: what all children sell together is never more than was to be sold."""

from collections.abc import Callable, Collection
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
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.domain.schedule import CatchUp
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
    landed,
    make_final,
    oco,
    seconds_until,
    signed,
    sold,
    twap,
    was_due,
)
from tests.integration.orders import new_order, read, sign

OPEN, PENDING, CONFIRMED_, CANCELLED = (
    OrderStatus.OPEN,
    OrderStatus.PENDING,
    OrderStatus.CONFIRMED,
    OrderStatus.CANCELLED,
)
MARKET_SECONDS = 600


@pytest.fixture
def care(publisher: Publisher, queue: Queue) -> Families:
    """One process that looks after families; chance stands in the middle."""
    return Families(publisher, queue.send, MARKET_SECONDS, RetryPolicy(base_ms=1_000), chance=lambda: 0.5)


def kinds(order_id: UUID) -> list[EventKind]:
    return [EventKind(event.data.kind) for event in views.events_after(order_id, 0)]


def fills(order_id: UUID) -> tuple[int | None, int | None]:
    order = read(order_id)
    return order.filled_in, order.filled_out


def statuses(orders: list[Order]) -> list[OrderStatus]:
    return [read(each.id).status for each in orders]


# At most one child at a time


def second_attempt() -> tuple[LiveAttempt, UUID]:
    """A family of which one child is signed, and another one that was let go all the same."""
    parent = twap()
    first, second = (replace(new_order(), parent_id=parent) for _ in range(2))
    assert len(journal.accept([first, second])) == 2
    return signed(first.id), second.id


def test_the_database_refuses_a_second_live_attempt_of_a_family() -> None:
    _, second = second_attempt()
    with pytest.raises(IntegrityError, match="attempts_one_of_a_family") as refused:
        signed(second)
    assert families.is_taken(refused.value)
    assert Attempt.select().count() == 1


def test_nor_is_one_stored_beside_a_success_that_may_be_rolled_back() -> None:
    first, second = second_attempt()
    landed(first, 160 * USDC, is_final=False)
    with pytest.raises(IntegrityError, match="attempts_one_of_a_family"):
        signed(second)
    make_final(first.order.id)
    assert sign(read(second), "again").number == 1


def test_other_objections_are_no_wait() -> None:
    assert not families.is_taken(IntegrityError("attempts_one_alive"))
    assert not families.is_taken(None)


def test_a_turn_whose_attempt_the_database_refuses_is_a_wait_and_no_failure(desk: Desk, publisher: Publisher) -> None:
    """Nothing is sent, nothing is counted, and it goes on when the other one stands for good."""
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


# Which are looked at


def news() -> list[UUID]:
    return [each.parent_id for each in families.news(0, 100)]


def test_a_family_of_which_there_is_no_news_is_not_read(care: Families, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = oco()
    assert news() == [parent]
    assert (care.run_once(), news()) == (1, [parent]), "the next pass sees whether there is more to do"
    assert (care.run_once(), news()) == (0, [])
    read_of: list[Collection[UUID]] = []

    def these(parents: Collection[UUID], _: object) -> list[families.Family]:
        read_of.append(parents)
        return []

    monkeypatch.setattr(families, "these", these)
    assert (care.run_once(), read_of) == (0, [set()])


def test_the_end_of_a_child_its_finality_and_a_change_of_the_parent_are_news(care: Families) -> None:
    parent = oco()
    while care.run_once():
        pass
    _, stop = children(parent)
    journal.apply([Change(stop.id, Cancelled(), None)])
    assert news() == [parent]
    care.run_once()
    database.execute_sql("UPDATE orders SET cancel_requested = true WHERE id = %s", (str(parent),))
    assert news() == [parent]
    fired = twap()
    care.run_once()
    live = signed(children(fired)[0].id)
    landed(live, 160 * USDC, is_final=False)
    care.run_once()
    make_final(live.order.id)
    assert fired in news()


def test_more_than_one_pass_reads_come_one_after_the_other(care: Families, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderd.engine.families._AT_ONCE", 2)
    parents = [oco() for _ in range(5)]
    assert sum(care.run_once() for _ in range(4)) == 5
    assert [len(children(parent)) for parent in parents] == [2] * 5
    while news():
        care.run_once()


# OCO


def test_an_oco_is_two_orders_that_rest_under_its_time(care: Families) -> None:
    parent = oco(valid_seconds=3_600)
    assert care.run_once() == 1
    assert care.run_once() == 0, "they are made once"
    ends = children(parent)
    assert [(end.kind, end.take_profit_price, end.stop_price, end.amount_in) for end in ends] == [
        ("take_profit", "105", None, SOL),
        ("stop", None, "95", SOL),
    ]
    assert {end.valid_until for end in ends} == {read(parent).valid_until}
    assert kinds(parent) == [EventKind.ACCEPTED, EventKind.EXECUTING, EventKind.EXECUTING]


def test_who_is_asked_about_a_family_tells_its_children_and_their_first_event_names_it(
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


def test_an_order_in_executions_tells_when_the_next_one_is_due_unless_it_is_paused(care: Families) -> None:
    parent = twap()
    assert views.order_view(read(parent)).next_at == read(parent).looks_from
    database.execute_sql("UPDATE orders SET paused = true WHERE id = %s", (str(parent),))
    assert views.order_view(read(parent)).next_at is None
    assert views.order_view(read(oco())).next_at is None


def test_of_two_that_are_met_in_one_look_one_is_let_go(care: Families, begin: Callable[[Market], Watch]) -> None:
    parent = oco(take_profit="105", stop="110")
    care.run_once()
    watch = begin(Market())
    assert watch.sees(106) == 1
    assert sorted(statuses(children(parent))) == [OPEN, PENDING]
    assert len(watch.queue.sent) == 1


def test_the_other_one_waits_until_the_success_is_final_and_is_then_cancelled(
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
    assert watch.sees(94) == 0, "it has sold"
    assert care.run_once() == 1
    assert statuses([read(parent), read(stop.id)]) == [CONFIRMED_, CANCELLED]
    assert fills(parent) == (SOL, 160 * USDC)
    assert read(parent).signature == live.signature


def test_a_success_that_is_rolled_back_and_dies_lets_the_other_one_go(
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


def test_an_oco_whose_ends_have_both_lapsed_is_expired(care: Families) -> None:
    parent = oco(valid_seconds=0)
    care.run_once()
    care.run_once()
    assert read(parent).status is OrderStatus.EXPIRED
    assert fills(parent) == (None, None)


# TWAP


def test_a_twap_sells_all_of_it_one_part_after_the_other(care: Families) -> None:
    parent = twap(slices=3, amount_in=10 * SOL)
    for number in range(1, 4):
        was_due(parent, 0.01)
        assert care.run_once() == 1
        *_, child = children(parent)
        assert care.run_once() == 0, "one at a time"
        sold(child.id, 160 * USDC)
        assert care.run_once() == 1, "told"
        if number < 3:
            assert 58 < seconds_until(parent) <= 60
    care.run_once()
    order = read(parent)
    assert [child.amount_in for child in children(parent)] == [3_333_333_333, 3_333_333_333, 3_333_333_334]
    assert (order.status, order.filled_in, order.filled_out) == (CONFIRMED_, 10 * SOL, 480 * USDC)
    assert order.network_fee == 15_000
    assert kinds(parent)[-3:] == [EventKind.FILLED, EventKind.EXECUTING, EventKind.CONFIRMED]
    view = views.order_view(order)
    assert (view.filled_amount_in, view.executed_price) == ("10", "48")


def test_chance_moves_each_time_and_never_those_after_it(care: Families) -> None:
    """Each is taken up as it is due, and the last one is where it was to be but for a move of its own."""
    parent = twap(slices=20, amount_in=20 * SOL, jitter_bps=10_000)
    was_due(parent, 0)
    waits = []
    for _ in range(19):
        care.run_once()
        sold(children(parent)[-1].id)
        care.run_once()
        waits.append(seconds_until(parent))
        was_due(parent, 0)
    assert max(waits) - min(waits) > 5, "they are moved"
    assert abs(sum(waits) - 19 * 60) < 30 + 1, "by half of the time from one to the next at most"


def test_no_slice_begins_while_the_one_before_may_be_rolled_back(care: Families) -> None:
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


def test_what_a_slice_could_not_sell_is_carried_into_the_next(care: Families) -> None:
    parent = twap(slices=2)
    was_due(parent, 0.01)
    care.run_once()
    failed(children(parent)[0].id)
    was_due(parent, 0.01)
    assert care.run_once() == 1
    assert [child.amount_in for child in children(parent)] == [2 * SOL, 4 * SOL]


def test_a_twap_whose_last_slice_fails_ends_with_what_it_has_sold(care: Families) -> None:
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


def test_a_twap_of_which_nothing_was_sold_fails_as_its_last_slice_did(care: Families) -> None:
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
def test_times_that_were_missed_are_made_up_for_as_was_said(
    care: Families, catch_up: CatchUp, amounts: list[int]
) -> None:
    """The daemon comes back three and a half times after the first one was due: that of the last half is not missed."""
    parent = twap(slices=10, amount_in=10 * SOL, catch_up=catch_up)
    was_due(parent, 3.5 * 60)
    for _ in range(20):
        care.run_once()
        for child in children(parent):
            if read(child.id).status is PENDING:
                sold(child.id)
    assert [child.amount_in for child in children(parent)] == amounts
    assert 25 < seconds_until(parent) <= 30, "the times that were said stay"


def test_a_slice_that_takes_longer_than_its_time_is_a_missed_time(care: Families) -> None:
    parent = twap(slices=4, catch_up=CatchUp.ALL)
    was_due(parent, 0.01)
    care.run_once()
    was_due(parent, 61)
    sold(children(parent)[0].id)
    assert care.run_once() == 1, "told"
    assert seconds_until(parent) < -60, "it is due when it was"


def test_a_twap_that_is_over_sells_no_more(care: Families) -> None:
    parent = twap(valid_seconds=0)
    was_due(parent, 0.01)
    care.run_once()
    assert (read(parent).status, children(parent)) == (OrderStatus.EXPIRED, [])


def test_no_slice_is_valid_for_longer_than_its_order(care: Families) -> None:
    parent = twap(valid_seconds=30)
    was_due(parent, 0.01)
    care.run_once()
    assert children(parent)[0].valid_until == read(parent).valid_until


def test_a_slice_has_until_the_next_one(care: Families) -> None:
    parent = twap(valid_seconds=3_600)
    was_due(parent, 0.01)
    care.run_once()
    (child,) = children(parent)
    assert child.valid_until is not None
    assert (child.valid_until - child.created_at).total_seconds() == pytest.approx(60, abs=1)


# Parts of a limit order


def test_a_part_that_pays_the_limit_goes_and_the_rest_rests(care: Families) -> None:
    parent = in_parts()
    assert care.execute(parent, 4 * SOL)
    (child,) = children(parent)
    assert (child.kind, child.limit_price, child.time_in_force, child.amount_in) == ("limit", "105", "fok", 4 * SOL)
    assert not care.execute(parent, 4 * SOL), "one at a time"
    sold(child.id, 430 * USDC)
    assert care.run_once() == 1
    assert (read(parent).status, fills(parent)) == (OPEN, (4 * SOL, 430 * USDC))
    assert seconds_until(parent) <= 0, "it is looked at again at once"
    assert not care.execute(parent, 7 * SOL), "more than is left"
    assert care.execute(parent, 6 * SOL)
    sold(children(parent)[1].id, 640 * USDC)
    care.run_once()
    order = read(parent)
    assert (order.status, order.filled_in, order.filled_out) == (CONFIRMED_, 10 * SOL, 1_070 * USDC)


def test_the_triggers_let_the_largest_part_go_that_pays(
    care: Families, publisher: Publisher, begin: Callable[[Market], Watch]
) -> None:
    parent = in_parts()
    watch = begin(Market())
    watch.triggers._execute = care.execute
    assert watch.sees(104) == 0
    assert watch.sees(106) == 1
    assert [child.amount_in for child in children(parent)] == [10 * SOL]


def test_a_part_that_fails_is_tried_again_after_a_while(care: Families) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    failed(children(parent)[0].id)
    assert care.run_once() == 1
    assert 0 < seconds_until(parent) <= 1
    assert kinds(parent)[-1] is EventKind.RETRYING


def test_an_order_that_ends_partly_filled_keeps_its_fills(care: Families) -> None:
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


def test_a_cancel_takes_what_is_not_signed_with_it(care: Families) -> None:
    parent = oco()
    care.run_once()
    cancel(parent)
    assert statuses([read(parent), *children(parent)]) == [CANCELLED] * 3
    assert cancel(parent) == []


def test_a_cancel_waits_for_what_is_signed(care: Families) -> None:
    parent = twap()
    was_due(parent, 0.01)
    care.run_once()
    live = signed(children(parent)[0].id)
    cancel(parent)
    assert (read(parent).status, read(parent).cancel_requested) == (OPEN, True)
    assert read(live.order.id).cancel_requested
    assert cancel(parent) == [], "twice is not an error"
    was_due(parent, 61)
    assert care.run_once() == 0
    landed(live, 160 * USDC)
    care.run_once()
    assert (read(parent).status, fills(parent)) == (CANCELLED, (SOL, 160 * USDC))
    assert len(children(parent)) == 1


# Kills


@pytest.mark.parametrize("where", ["accept", "apply"])
def test_what_is_broken_off_is_as_if_it_had_not_begun(
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


def test_a_child_that_nobody_was_told_of_is_found_by_dispatch(care: Families, queue: Queue) -> None:
    parent = twap()
    was_due(parent, 0.01)
    queue.outage = ConnectionError("killed before it was sent")
    with pytest.raises(ConnectionError):
        care.run_once()
    queue.outage = None
    assert care.run_once() == 0, "it is there"
    (child,) = children(parent)
    assert (child.status, child.due_at is not None) == (PENDING, True)


def test_one_process_at_a_time_looks_after_families(care: Families) -> None:
    twap()
    with families.exclusive_care() as is_mine:
        assert is_mine
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(care.run_once).result(20) == 0
