"""No statement scans the tables that grow with the number of orders: orders, events, attempts, fills and audit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import psycopg2
import pytest
from uuid_utils.compat import uuid7

from benchmarks.filling import DAYS, fill
from db import (
    alerts,
    audit,
    balances,
    clock,
    counts,
    families,
    finality,
    journal,
    leases,
    prices,
    processes,
    resting,
    retention,
    validity,
)
from db import history as fills_of
from db.audit import Actor, Filter
from db.balances import SellableBalance
from db.connection import connect, database
from db.ended_orders import EndedOrder, ended_orders
from db.history import Wanted
from db.journal import AttemptEnd, Change, FailureRecord, NewAttempt
from db.models import DEFAULT_ACCOUNT, Order
from db.processes import Process
from db.recent import recent
from db.resting import Best
from db.retention import Kept
from db.work_at_hand import work_at_hand
from orderd.domain.alerts import AlertKind
from orderd.domain.clock import Jump
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Failed, Retrying, Routed, Submitted, Triggered
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from orderd.domain.tokens import WSOL_MINT
from orderd.embedded.postgres import Postgres
from orderd.engine import allowance, views
from orderd.engine.allowance import Spending, TradingLimits
from orderd.engine.execution import precheck
from orderd.engine.families import cancel
from orderd.engine.order_list import list_orders
from orderd.engine.reservation import Reservations
from orderd.gateway.access import authentication
from orderd.gateway.streaming import history
from orderd.gateway.streaming.selection import Selection
from orderd.wire.orders import ListParams
from tests.integration.accounts import account, order_of
from tests.integration.family import in_parts, oco, signed, twap
from tests.integration.orders import FILL, LEAST, built, claimed, lapse, new_order, pending, sign
from tests.samples.orders import FILL as CONFIRMED
from tests.samples.orders import METEORA as QUOTED

ORDERS: Final = 20_000
GROWING: Final = frozenset({"orders", "order_events", "attempts", "fills", "audit"})
EXPLAINED: Final = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "EXECUTE")


@pytest.fixture
def grown(postgres_server: Postgres) -> Iterator[None]:
    """A connection to a database after many orders."""
    name = f"grown_{uuid4().hex}"
    server = psycopg2.connect(postgres_server.url)
    server.autocommit = True
    server.cursor().execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    connect(postgres_server.url.replace("/orderd?", f"/{name}?"))
    with database.connection_context():
        fill(ORDERS)
        alerts.subscribe(AlertKind)
        for number in range(20):
            order_of(account(f"desk {number}"))
        yield
    database.close_all()
    server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


@contextmanager
def scans(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, set[str]]]:
    """The executed statements, with the growing tables that their plans scan sequentially."""
    found: dict[str, set[str]] = {}
    execute: Callable[..., Any] = type(database).execute_sql

    def explained(self: Any, sql: str, params: Any = None) -> Any:
        if sql.lstrip(" \n(").upper().startswith(EXPLAINED):
            ((plan,),) = execute(self, f"EXPLAIN (FORMAT JSON) {sql}", params).fetchall()
            found.setdefault(" ".join(sql.split()), set()).update(scanned(plan[0]["Plan"]) & GROWING)
        return execute(self, sql, params)

    with monkeypatch.context() as patched:
        patched.setattr(type(database), "execute_sql", explained)
        yield found


def scanned(plan: dict[str, Any]) -> set[str]:
    below = [scanned(each) for each in plan.get("Plans", ())]
    return set().union(*below, {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else ())


def take_orders_through_all_states() -> Order:
    """Take orders through every state, with every statement that changes them. Returns a confirmed one."""
    waits = pending()
    journal.defer({waits: 1}, "rate limit")
    journal.defer({waits: 1}, OrderdError(ErrorCode.RPC_UNAVAILABLE, "away"))
    precheck._waiting([waits])
    lapse(waits)
    assert work_at_hand().due
    leases.take_due(10, "gateway")
    leases.wake([each.order_id for each in leases.first_in_line(10)])
    leases.give_back([waits])
    leases.give_all_back()
    journal.apply([Change(waits, Cancelled(), None)])

    lost = claimed()
    lapse(lost.id)
    assert work_at_hand().orphans
    leases.reclaim(leases.orphans(10))
    validity.expire(10)
    refused = claimed()
    failed = Failed(attempt=1, code=ErrorCode.ROUTE_NOT_FOUND, detail="no pool")
    failure = FailureRecord(1, failed.code, "no pool")
    journal.apply([Change(refused.id, failed, refused.version, {"error_code": failed.code}, failure=failure)])

    at_once = claimed()
    attempt = NewAttempt(1, "at once", b"signed", 150, QUOTED.venue, QUOTED.pool, LEAST, 0)
    routed = Routed(chosen=QUOTED, quotes=(QUOTED,), min_amount_out="151")
    signed = Submitted(attempt=1, signature="at once", last_valid_block_height=150)
    columns = {"signature": "at once", "min_amount_out": LEAST}
    journal.apply([Change(at_once.id, signed, at_once.version, columns, before=routed, new_attempt=attempt)])
    again = sign(built(), "dead").order
    retry = Retrying(attempt=1, code=ErrorCode.TX_FAILED, detail="", until=again.updated_at)
    journal.apply(
        [Change(again.id, retry, again.version, to=OrderStatus.PENDING, attempt_end=AttemptEnd("failed", 9, sends=1))]
    )

    journal.flag_unknown(0, 10)
    leases.renew("worker-a", [sign(built(), "live").order.id], 15)
    lapse(sign(built(), "left").order.id)
    leases.adopt_submitted("worker-b", 15, 10)
    several = [sign(built(), signature).order for signature in ("landed", "beside", "stays")]
    end = AttemptEnd("landed", 9, sends=1, awaits_finality=True)
    journal.apply([Change(each.id, CONFIRMED, each.version, FILL, attempt_end=end) for each in several])
    assert finality.is_awaited()
    finality.settle(["stays"])
    finality.roll_back(finality.awaiting(1))
    return several[2]


def take_orders_through_resting() -> None:
    """Orders that trigger, expire or are cancelled while they rest, and one that rests again after a failed attempt."""
    fires, withdrawn, lapses = (
        pending(kind=OrderKind.TRAILING, trail="3%", valid_seconds=seconds) for seconds in (None, None, 0)
    )
    for each in [each for pair in resting.pairs() for each in resting.of_pair(pair)]:
        resting.raise_best([Best(each.id, each.version, LEAST)])
    triggered = Triggered(price="95", amount_out="95", condition="95", slot=9, met_at_slot=9)
    for order in [each.order for each in resting.by_id(late.id for late in resting.of_late(5) if late.id == fires)]:
        journal.apply([Change(order.id, triggered, order.version, to=OrderStatus.PENDING, valid=True)])
        (claimed_again,) = journal.claim([order.id], "worker-a", 15)
        retry = Retrying(attempt=1, code=ErrorCode.ROUTE_BELOW_FLOOR, detail="", until=claimed_again.order.updated_at)
        failure = FailureRecord(1, retry.code, "")
        version = claimed_again.order.version
        journal.apply([Change(order.id, retry, version, to=OrderStatus.OPEN, delay_ms=400, failure=failure)])
    journal.apply([Change(withdrawn, Cancelled(), None)])
    assert [moved.order.id for moved in validity.expire(10)] == [lapses]


def take_families_through_their_states() -> None:
    """Parents and children, with every statement that manages them; one is cancelled while a child is signed."""
    with families.exclusive_handling():
        parents = [oco(), twap(), in_parts()]
        made = [replace(new_order(), parent_id=parent) for parent in parents]
        journal.accept(made)
        live = signed(made[1].id)
        assert families.timed(10) == [parents[1]]
        assert not families.are_quiet()
        families.forget([each.number for each in families.changes(0, 10)])
        assert {each.parent.id for each in families.by_id(parents)} == {*parents}
    assert not families.lock_free(made[1].id)
    for parent in parents:
        families.committed(parent)
        cancel(parent)
    dead = Retrying(attempt=1, code=ErrorCode.TX_FAILED, detail="", until=live.order.updated_at)
    end = AttemptEnd("failed", 9, sends=1)
    journal.apply([Change(live.order.id, dead, live.order.version, to=OrderStatus.PENDING, attempt_end=end)])
    assert work_at_hand().withdrawn
    assert [moved.order.id for moved in journal.withdraw(10)] == [live.order.id]


def read_everything(order: Order) -> None:
    alerts.fired_stops(15)
    alerts.longest_wait("rate limit")
    alerts.distribute({"bot": AlertKind})
    alerts.take("bot", 10)
    counts.by_status()
    counts.open_by_kind()
    begun = order.created_at
    ended_orders(begun, begun + timedelta(days=1), None, 50)
    ended_orders(begun, begun + timedelta(days=1), EndedOrder(begun, order.id), 50)
    for whose in (DEFAULT_ACCOUNT, None):
        for span in (900, 86_400):
            recent(span, span // 60, whose)
    counts.add_up()
    views.get(DEFAULT_ACCOUNT, str(order.id))
    for sees_all in (False, True):
        for ref in (str(order.id)[:30], order.client_order_id, "no such order"):
            with suppress(OrderdError):
                views.find(DEFAULT_ACCOUNT, ref, sees_all=sees_all)
    journal.submitted_as(DEFAULT_ACCOUNT, order.client_order_id)
    journal.recent_starts(60)
    prices.last_route(order.mint_in, order.mint_out, 300)
    for filters in (
        {},
        {"status": ["failed", "pending"]},
        {"status": ["expired"]},
        {"kind": [OrderKind.MARKET]},
        {"status": ["open"]},
    ):
        for token in (None, "sol", "CHILLGUY", "XYZ", order.mint_out):
            for cursor in (None, str(order.id)):
                for whose in (DEFAULT_ACCOUNT, None):
                    list_orders(whose, ListParams.model_validate({**filters, "token": token, "cursor": cursor}))

    heads = history.active_heads()
    history.heads_moved([history.clock_now()], 6)
    history.missing(order.id, 1)
    history.snapshots(Selection(DEFAULT_ACCOUNT, {order.id: 1}))
    active = [head.order_id for head in heads]
    for whose in (DEFAULT_ACCOUNT, None):
        history.snapshots(Selection(whose, token_in="SOL", token_out="USDC", kind="market"), active)
    views.events_by_order([order.id])
    read_fills(order)


def read_fills(order: Order) -> None:
    (newest, _), *_ = fills_of.page(Wanted(), 1)
    for whose in (DEFAULT_ACCOUNT, None):
        for token in (None, "SOL", order.mint_out):
            for before in (None, (newest.at, newest.order_id)):
                fills_of.page(Wanted(whose, token, ("market",), since=newest.at, before=before), 50)
            list(fills_of.totals(Wanted(whose, token, since=newest.at)))


def query_the_audit_log(order: Order) -> None:
    """Query the audit log by each filter, for old and new rows, for frequent and rare values."""
    now = history.clock_now()
    for actor in (None, "filling", "rare", "nobody"):
        for action in (None, "order.submit", "order.cancel"):
            for outcome in (None, "ok", "LIMIT_DAY", "LIMIT_ORDER"):
                audit.read(Filter(actor=actor, action=action, outcome=outcome), 50)
                audit.read(Filter(until=now - timedelta(days=9), actor=actor, action=action, outcome=outcome), 50)
        audit.read(Filter(since=now - timedelta(hours=1), actor=actor, refused=True), 50)
    audit.read(Filter(order_id=order.id), 50)


def use_a_key_with_limits() -> None:
    new = new_order()
    by = Actor("filling", key_id=DEFAULT_ACCOUNT)
    limits = TradingLimits(per_day=10**18)
    allowance.accept_within(journal.NewOrder(new.id, new.account_id, "limited", new.terms, by), Spending(1, limits))
    allowance._spent(DEFAULT_ACCOUNT)
    authentication.ended_keys([DEFAULT_ACCOUNT])
    authentication.note_use([DEFAULT_ACCOUNT])


def reserve_for_resting_orders() -> None:
    balances.store([SellableBalance(WSOL_MINT, False, 10**12, True)], 8)
    resting = new_order(kind=OrderKind.LIMIT, limit_price="105", time_in_force=TimeInForce.GTC)
    reservations = Reservations(max_open=10)
    for key_id in (None, DEFAULT_ACCOUNT):
        reservations.accept([replace(resting, id=uuid7(), client_order_id=f"{key_id}", by=Actor("a", "", key_id))])
    reservations.wallet_funds()
    balances.seconds_since_seen()


def let_processes_and_clocks_change() -> None:
    dead = Process("gone", "elsewhere", 1, 1)
    processes.beat(dead)
    processes.release_dead(list(processes.known().items()))
    processes.unregister("worker-a")
    reading = clock.read()
    clock.note(reading)
    clock.move(Jump(seconds=1.0, since=reading.now, moved=reading.moved), 15)
    clock.cut(15, 60)


def remove_old_data() -> None:
    for kept in Kept:
        retention.remove(kept, DAYS - 3)
    retention.removed()
    retention.table_bytes()


@pytest.mark.usefixtures("grown")
def test_no_statement_scans_a_growing_table(monkeypatch: pytest.MonkeyPatch) -> None:
    with scans(monkeypatch) as found:
        order = take_orders_through_all_states()
        take_orders_through_resting()
        take_families_through_their_states()
        use_a_key_with_limits()
        reserve_for_resting_orders()
        read_everything(order)
        query_the_audit_log(order)
        let_processes_and_clocks_change()
        remove_old_data()
    assert len(found) > 50, "too few statements were recorded"
    assert {sql: tables for sql, tables in found.items() if tables} == {}


@pytest.mark.usefixtures("connection")
def test_a_statement_that_scans_a_growing_table_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(1_000)  # Postgres always scans an empty table sequentially after autovacuum.
    with scans(monkeypatch) as found:
        database.execute_sql("SELECT count(*) FROM orders JOIN attempts ON orders.id = order_id WHERE orders.seq > 1")
        Order.select().where(Order.updated_at > history.clock_now() - timedelta(seconds=1)).execute()
        Order.get_or_none(Order.id == uuid7())
    first, _, by_time, by_id = found.values()
    assert (first & {"orders"}, by_time, by_id) == ({"orders"}, {"orders"}, set())


@pytest.mark.usefixtures("connection")
def test_a_change_of_one_order_finds_it_by_its_id_even_among_few(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(400)
    with scans(monkeypatch) as found:
        order = sign(built(), "lone").order
        journal.apply([Change(order.id, CONFIRMED, order.version, FILL, attempt_end=AttemptEnd("landed", 9, sends=1))])
    changes = [tables for sql, tables in found.items() if sql.startswith("EXECUTE change")]
    assert changes == [set()] * 3
