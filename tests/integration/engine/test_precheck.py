"""An order that waits for a service retries its turn quietly, without events or attempts."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from db import journal
from db.connection import database
from orderd.domain.errors import ErrorCode, OrderdError, OutageError
from orderd.domain.order import EventKind
from orderd.domain.retry import RetryPolicy
from orderd.domain.terms import OrderTerms
from orderd.engine import views
from orderd.engine.dispatch import Dispatch
from orderd.engine.execution.precheck import Checked, Precheck
from orderd.engine.publish import Publisher
from orderd.engine.routing.offers import Agreed
from tests.integration.engine.conftest import Queue
from tests.integration.orders import claimed, pending, read

AWAY = OutageError(ErrorCode.RPC_UNAVAILABLE, "connection refused")


@dataclass
class Scripted:
    """Stands in for the market: raises ``trouble`` if it is set."""

    trouble: OrderdError | None = None
    asked: list[OrderTerms] = field(default_factory=list)

    def preview(self, terms: OrderTerms, _: Agreed) -> None:
        self.asked.append(terms)
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def market() -> Scripted:
    return Scripted()


@pytest.fixture
def dispatch(publisher: Publisher, queue: Queue) -> Dispatch:
    return Dispatch(publisher, queue.send, queue.depth)


@pytest.fixture
def precheck(market: Scripted, dispatch: Dispatch) -> Precheck:
    return Precheck(market.preview, RetryPolicy(base_ms=1_000), dispatch.defer)


def test_an_order_waits_without_new_events_while_the_service_is_unavailable(
    precheck: Precheck, market: Scripted, dispatch: Dispatch
) -> None:
    order_id = pending()
    dispatch.defer({order_id: timedelta(0)}, AWAY)
    market.trouble = AWAY
    assert precheck([order_id]).ready == []
    assert precheck([order_id]).ready == []
    order = read(order_id)
    assert [event.data.kind for event in views.events_after(order_id, 1)] == [EventKind.DEFERRED]
    assert (order.failures, order.starts) == (0, 0)


def test_checks_become_rarer_the_longer_the_order_waits(
    precheck: Precheck, market: Scripted, dispatch: Dispatch
) -> None:
    order_id = pending()
    dispatch.defer({order_id: timedelta(0)}, AWAY)
    database.execute_sql("UPDATE orders SET waits_since = now() - interval '1 h' WHERE id = %s", (str(order_id),))
    market.trouble = AWAY
    assert precheck([order_id]).ready == []
    (seconds,) = database.execute_sql(
        "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM orders WHERE id = %s", (str(order_id),)
    ).fetchone()
    assert 2 < seconds <= 5


def test_a_changed_reason_of_the_wait_is_reported(precheck: Precheck, market: Scripted, dispatch: Dispatch) -> None:
    order_id = pending()
    dispatch.defer({order_id: timedelta(0)}, AWAY)
    market.trouble = OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, "raydium: late")
    assert precheck([order_id]).ready == []
    assert [event.data.kind for event in views.events_after(order_id, 1)] == [EventKind.DEFERRED] * 2
    assert read(order_id).waits_for == ErrorCode.ROUTE_VENUES_UNAVAILABLE


@pytest.mark.parametrize("trouble", [None, OrderdError(ErrorCode.ROUTE_NOT_FOUND, "no pool")])
def test_the_turn_decides_once_the_service_is_back(
    precheck: Precheck, market: Scripted, dispatch: Dispatch, trouble: OrderdError | None
) -> None:
    order_id = pending()
    dispatch.defer({order_id: timedelta(0)}, AWAY)
    market.trouble = trouble
    assert precheck([order_id]) == Checked([order_id])
    assert journal.claim([order_id], "worker-a", 15)


def test_an_order_that_waits_for_nothing_is_not_checked(precheck: Precheck, market: Scripted) -> None:
    orders = [pending(), claimed().id]
    assert precheck(orders) == Checked(orders)
    assert market.asked == []


def waiting_together(dispatch: Dispatch, error: OrderdError = AWAY) -> list[UUID]:
    order_ids = [pending() for _ in range(3)]
    dispatch.defer(dict.fromkeys(order_ids, timedelta(0)), error)
    return order_ids


def test_orders_that_wait_for_the_same_outage_are_checked_by_one_of_them(
    precheck: Precheck, market: Scripted, dispatch: Dispatch
) -> None:
    order_ids, started = waiting_together(dispatch), pending()
    market.trouble = AWAY
    assert precheck([*order_ids, started]) == ([started], [])
    assert len(market.asked) == 1
    assert {read(order_id).waits_for for order_id in order_ids} == {ErrorCode.RPC_UNAVAILABLE}
    market.trouble = None
    assert precheck(order_ids) == Checked(order_ids)
    assert len(market.asked) == 2


@pytest.mark.parametrize("code", [ErrorCode.ROUTE_PRICE_UNKNOWN, ErrorCode.ROUTE_VENUES_UNAVAILABLE])
def test_an_error_that_depends_on_an_order_concerns_it_alone(
    precheck: Precheck, market: Scripted, dispatch: Dispatch, code: ErrorCode
) -> None:
    order_ids, started = waiting_together(dispatch), pending()
    market.trouble = OrderdError(code, "raydium does not answer; and of what is left, the best route pays 1 USDC")
    ready, unknown = precheck([*order_ids, started])
    assert ready == [started]
    (checked,) = {*order_ids} - {*unknown}
    assert read(checked).waits_for == code
    assert {read(each).waits_for for each in unknown} == {AWAY.code}
    assert len(market.asked) == 1, "a check must not take as long as many"


def test_no_order_keeps_all_others_waiting(precheck: Precheck, market: Scripted, dispatch: Dispatch) -> None:
    order_ids = waiting_together(dispatch)
    market.trouble = OrderdError(ErrorCode.ROUTE_PRICE_UNKNOWN, "raydium does not answer")
    checked = [{*order_ids} - {*precheck(order_ids).unknown} for _ in range(50)]
    assert set().union(*checked) == {*order_ids}


def test_an_unforeseen_error_of_a_check_is_for_the_turn_to_find(market: Scripted, dispatch: Dispatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("nobody thought of this")

    order_ids = waiting_together(dispatch)
    assert Precheck(fail, RetryPolicy(), dispatch.defer)(order_ids) == Checked(order_ids)
