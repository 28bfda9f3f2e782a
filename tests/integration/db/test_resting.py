"""Resting orders have no due time and no claim; a trigger, a cancel or their expiry ends the rest, and only one of
them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from peewee import IntegrityError

from db import journal, resting
from db.connection import database
from db.journal import Change, Moved
from db.models import Order
from db.resting import Best
from db.terms import terms_of
from db.validity import expire, expiry
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import RATE_LIMIT, Cancelled, Deferred, Expired, Retrying, Triggered
from orderd.domain.order import CatchUp, EventKind, OrderKind, OrderStatus, TimeInForce
from orderd.engine import views
from tests.integration.orders import claimed, new_order, pending, read, route, sign

pytestmark = pytest.mark.usefixtures("connection")
TTL_SECONDS = 600
PRICES: dict[OrderKind, dict[str, Any]] = {
    OrderKind.LIMIT: {"limit_price": "105", "time_in_force": TimeInForce.GTC},
    OrderKind.STOP: {"stop_price": "95", "confirm": 2, "max_slippage_bps": 500},
    OrderKind.STOP_LIMIT: {"stop_price": "95", "limit_price": "94.125", "confirm": 2},
    OrderKind.TAKE_PROFIT: {"take_profit_price": "120"},
    OrderKind.TRAILING: {"trail": "3%", "confirm": 2, "confirm_seconds": 2},
}
ALL = pytest.mark.parametrize("kind", PRICES)
TRIGGERED = Triggered(price="105", amount_out="157.5", condition="105", slot=9, met_at_slot=9)


def accept(kind: OrderKind, **terms: Any) -> Order:
    """Accept an order as the daemon does, where market orders are valid for ten minutes."""
    order = replace(new_order(kind=kind, **PRICES[kind], **terms), valid_seconds=TTL_SECONDS)
    (moved,) = journal.accept([order], "gateway")
    return moved.order


def trigger(order: Order) -> list[Moved]:
    return journal.apply([Change(order.id, TRIGGERED, order.version, to=OrderStatus.PENDING, valid=True)])


def cancel(order_id: UUID) -> list[Moved]:
    return journal.apply([Change(order_id, Cancelled(), None)])


def let_pass(order_id: UUID, seconds: int) -> None:
    """Move all stored times of the order into the past."""
    columns = ("due_at", "looks_from", "waits_since", "valid_until")
    moved = ", ".join(f"{name} = {name} - %(by)s * interval '1 s'" for name in columns)
    database.execute_sql(f"UPDATE orders SET {moved} WHERE id = %(id)s", {"by": seconds, "id": str(order_id)})


@ALL
def test_a_resting_order_is_stored_with_its_terms(kind: OrderKind) -> None:
    order = accept(kind)
    assert order.status is OrderStatus.OPEN
    assert order.looks_from is not None
    assert (order.due_at, order.lease_owner, order.lease_until) == (None, None, None)
    assert {name: getattr(terms_of(read(order.id)), name) for name in PRICES[kind]} == PRICES[kind]
    assert [event.status for event in views.events_after(order.id, 0)] == [OrderStatus.OPEN]


@ALL
def test_the_default_validity_applies_only_to_market_orders(kind: OrderKind) -> None:
    assert accept(kind).valid_until is None
    (moved,) = journal.accept([replace(new_order(), valid_seconds=TTL_SECONDS)])
    assert moved.order.valid_until is not None


def test_a_resting_order_keeps_its_own_validity() -> None:
    order = accept(OrderKind.LIMIT, valid_seconds=90)
    assert order.valid_until is not None
    assert (order.valid_until - order.created_at).total_seconds() == pytest.approx(90, abs=1)
    until = datetime(2126, 12, 1, tzinfo=UTC)
    assert accept(OrderKind.STOP, expires_at=until).valid_until == until


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_ioc_or_fok_order_is_due_at_once(time_in_force: TimeInForce) -> None:
    order_id = pending(kind=OrderKind.LIMIT, limit_price="105", time_in_force=time_in_force)
    order = read(order_id)
    assert (order.status, order.looks_from) == (OrderStatus.PENDING, None)
    assert len(journal.claim([order_id], "worker-a", 15)) == 1


def test_a_resting_order_cannot_be_claimed() -> None:
    assert journal.claim([accept(OrderKind.LIMIT).id], "worker-a", 15) == []


def test_a_triggered_order_is_due_at_once_and_stores_its_trigger_time() -> None:
    order = accept(OrderKind.STOP_LIMIT)
    (moved,) = trigger(order)
    assert moved.order.status is OrderStatus.PENDING
    assert moved.order.triggered_at is not None
    assert moved.order.looks_from is None
    assert len(journal.claim([order.id], "worker-a", 15)) == 1
    assert [event.data.kind for event in views.events_after(order.id, 0)] == [
        EventKind.ACCEPTED,
        EventKind.TRIGGERED,
        EventKind.STARTED,
    ]


def test_a_trigger_applies_only_to_the_version_that_was_read() -> None:
    order = accept(OrderKind.LIMIT)
    database.execute_sql("UPDATE orders SET version = version + 1 WHERE id = %s", (str(order.id),))
    assert trigger(order) == []
    assert read(order.id).status is OrderStatus.OPEN
    assert len(trigger(read(order.id))) == 1
    assert trigger(read(order.id)) == [], "the order fired twice"


def end_it(order: Order) -> list[Moved]:
    let_pass(order.id, 90)
    return journal.apply([expiry(order)])


@pytest.mark.parametrize(
    "first", [trigger, lambda order: cancel(order.id), end_it], ids=["trigger", "cancel", "expiry"]
)
@pytest.mark.parametrize("second", [trigger, lambda order: cancel(order.id)], ids=["trigger", "cancel"])
def test_the_first_of_trigger_cancel_and_expiry_decides(
    first: Callable[[Order], list[Moved]], second: Callable[[Order], list[Moved]]
) -> None:
    order = accept(OrderKind.LIMIT, valid_seconds=60)
    (moved,) = first(order)
    after = second(order)
    if moved.order.status is OrderStatus.PENDING and after:
        assert after[0].order.status is OrderStatus.CANCELLED, "a triggered order can be cancelled until it is signed"
    else:
        assert after == []
        assert read(order.id).status is moved.order.status


def test_an_order_past_its_validity_expires_and_does_not_fire() -> None:
    order = accept(OrderKind.LIMIT, valid_seconds=60)
    assert expire(10) == []
    let_pass(order.id, 61)
    assert trigger(order) == []
    (moved,) = expire(10)
    assert (moved.order.status, moved.order.error_code) == (OrderStatus.EXPIRED, ErrorCode.ORDER_EXPIRED)
    assert isinstance(moved.event.data, Expired)
    assert "the market did not meet its price: 105 USDC per SOL = at least 157.5 USDC" in moved.event.data.detail
    assert expire(10) == []


def test_waiting_and_resting_orders_expire_together() -> None:
    orders = [accept(OrderKind.LIMIT, valid_seconds=60).id, pending(valid_seconds=60)]
    for order_id in orders:
        let_pass(order_id, 61)
    assert {moved.order.id for moved in expire(10)} == set(orders)


@pytest.mark.parametrize("is_date", [False, True], ids=["duration", "date"])
def test_a_date_expires_an_order_that_waits_for_the_rate_limit(is_date: bool) -> None:
    """A validity given as a duration does not run while the order waits for a start; a date is absolute."""
    until = {"expires_at": datetime.now(UTC) + timedelta(seconds=60)} if is_date else {"valid_seconds": 60}
    order = accept(OrderKind.LIMIT, **until)
    trigger(order)
    journal.defer({order.id: 120_000}, RATE_LIMIT)
    assert (read(order.id).due_at == read(order.id).valid_until) == is_date, (
        "the order is due at the end of its validity"
    )
    let_pass(order.id, 3_600)
    assert len(expire(10)) == is_date
    assert len(journal.claim([order.id], "worker-a", 15)) == (not is_date)


def test_an_order_that_waited_for_a_start_keeps_its_date() -> None:
    until = datetime(2126, 12, 1, tzinfo=UTC)
    order = accept(OrderKind.LIMIT, expires_at=until)
    trigger(order)
    journal.defer({order.id: 0}, RATE_LIMIT)
    (moved,) = journal.claim([order.id], "worker-a", 15)
    assert moved.order.valid_until == until


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_failed_attempt_lets_the_order_rest_again_with_a_pause(is_signed: bool) -> None:
    order = accept(OrderKind.LIMIT)
    trigger(order)
    (moved,) = journal.claim([order.id], "worker-a", 15)
    change: dict[str, Any] = {"to": OrderStatus.OPEN, "delay_ms": 4_000}
    if is_signed:
        order = sign(route(moved.order), "sig").order
        change |= {"attempt_end": journal.AttemptEnd("failed", 9, 1)}
    fact = Retrying(attempt=1, code=ErrorCode.TX_FAILED, detail="", until=order.updated_at)
    (moved,) = journal.apply([Change(order.id, fact, moved.order.version, **change)])
    order = read(order.id)
    assert (order.status, order.due_at, order.lease_owner) == (OrderStatus.OPEN, None, None)
    assert order.looks_from is not None
    assert (order.looks_from - order.updated_at).total_seconds() == pytest.approx(4, abs=0.5)
    assert isinstance(moved.event.data, Retrying)
    assert moved.event.data.until == order.looks_from
    (again,) = resting.by_id(each.id for each in resting.of_late(5))
    assert 3_000 < again.wait_ms <= 4_000


def test_an_unavailable_service_lets_the_order_rest_again_without_a_start() -> None:
    order = accept(OrderKind.LIMIT)
    trigger(order)
    (moved,) = journal.claim([order.id], "worker-a", 15)
    assert [order_id for order_id, _ in journal.recent_starts(60)] == [order.id]
    error = OrderdError(ErrorCode.RPC_UNAVAILABLE, "away")
    fact = Deferred(until=order.updated_at, reason=error.spec.title, code=error.code, detail=error.detail)
    assert journal.apply([Change(order.id, fact, moved.order.version, to=OrderStatus.OPEN, delay_ms=500)])
    assert journal.recent_starts(60) == []
    order = read(order.id)
    assert (order.status, order.failures, order.waits_for) == (OrderStatus.OPEN, 0, None)


def test_only_resting_orders_are_read() -> None:
    order_id = accept(OrderKind.LIMIT).id
    pending()
    claimed()
    gone = new_order(kind=OrderKind.STOP, **PRICES[OrderKind.STOP])
    journal.accept([gone])
    cancel(gone.id)
    (pair,) = resting.pairs()
    (standing,) = resting.of_pair(pair)
    order = read(order_id)
    assert standing == (order_id, order.version, order.seq, (order.mint_in, order.mint_out))
    assert resting.of_late(5) == [standing]
    assert {each.order.id for each in resting.by_id([order_id, gone.id])} == {order_id}
    let_pass(order_id, 6)
    assert resting.of_late(5) == []
    assert [each.wait_ms for each in resting.by_id([order_id])] == [0]


def test_each_pair_with_resting_orders_is_listed_once() -> None:
    assert resting.pairs() == set()
    orders = [accept(OrderKind.LIMIT) for _ in range(3)]
    sale = (orders[0].mint_in, orders[0].mint_out)
    database.execute_sql("UPDATE orders SET mint_in = mint_out, mint_out = mint_in WHERE id = %s", (str(orders[2].id),))
    assert resting.pairs() == {sale, sale[::-1]}
    assert {each.id for each in resting.of_pair(sale[::-1])} == {orders[2].id}
    cancel(orders[2].id)
    assert resting.pairs() == {sale}


def test_orders_without_a_price_of_their_own_are_not_evaluated() -> None:
    parents = [
        journal.accept([new_order(kind=OrderKind.OCO, stop_price="95", take_profit_price="120", confirm=2)])[0].order,
        journal.accept([new_order(kind=OrderKind.TWAP, slices=3, every_seconds=60, catch_up=CatchUp.ONE)])[0].order,
    ]
    (pair,) = {(each.mint_in, each.mint_out) for each in parents}
    assert resting.of_pair(pair) == resting.of_late(5) == []
    assert resting.by_id(each.id for each in parents) == []


def test_the_best_price_only_rises() -> None:
    order = accept(OrderKind.TRAILING)
    order_id = order.id
    for best, kept in ((100, 100), (120, 120), (110, 120)):
        resting.raise_best([Best(order_id, order.version, best)])
        assert read(order_id).best_out == kept
    assert read(order_id).version == order.version, "a new best price must not void a trigger"


def test_a_best_price_is_not_stored_for_an_order_amended_meanwhile() -> None:
    """A best price for twice the amount would be twice as high, and the stop would fire at once."""
    order = accept(OrderKind.TRAILING)
    database.execute_sql("UPDATE orders SET version = version + 1 WHERE id = %s", (str(order.id),))
    resting.raise_best([Best(order.id, order.version, 100)])
    assert read(order.id).best_out is None


def test_a_best_price_is_not_stored_for_an_order_that_no_longer_rests() -> None:
    order = accept(OrderKind.TRAILING)
    trigger(order)
    resting.raise_best([Best(order.id, order.version, 100)])
    assert read(order.id).best_out is None


def test_the_schema_requires_an_evaluation_time_exactly_for_resting_orders() -> None:
    order = accept(OrderKind.LIMIT)
    for wrong in ("looks_from = NULL", "status = 'pending', due_at = now()"):
        with pytest.raises(IntegrityError, match="what_rests_is_looked_at"), database.atomic():
            database.execute_sql(f"UPDATE orders SET {wrong} WHERE id = %s", (str(order.id),))
