"""Waits keep their length when Postgres' clock is set while they run."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from db import clock, journal, leases, resting
from db.connection import connect, database
from db.journal import Change
from orderd.domain.clock import Jump
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Deferred, Retrying
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine.clock import DatabaseClock, elapsed_seconds
from orderd.engine.dispatch import Dispatch
from orderd.engine.families import Families
from orderd.engine.publish import Publisher
from orderd.engine.settlement.unknown import UnknownOutcomes
from tests.integration.engine.conftest import signature
from tests.integration.orders import built, claimed, new_order, pending, read, sign
from tests.integration.set_clock import SettableClock

HOUR = timedelta(hours=1)
BOTH_WAYS = pytest.mark.parametrize("by", [-HOUR, HOUR], ids=["back", "ahead"])
LEASE = 15.0


@pytest.fixture
def server(postgres_url: str) -> Iterator[SettableClock]:
    settable = SettableClock(postgres_url)
    connect(postgres_url)
    with database.connection_context():
        yield settable
    database.close_all()


class Watching(DatabaseClock):
    """A process that knew Postgres' clock before the test set it.

    ``doubt`` is the duration of its first query in seconds: it may overestimate a jump by up to that.
    """

    def __init__(self) -> None:
        super().__init__(LEASE)
        before = elapsed_seconds()
        self.check()
        self.doubt = elapsed_seconds() - before


@pytest.fixture
def watching(server: SettableClock) -> Watching:
    return Watching()


def seconds_until(column: str, order_id: UUID) -> float:
    (seconds,) = database.execute_sql(
        f"SELECT extract(epoch FROM {column} - clock_timestamp()) FROM orders WHERE id = %s",
        (str(order_id),),
    ).fetchone()
    return float(seconds)


def nothing_sent(order_ids: Sequence[UUID], *, check_first: bool = False) -> None:
    """A queue from which nothing is taken."""


def waiting(seconds: int) -> UUID:
    order_id = pending()
    assert journal.defer({order_id: seconds * 1_000}, "backoff").orders
    return order_id


@BOTH_WAYS
def test_a_wait_keeps_its_remaining_time(server: SettableClock, watching: Watching, by: timedelta) -> None:
    order_id = waiting(300)
    server.set(by)
    watching.check()
    assert 200 < seconds_until("due_at", order_id) <= 300 + watching.doubt


@BOTH_WAYS
def test_a_due_order_stays_due(server: SettableClock, watching: Watching, by: timedelta) -> None:
    order_id = pending()
    server.set(by)
    watching.check()
    (moved,) = journal.claim([order_id], "worker", LEASE)
    assert moved.order.status is OrderStatus.ROUTING


@BOTH_WAYS
def test_an_order_accepted_before_the_jump_is_noticed_is_due_at_once(
    server: SettableClock, watching: Watching, by: timedelta
) -> None:
    server.set(by)
    order_id = pending()
    watching.check()
    assert len(journal.claim([order_id], "worker", LEASE)) == 1


@BOTH_WAYS
def test_a_live_worker_keeps_its_orders(
    server: SettableClock, watching: Watching, publisher: Publisher, by: timedelta
) -> None:
    dispatch = Dispatch(publisher, nothing_sent, lambda: 0, check_clock=watching.check)
    order = claimed(lease_seconds=LEASE)
    live = sign(built(), signature(1)).order
    server.set(by)
    dispatch.run_once()
    assert read(order.id).status is OrderStatus.ROUTING
    assert leases.adopt_submitted("worker-b", LEASE, 10) == []
    assert all(0 < seconds_until("lease_until", each.id) <= LEASE for each in (order, live))


@BOTH_WAYS
def test_an_expired_lease_ends(server: SettableClock, watching: Watching, by: timedelta) -> None:
    """If the clock went back, the lease ends after another lease's length at the latest."""
    order = claimed(lease_seconds=0)
    server.set(by)
    watching.check()
    assert seconds_until("lease_until", order.id) <= LEASE


