"""An order waits for an unavailable service while it is valid; waiting for the rate limit does not use up its
validity."""

from dataclasses import replace
from uuid import UUID

import pytest

from db import journal, leases
from db.connection import database
from db.journal import Change, NewAttempt
from db.models import Order
from db.validity import expire, expiry
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import RATE_LIMIT, Deferred, Expired, Submitted
from orderd.domain.order import OrderStatus
from orderd.engine import views
from tests.integration.orders import built, claimed, lapse, new_order, pending, read, sign

pytestmark = pytest.mark.usefixtures("connection")
AWAY = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")


def valid(seconds: int) -> UUID:
    order = new_order()
    (moved,) = journal.accept([journal.NewOrder(order.id, order.account_id, "c", order.terms, order.by, seconds)])
    return moved.order.id


def shift(order_id: UUID, column: str, seconds: int) -> None:
    database.execute_sql(
        f"UPDATE orders SET {column} = {column} + %s * interval '1 s' WHERE id = %s", (seconds, str(order_id))
    )


def test_an_order_is_valid_for_its_given_duration() -> None:
    order = read(valid(600))
    assert order.valid_until is not None
    assert (order.valid_until - order.created_at).total_seconds() == pytest.approx(600, abs=1)
    assert read(pending()).valid_until is None


def test_an_order_that_expires_while_waiting_names_what_it_waited_for() -> None:
    order_id = valid(600)
    journal.defer({order_id: 0}, AWAY)
    assert expire(10) == []
    shift(order_id, "valid_until", -600)
    (moved,) = expire(10)
    assert (moved.order.status, moved.order.error_code) == (OrderStatus.EXPIRED, ErrorCode.ORDER_EXPIRED)
    assert isinstance(moved.event.data, Expired)
    assert "The Solana RPC endpoint does not answer" in moved.event.data.detail
    assert views.order_view(read(order_id)).error is not None
    assert expire(10) == []


def test_a_wait_for_a_service_ends_with_the_validity() -> None:
    order_id = valid(1)
    journal.defer({order_id: 3_600_000}, AWAY)
    order = read(order_id)
    assert order.due_at == order.valid_until


def test_an_expired_order_is_not_started() -> None:
    order_id = valid(600)
    shift(order_id, "valid_until", -600)
    assert journal.claim([order_id], "worker-a", 15) == []


def test_an_expired_order_is_not_signed() -> None:
    order = built()
    database.execute_sql("UPDATE orders SET valid_until = now() WHERE id = %s", (str(order.id),))
    attempt = NewAttempt(1, "sig", b"signed", 150, "meteora", "pool", 1, 0)
    fact = Submitted(attempt=1, signature="sig", last_valid_block_height=150)
    columns = {"signature": "sig"}
    assert journal.apply([Change(order.id, fact, order.version, columns, valid=True, new_attempt=attempt)]) == []
    (moved,) = journal.apply([expiry(read(order.id))])
    assert moved.order.status is OrderStatus.EXPIRED


def test_a_lost_claim_does_not_expire_a_valid_order() -> None:
    """The order returned to the queue with the version of that claim."""
    (moved,) = journal.claim([valid(600)], "worker-a", 15)
    lapse(moved.order.id)
    (taken,) = leases.reclaim(leases.orphans(10))
    assert taken.order.version == moved.order.version
    assert journal.apply([expiry(moved.order)]) == []


def test_a_signed_order_does_not_expire() -> None:
    order = sign(built(), "sig").order
    database.execute_sql("UPDATE orders SET valid_until = now() WHERE id = %s", (str(order.id),))
    assert expire(10) == []
    assert journal.apply([expiry(read(order.id))]) == []


def test_validity_does_not_run_while_waiting_for_the_rate_limit() -> None:
    order_id = valid(60)
    journal.defer({order_id: 0}, RATE_LIMIT)
    before = read(order_id).valid_until
    for column in ("waits_since", "valid_until"):  # one hour passes
        shift(order_id, column, -3_600)
    assert expire(10) == []
    (moved,) = journal.claim([order_id], "worker-a", 15)
    assert before is not None
    assert moved.order.valid_until is not None
    assert abs((moved.order.valid_until - before).total_seconds()) < 5


def test_validity_excludes_the_wait_for_the_rate_limit_before_a_wait_for_a_service() -> None:
    order_id = valid(60)
    journal.defer({order_id: 0}, RATE_LIMIT)
    for column in ("waits_since", "valid_until"):
        shift(order_id, column, -3_600)
    journal.defer({order_id: 0}, AWAY)
    assert expire(10) == []
    order = read(order_id)
    assert order.valid_until is not None
    assert (order.valid_until - order.created_at).total_seconds() == pytest.approx(60, abs=5)


def test_a_reason_is_reported_once_and_the_wait_counts_from_then() -> None:
    order_id = valid(600)
    assert len(journal.defer({order_id: 0}, AWAY).moved) == 1
    since = read(order_id).waits_since
    assert since is not None
    for _ in range(2):
        assert not journal.defer({order_id: 0}, AWAY).moved
    order = read(order_id)
    assert order.waits_since == since
    assert order.waits_for == ErrorCode.RPC_UNAVAILABLE


def test_an_order_that_waits_for_a_service_is_checked_first() -> None:
    looks, starts = valid(600), pending()
    journal.defer({looks: 0}, AWAY)
    lapse(starts)
    assert leases.take_due(10) == leases.Due([starts], [[looks]])


def test_orders_of_a_pair_that_wait_for_the_same_outage_are_checked_together() -> None:
    sells = [pending(), pending()]
    order = new_order()
    opposite = replace(order.terms, token_in=order.terms.token_out, token_out=order.terms.token_in)
    (buys,) = journal.accept([replace(order, terms=opposite)])
    journal.defer(dict.fromkeys([*sells, buys.order.id], 0), AWAY)
    late = pending()
    journal.defer({late: 0}, OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, "raydium: late"))
    assert leases.take_due(10) == leases.Due([], [sells, [buys.order.id], [late]])


def test_orders_whose_terms_matter_are_checked_alone() -> None:
    orders = [pending(), pending()]
    journal.defer(dict.fromkeys(orders, 0), OrderdError(ErrorCode.ROUTE_PRICE_UNKNOWN, "raydium does not answer"))
    assert leases.take_due(10) == leases.Due([], [[each] for each in orders])


def test_a_turn_that_only_waited_is_not_a_start() -> None:
    waits, works = claimed(), claimed()
    fact = Deferred(until=waits.created_at, reason=AWAY.spec.title, code=AWAY.code, detail=AWAY.detail)
    (moved,) = journal.apply([Change(waits.id, fact, waits.version, to=OrderStatus.PENDING, waits_for=str(AWAY.code))])
    assert (moved.order.status, moved.order.failures) == (OrderStatus.PENDING, 0)
    assert [order_id for order_id, _ in journal.recent_starts(60)] == [works.id]
    (again,) = journal.claim([waits.id], "worker-a", 15)
    assert {order_id for order_id, _ in journal.recent_starts(60)} == {works.id, again.order.id}


def test_lost_workers_are_counted_and_waits_are_not() -> None:
    order = claimed()
    lapse(order.id)
    leases.reclaim(leases.orphans(10))
    assert read(order.id).losses == 1
    assert Order.get_by_id(order.id).failures == 0
