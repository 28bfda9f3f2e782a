"""Limits on the value of orders hold for concurrent submissions, and an order beyond a limit changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from uuid_utils.compat import uuid7

from db import halts, journal, spending
from db.audit import NOBODY, Actor
from db.connection import database
from db.journal import Change, NewOrder
from db.models import DEFAULT_ACCOUNT, ApiKey, Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, FilledPart
from orderd.domain.halt import HaltCause
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from orderd.engine import allowance
from orderd.engine.allowance import UNLIMITED, Spending, TradingLimits, accept_within
from tests.integration.family import signed, taken_for_dead
from tests.integration.orders import FILL, new_order

USDC = 1_000_000


@pytest.fixture
def key_id(connected: str) -> UUID:
    token = uuid7()
    with database.connection_context():
        ApiKey.insert(
            id=token,
            account_id=DEFAULT_ACCOUNT,
            name="bot",
            hash=token.bytes * 2,
            scopes=["trade"],
            created_at=datetime.now(UTC),
        ).execute()
    return token


def submitted(key_id: UUID, name: str | None = None) -> NewOrder:
    return replace(new_order(name), by=Actor("bot", "10.0.0.1", key_id))


def spend(
    key_id: UUID, notional: int, name: str | None = None, *, per_order: int | None = None, per_day: int | None = None
) -> UUID | None:
    """Submit an order of this value; returns the id of the new order, or None if it already existed."""
    with database.connection_context():
        added = accept_within(
            submitted(key_id, name), Spending(notional, TradingLimits(per_order=per_order, per_day=per_day))
        )
    return added[0].order.id if added else None


def refusal(key_id: UUID, notional: int, *, per_order: int | None = None, per_day: int | None = None) -> OrderdError:
    with pytest.raises(OrderdError) as refused:
        spend(key_id, notional, per_order=per_order, per_day=per_day)
    return refused.value


def test_an_order_may_be_worth_the_limit_and_not_a_unit_more(key_id: UUID) -> None:
    assert spend(key_id, 100 * USDC, per_order=100 * USDC)
    refused = refusal(key_id, 100 * USDC + 1, per_order=100 * USDC)
    assert refused.code is ErrorCode.LIMIT_ORDER
    assert refused.detail == "the order is worth 100.000001 USDC, the API key may submit 100 USDC at most"


def test_the_daily_limit_is_exact_and_says_when_to_retry(key_id: UUID) -> None:
    assert spend(key_id, 60 * USDC, per_day=100 * USDC)
    assert spend(key_id, 40 * USDC, per_day=100 * USDC)
    refused = refusal(key_id, 1, per_day=100 * USDC)
    assert refused.code is ErrorCode.LIMIT_DAY
    assert refused.retry_after is not None
    assert 86_000 < refused.retry_after <= 86_401
    assert Order.select().count() == 2


def test_an_order_above_the_daily_limit_has_no_time_to_retry(key_id: UUID) -> None:
    assert refusal(key_id, 101, per_day=100).retry_after is None


def test_the_daily_limit_covers_the_last_24_hours(key_id: UUID) -> None:
    old = spend(key_id, 60 * USDC, per_day=100 * USDC)
    assert spend(key_id, 30 * USDC, per_day=100 * USDC)
    _was_at(old, timedelta(hours=23))
    refused = refusal(key_id, 50 * USDC, per_day=100 * USDC)
    assert refused.retry_after is not None
    assert 3_500 < refused.retry_after <= 3_601, "the time at which the oldest order no longer counts"
    _was_at(old, timedelta(hours=24, seconds=1))
    assert spend(key_id, 50 * USDC, per_day=100 * USDC)


def test_an_order_that_ends_without_a_fill_does_not_count(key_id: UUID) -> None:
    order_id = spend(key_id, 100, per_day=100)
    assert order_id is not None
    assert refusal(key_id, 100, per_day=100).code is ErrorCode.LIMIT_DAY
    assert journal.apply([Change(order_id, Cancelled(), None)])
    assert spend(key_id, 100, per_day=100)


@pytest.mark.usefixtures("connection")
def test_an_order_that_an_operator_took_for_dead_counts(key_id: UUID) -> None:
    """It may have landed."""
    order_id = spend(key_id, 100, per_day=100)
    assert order_id is not None
    taken_for_dead(signed(order_id))
    assert refusal(key_id, 1, per_day=100).code is ErrorCode.LIMIT_DAY


@pytest.mark.usefixtures("connection")
def test_an_order_counts_that_is_cancelled_after_an_operator_took_a_part_for_dead(key_id: UUID) -> None:
    order = rest(key_id, 100)
    part_taken_for_dead(order.id)
    assert journal.apply([Change(order.id, Cancelled(), None)])
    assert refusal(key_id, 1, per_day=100).code is ErrorCode.LIMIT_DAY


@pytest.mark.usefixtures("connection")
def test_what_an_operator_took_for_dead_counts_for_a_day_from_then_on(key_id: UUID) -> None:
    order = rest(key_id, 100)
    _was_at(order.id, timedelta(days=3))
    part_taken_for_dead(order.id)
    assert journal.apply([Change(order.id, Cancelled(), None)])
    assert refusal(key_id, 1, per_day=100).code is ErrorCode.LIMIT_DAY
    _was_at(order.id, timedelta(hours=24, seconds=1))
    assert spend(key_id, 100, per_day=100)


def part_taken_for_dead(parent_id: UUID) -> None:
    (child,) = journal.accept([replace(new_order(), parent_id=parent_id)])
    taken_for_dead(signed(child.order.id))


def rest(key_id: UUID, notional: int) -> Order:
    """Submit an order that waits for its price."""
    terms: dict[str, Any] = {"kind": OrderKind.LIMIT, "limit_price": "105", "partial": True}
    terms["time_in_force"] = TimeInForce.GTC
    order = replace(new_order(**terms), by=Actor("bot", "10.0.0.1", key_id))
    (moved,) = accept_within(order, Spending(notional, TradingLimits(per_day=100)))
    return moved.order


@pytest.mark.usefixtures("connection")
def test_a_resting_order_counts_while_it_is_open(key_id: UUID) -> None:
    order = rest(key_id, 100)
    _was_at(order.id, timedelta(days=3))
    refused = refusal(key_id, 1, per_day=100)
    assert refused.code is ErrorCode.LIMIT_DAY
    assert refused.retry_after is None, "the end of a resting order is unknown"
    journal.apply([Change(order.id, Cancelled(), None)])
    assert spend(key_id, 100, per_day=100)


@pytest.mark.usefixtures("connection")
def test_an_order_counts_for_a_day_after_its_last_fill(key_id: UUID) -> None:
    order = rest(key_id, 100)
    _was_at(order.id, timedelta(days=3))
    part = FilledPart(amount_in="1", amount_out="105", executed_price="105", remaining="0.5")
    journal.apply([Change(order.id, part, None, FILL, to=OrderStatus.OPEN)])
    journal.apply([Change(order.id, Cancelled(), None, to=OrderStatus.CANCELLED)])
    refused = refusal(key_id, 1, per_day=100)
    assert refused.retry_after is not None
    assert 86_000 < refused.retry_after <= 86_401
    _was_at(order.id, timedelta(hours=24, seconds=1))
    assert spend(key_id, 100, per_day=100)


def test_a_resubmitted_order_does_not_count_again(key_id: UUID) -> None:
    assert spend(key_id, 100, "mine", per_day=100)
    assert spend(key_id, 100, "mine", per_day=100) is None
    assert Order.select().count() == 1


def test_concurrent_submissions_do_not_exceed_the_limit_together(key_id: UUID) -> None:
    def attempt(_: int) -> bool:
        try:
            return spend(key_id, 10, per_day=50) is not None
        except OrderdError:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(40))) == 5
    assert Order.select().count() == 5


def test_a_key_is_locked_between_its_check_and_the_order(
    key_id: UUID, connected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, locked = allowance._check, []

    def look_and_check(key_id: UUID, spending: Spending) -> None:
        other = psycopg2.connect(connected)
        try:
            other.cursor().execute("SELECT FROM api_tokens WHERE id = %s FOR NO KEY UPDATE NOWAIT", (str(key_id),))
        except psycopg2.errors.LockNotAvailable:
            locked.append(key_id)
        finally:
            other.close()
        check(key_id, spending)

    monkeypatch.setattr(allowance, "_check", look_and_check)
    assert spend(key_id, 10, per_day=50)
    assert locked == [key_id]


def test_each_key_has_its_own_daily_limit(key_id: UUID) -> None:
    other = uuid7()
    ApiKey.insert(
        id=other,
        account_id=DEFAULT_ACCOUNT,
        name="other",
        hash=other.bytes * 2,
        scopes=["trade"],
        created_at=datetime.now(UTC),
    ).execute()
    assert spend(key_id, 100, per_day=100)
    assert spend(other, 100, per_day=100)


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_key_that_is_revoked_or_expired_meanwhile_submits_nothing(key_id: UUID, column: str) -> None:
    ApiKey.update({column: datetime.now(UTC)}).where(ApiKey.id == key_id).execute()
    assert refusal(key_id, 1, per_day=100).code is ErrorCode.AUTH_INVALID
    assert Order.select().count() == 0


def _was_at(order_id: UUID | None, ago: timedelta) -> None:
    database.execute_sql("UPDATE notionals SET at = clock_timestamp() - %s WHERE order_id = %s", (ago, str(order_id)))


class TestDaemonLimits:
    """Limits for all keys together, and for clients that need no key."""

    def spend(
        self, notional: int, by: Actor = NOBODY, *, per_order: int | None = None, per_day: int | None = None
    ) -> Order | None:
        limits = TradingLimits(None, per_order, per_day, subject="this daemon")
        with database.connection_context():
            added = accept_within(replace(new_order(), by=by), Spending(notional, UNLIMITED, limits))
        return added[0].order if added else None

    def refusal(self, notional: int, *, per_order: int | None = None, per_day: int | None = None) -> OrderdError:
        with pytest.raises(OrderdError) as refused:
            self.spend(notional, per_order=per_order, per_day=per_day)
        return refused.value

    @pytest.mark.usefixtures("connection")
    def test_no_order_is_larger_than_its_limit(self) -> None:
        assert self.spend(100, per_order=100)
        refused = self.refusal(101, per_order=100)
        assert (refused.code, refused.detail) == (
            ErrorCode.LIMIT_ORDER,
            "the order is worth 0.000101 USDC, this daemon may submit 0.0001 USDC at most",
        )

    @pytest.mark.usefixtures("connection")
    def test_orders_of_all_clients_count_toward_the_daemons_daily_limit(self, key_id: UUID) -> None:
        assert self.spend(60, per_day=100)
        assert self.spend(40, Actor("bot", "", key_id), per_day=100)
        refused = self.refusal(1, per_day=100)
        assert (refused.code, refused.retry_after) == (ErrorCode.LIMIT_DAY, None)
        assert "0.0001 USDC are used" in refused.detail
        assert Order.select().count() == 2
        assert self.refusal(101, per_day=100).code is ErrorCode.LIMIT_DAY

    @pytest.mark.usefixtures("connection")
    def test_the_first_order_of_a_day_is_checked_too(self) -> None:
        assert self.refusal(101, per_day=100).code is ErrorCode.LIMIT_DAY
        assert Order.select().count() == 0

    @pytest.mark.usefixtures("connection")
    def test_each_day_has_its_own_counter(self) -> None:
        assert self.spend(100, per_day=100)
        database.execute_sql("UPDATE notionals SET day = NULL")
        database.execute_sql("UPDATE daily_spending SET day = day - 1")
        assert self.spend(100, per_day=100)

    @pytest.mark.usefixtures("connection")
    def test_only_filled_orders_count_after_their_end(self) -> None:
        order = self.spend(100, per_day=100)
        assert order is not None
        assert journal.apply([Change(order.id, Cancelled(), None)])
        again = self.spend(100, per_day=100)
        assert again is not None
        database.execute_sql("UPDATE orders SET filled_in = 1 WHERE id = %s", (str(again.id),))
        assert journal.apply([Change(again.id, Cancelled(), None)])
        assert self.refusal(1, per_day=100).code is ErrorCode.LIMIT_DAY

    @pytest.mark.usefixtures("connection")
    def test_orders_count_after_an_operator_took_their_transactions_for_dead(self) -> None:
        order, family = self.spend(40, per_day=100), self.spend(60, per_day=100)
        assert order is not None
        assert family is not None
        taken_for_dead(signed(order.id))
        part_taken_for_dead(family.id)
        assert journal.apply([Change(family.id, Cancelled(), None)])
        assert self.refusal(1, per_day=100).code is ErrorCode.LIMIT_DAY

    @pytest.mark.usefixtures("connection")
    def test_an_amended_order_counts_at_its_new_value(self, key_id: UUID) -> None:
        limits = TradingLimits(per_day=100)
        order = self.spend(100, per_day=100)
        assert order is not None
        with database.atomic():
            allowance.replace_spending(order.id, None, Spending(30, UNLIMITED, limits))
        assert self.spend(70, per_day=100)
        with pytest.raises(OrderdError), database.atomic():
            allowance.replace_spending(order.id, None, Spending(31, UNLIMITED, limits))
        assert spending.counted_today() == 100

    @pytest.mark.usefixtures("connection")
    def test_an_order_refused_for_another_reason_does_not_count(self) -> None:
        halts.halt(HaltCause.OPERATOR, Actor("ops"), "a test")
        assert self.spend(100, per_day=100) is None
        assert spending.counted_today() == 0

    def test_concurrent_orders_stay_within_the_daemons_limit(self, key_id: UUID) -> None:
        def submit(number: int) -> bool:
            with suppress(OrderdError):
                return self.spend(10, Actor("bot", "", key_id) if number % 2 else NOBODY, per_day=100) is not None
            return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(submit, range(40))) == 10