@BOTH_WAYS
def test_an_order_keeps_its_remaining_validity(
    server: SettableClock, watching: Watching, publisher: Publisher, by: timedelta
) -> None:
    (moved,) = journal.accept([replace(new_order(), valid_seconds=600)])
    assert journal.defer({moved.order.id: 300_000}, "backoff").orders
    dispatch = Dispatch(publisher, nothing_sent, lambda: 0, check_clock=watching.check)
    server.set(by)
    dispatch.run_once()
    assert read(moved.order.id).status is OrderStatus.PENDING
    assert 500 < seconds_until("valid_until", moved.order.id) <= 600 + watching.doubt
    assert -100 < seconds_until("waits_since", moved.order.id) <= watching.doubt


@BOTH_WAYS
def test_a_jump_right_after_the_clock_was_read_ends_no_wait(
    server: SettableClock, watching: Watching, publisher: Publisher, by: timedelta
) -> None:
    waits = waiting(300)
    (moved,) = journal.accept([replace(new_order(), valid_seconds=600)])
    assert journal.defer({moved.order.id: 300_000}, "backoff").orders
    rests = pending(kind=OrderKind.LIMIT, limit_price="105", valid_seconds=600)
    twap = pending(kind=OrderKind.TWAP, slices=3, every_seconds=300, valid_seconds=3600)
    database.execute_sql("UPDATE orders SET looks_from = looks_from + interval '5 minutes' WHERE id = %s", (twap,))

    def check_and_then_be_set() -> datetime:
        checked_at = watching.check()
        server.set(by)
        return checked_at

    Families(publisher, nothing_sent, 600, RetryPolicy(), check_clock=check_and_then_be_set).run_once()
    server.set(-by)
    assert Dispatch(publisher, nothing_sent, lambda: 0, check_clock=check_and_then_be_set).run_once() == 0
    assert read(waits).status is read(moved.order.id).status is OrderStatus.PENDING
    assert read(rests).status is read(twap).status is OrderStatus.OPEN
    assert read(twap).slice_no == 0


@BOTH_WAYS
def test_a_duration_moves_with_the_clock_and_a_date_does_not(
    server: SettableClock, watching: Watching, publisher: Publisher, by: timedelta
) -> None:
    until = datetime.now(UTC) + timedelta(hours=2)
    terms = {"kind": OrderKind.LIMIT, "limit_price": "105"}
    lasts, ends = pending(**terms, valid_seconds=600), pending(**terms, expires_at=until)
    dispatch = Dispatch(publisher, nothing_sent, lambda: 0, check_clock=watching.check)
    server.set(by)
    dispatch.run_once()
    assert read(lasts).status is read(ends).status is OrderStatus.OPEN
    assert 500 < seconds_until("valid_until", lasts) <= 600 + watching.doubt
    assert read(ends).valid_until == until
    server.set(timedelta(hours=3))
    dispatch._expire_at = 0
    dispatch.run_once()
    assert (read(lasts).status, read(ends).status) == (OrderStatus.OPEN, OrderStatus.EXPIRED)


@BOTH_WAYS
def test_the_pause_of_a_resting_order_keeps_its_remaining_time(
    server: SettableClock, watching: Watching, by: timedelta
) -> None:
    order_id = pending(kind=OrderKind.LIMIT, limit_price="105")
    database.execute_sql("UPDATE orders SET looks_from = clock_timestamp() + interval '300 s'")
    server.set(by)
    watching.check()
    assert 200 < seconds_until("looks_from", order_id) <= 300 + watching.doubt
    (found,) = resting.by_id(each.id for each in resting.of_late(5))
    assert 200_000 < found.wait_ms <= 300_000 + watching.doubt * 1_000


MINUTE = timedelta(minutes=1)
BOTH_WAYS_A_LITTLE = pytest.mark.parametrize("by", [-MINUTE, MINUTE], ids=["back", "ahead"])


@BOTH_WAYS_A_LITTLE
def test_the_pause_after_a_failure_may_be_longer_than_the_jump(
    server: SettableClock, watching: Watching, by: timedelta
) -> None:
    order = claimed(lease_seconds=LEASE)
    fact = Retrying(attempt=1, code=ErrorCode.TX_FAILED, detail="", until=order.updated_at)
    journal.apply([Change(order.id, fact, order.version, {"failures": 1}, to=OrderStatus.PENDING, delay_ms=300_000)])
    server.set(by)
    watching.check()
    assert 290 < seconds_until("due_at", order.id) <= 300 + watching.doubt


@BOTH_WAYS_A_LITTLE
def test_the_next_execution_of_a_twap_may_be_later_than_the_jump(
    server: SettableClock, watching: Watching, by: timedelta
) -> None:
    twap = pending(kind=OrderKind.TWAP, slices=3, every_seconds=300)
    missed = Deferred(until=read(twap).updated_at, reason="the time of an execution was missed")
    journal.apply([Change(twap, missed, None, {"slice_no": 1}, to=OrderStatus.OPEN, delay_ms=300_000)])
    server.set(by)
    watching.check()
    assert 290 < seconds_until("looks_from", twap) <= 300 + watching.doubt


@BOTH_WAYS
def test_an_outcome_becomes_unknown_after_the_same_time(
    server: SettableClock, watching: Watching, publisher: Publisher, by: timedelta
) -> None:
    order = sign(built(), signature(1)).order
    unknown = UnknownOutcomes(publisher, after_seconds=300, check_clock=watching.check)
    server.set(by)
    assert unknown.run_once() == 0
    database.execute_sql("UPDATE orders SET updated_at = updated_at - interval '301 s'")
    assert unknown.run_once() == 1
    assert read(order.id).unknown_since is not None


@BOTH_WAYS
def test_an_allowance_still_covers_24_hours(server: SettableClock, watching: Watching, by: timedelta) -> None:
    order_id, token = pending(), UUID(int=7)
    database.execute_sql(
        "INSERT INTO api_tokens (id, account_id, name, hash, scopes) "
        "SELECT %s, account_id, 'desk', sha256('x'), '{trade}' FROM orders",
        (str(token),),
    )
    database.execute_sql(
        "INSERT INTO notionals (order_id, token_id, notional, at) "
        "VALUES (%s, %s, 1, clock_timestamp() - interval '2 hours')",
        (str(order_id), str(token)),
    )
    server.set(by)
    watching.check()
    (age,) = database.execute_sql("SELECT clock_timestamp() - at FROM notionals").fetchone()
    assert timedelta(hours=2) <= age < timedelta(hours=2, minutes=1)


@BOTH_WAYS
def test_records_of_the_past_are_not_moved(server: SettableClock, watching: Watching, by: timedelta) -> None:
    order_id = waiting(300)
    history = "SELECT seq, at FROM order_events WHERE order_id = %s ORDER BY seq"
    before = database.execute_sql(history, (str(order_id),)).fetchall()
    server.set(by)
    watching.check()
    assert database.execute_sql(history, (str(order_id),)).fetchall() == before


@BOTH_WAYS
def test_only_one_of_several_processes_moves_the_times(
    server: SettableClock, watching: Watching, by: timedelta
) -> None:
    other = DatabaseClock(LEASE)
    other.check()
    order_id = waiting(300)
    server.set(by)
    for each in (watching, other, watching, other):
        each.check()
    assert 200 < seconds_until("due_at", order_id) <= 300 + watching.doubt


@BOTH_WAYS
def test_two_processes_that_notice_a_jump_at_once_move_the_times_once(server: SettableClock, by: timedelta) -> None:
    order_id = waiting(300)
    before = clock.read()
    server.set(by)
    jump = Jump(by.total_seconds(), clock.read().now, before.moved)
    assert [clock.move(jump, LEASE), clock.move(jump, LEASE)] == [True, False]
    assert 200 < seconds_until("due_at", order_id) <= 300


def test_a_process_that_was_suspended_does_not_move_the_times(server: SettableClock, watching: Watching) -> None:
    """As in a paused virtual machine, which sees every other clock set ahead."""
    paused_for = 0.0
    paused = DatabaseClock(LEASE, elapsed=lambda: elapsed_seconds() - paused_for)
    paused.check()
    order_id = waiting(300)
    paused_for = 3_600.0
    database.execute_sql("UPDATE clock SET at = clock_timestamp()")  # other processes have kept watching
    paused.check()
    assert seconds_until("due_at", order_id) <= 300


class TestWhileNoProcessRan:
    """While no process ran, a clock set ahead and a long pause look the same."""

    def test_a_clock_behind_the_last_reading_was_set_back_by_that_much(self, server: SettableClock) -> None:
        order_id = waiting(20)
        database.execute_sql("UPDATE clock SET at = clock_timestamp()")
        server.set(-HOUR)
        DatabaseClock(LEASE).begin(longest_seconds=30)
        assert 0 < seconds_until("due_at", order_id) <= 20

    def test_no_wait_exceeds_the_longest_possible_wait(self, server: SettableClock) -> None:
        order_id, order = waiting(20), claimed(lease_seconds=LEASE)
        database.execute_sql("UPDATE clock SET at = clock_timestamp() - interval '1 day'")
        server.set(-HOUR)
        DatabaseClock(LEASE).begin(longest_seconds=30)
        assert 20 < seconds_until("due_at", order_id) <= 30
        assert seconds_until("lease_until", order.id) <= 30

    def test_an_order_waiting_for_the_rate_limit_is_not_started_early(self, server: SettableClock) -> None:
        order_id = pending()
        journal.defer({order_id: 3_600_000}, "rate limit")
        DatabaseClock(LEASE).begin(longest_seconds=30)
        assert seconds_until("due_at", order_id) > 3_000

    def test_waits_end_during_a_long_pause(self, server: SettableClock) -> None:
        order_id = waiting(300)
        server.set(HOUR)
        DatabaseClock(LEASE).begin(longest_seconds=600)
        assert seconds_until("due_at", order_id) < 0


def test_the_last_reading_is_stored(server: SettableClock) -> None:
    passed = 0.0
    watching = DatabaseClock(LEASE, elapsed=lambda: passed)
    server.set(timedelta(seconds=10))
    watching.check()
    known = "SELECT clock_timestamp() - at FROM clock"
    (age,) = database.execute_sql(known).fetchone()
    assert age > timedelta(seconds=10), "a new process must not hide a jump that others have not noticed"
    passed = 2.0
    server.set(timedelta(seconds=2))
    watching.check()
    (age,) = database.execute_sql(known).fetchone()
    assert age < timedelta(seconds=2)


RECORDS = {
    "accounts": {"created_at"},
    "alert_conditions": {"since"},
    "alert_deliveries": {"due_at", "delivered_at"},
    "alert_subscriptions": {"until"},
    "alert_watch": {"until"},
    "alerts": {"at"},
    "api_tokens": {"created_at", "expires_at", "revoked_at", "last_used_at"},
    "attempts": {"signed_at", "settled_at"},
    "audit": {"at"},
    "balances": {"seen_at"},
    "mints": {"read_at"},
    "token_names": {"named_at"},
    "pools_found": {"found_at"},
    "proofs": {"proved_at"},
    "clock": {"at"},
    "candles": {"at"},
    "movements": {"at"},
    "fills": {"at", "rolled_back_at"},
    "halts": {"at"},
    "order_events": {"at"},
    "order_failures": {"at"},
    "orders": {"created_at", "unknown_since", "triggered_at", "expires_at"},
    "refusals": {"hour", "last_at"},
}
"""Columns with times of the past, and dates shown to users; ``clock`` itself is set when times are moved.

Alerts treat a time of theirs that is too far in the future as over."""


def test_every_stored_time_is_moved_or_is_a_record_of_the_past(server: SettableClock) -> None:
    columns = database.execute_sql(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'"
    ).fetchall()
    moved = {(wait.table, wait.column) for wait in clock.WAITS} | {("orders", "lease_until")}
    assert set(columns) == moved | {(table, column) for table, names in RECORDS.items() for column in names}


def test_a_start_in_the_future_counts_as_one_of_now(server: SettableClock) -> None:
    """Redis has lost its window, and the clock that the journal used was set back."""
    order = claimed()
    server.set(-HOUR)
    ((order_id, age),) = journal.recent_starts(60)
    assert (order_id, age) == (order.id, timedelta(0))
