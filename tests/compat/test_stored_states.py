"""What an earlier version left behind is opened, migrated and brought to its end by this one."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg2
import pytest
from peewee import PeeweeException
from psycopg2.extras import RealDictCursor

from db.connection import check_schema, connect, database, migrate
from db.models import DEFAULT_ACCOUNT, AuditRow
from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import TERMINAL, EventKind, OrderStatus
from orderd.engine import views
from orderd.gateway.access.authentication import RequestRate, Scope, authenticate
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Story, Trader, order
from tests.compat import keys
from tests.compat.stored import Stored, as_json, stored_states, tokens_and_audit, trading_with
from tests.conftest import QUICK

Rows = Sequence[Mapping[str, Any]]
_FINISH_SECONDS: Final = 90.0
GROWING: Final = ("accounts", "order_events", "order_failures", "audit", "notionals", "schema_migration")
"""Tables whose rows nothing changes or removes."""
SETTINGS: Final = {**QUICK, "ORDERD_SIMNET_SLOT_MS": "50"}


@pytest.fixture(params=stored_states(), ids=lambda stored: stored.version)
def stored(request: pytest.FixtureRequest) -> Stored:
    found: Stored = request.param
    return found


@pytest.fixture
def restored(stored: Stored, empty_postgres_url: str) -> str:
    """The stored database as it was, with nothing done to it."""
    stored.restore_database(empty_postgres_url)
    return empty_postgres_url


@pytest.fixture
def migrated(restored: str) -> Iterator[str]:
    """The same after ``orderd migrate``, and a connection to it."""
    connect(restored)
    migrate()
    check_schema()
    with database.connection_context():
        yield restored
    database.close_all()


@pytest.fixture
def state_dir(stored: Stored, tmp_path: Path) -> Path:
    """With the chain and the wallet that the stored orders belong to."""
    stored.restore_ledger(tmp_path)
    keys.write_wallet(tmp_path)
    return tmp_path


def test_the_first_version_is_stored() -> None:
    assert "0.1.0" in [stored.version for stored in stored_states()]


def test_all_that_was_said_of_the_orders_is_still_said(stored: Stored, migrated: str) -> None:
    expected = stored.expected()
    for said in expected.orders:
        assert lost(as_json(views.get(DEFAULT_ACCOUNT, said["order"]["id"])), said) == []
    tokens, audited = tokens_and_audit()
    assert lost(tokens, expected.tokens) == []
    assert lost(audited, expected.audit) == []


def test_orders_that_were_confirmed_have_their_fills(stored: Stored, migrated: str) -> None:
    details = [views.get(DEFAULT_ACCOUNT, said["order"]["id"]) for said in stored.expected().orders]
    confirmed = {
        each.order.id: (each.order.signature, each.order.amount_out) for each in details if each.order.amount_out
    }
    filled = {each.order.id: (fill.signature, fill.amount_out) for each in details for fill in each.fills}
    assert filled == confirmed != {}
    assert all(fill.slot and fill.rent and fill.pool_fee for each in details for fill in each.fills)


def test_the_audit_can_still_only_grow(migrated: str) -> None:
    with pytest.raises(PeeweeException, match="append-only"), database.atomic():
        AuditRow.update(outcome="changed").execute()


def test_a_token_is_worth_what_it_was(stored: Stored, migrated: str) -> None:
    (row,) = [token for token in stored.expected().tokens if token["name"] == "desk"]
    desk = authenticate(f"Bearer {keys.DESK}", required=True)
    assert (str(desk.key_id), desk.scope) == (row["id"], Scope.TRADE)
    assert desk.pace == RequestRate(row["requests_per_minute"], row["burst"])
    assert desk.limits.mints == frozenset(row["allowed_mints"])
    assert (desk.limits.per_order, desk.limits.per_day) == (row["max_notional_per_order"], row["max_notional_per_day"])
    with pytest.raises(OrderdError) as refused:
        authenticate(f"Bearer {keys.FORMER}", required=True)
    assert refused.value.code is ErrorCode.AUTH_INVALID


def test_every_order_comes_to_its_end_by_itself(stored: Stored, restored: str, redis_url: str, state_dir: Path) -> None:
    expected, ledger = stored.expected(), Ledger(state_dir)
    before = {landed.signature for landed in ledger.transactions()}
    tip = height_of(state_dir)
    rows = rows_of(restored)
    connect(restored)
    migrate()
    database.close_all()

    with running_daemon(state_dir, settings(restored, redis_url)) as daemon:
        with trading_with(daemon.url, keys.DESK) as trader:
            trader.acknowledged = {
                said["order"]["client_order_id"]: UUID(said["order"]["id"]) for said in expected.orders
            }
            still_rest(trader, [said for said in expected.orders if said["order"]["status"] == OrderStatus.OPEN])
            stories = trader.follow_all_to_end(_FINISH_SECONDS)
            audit(trader, stories, ledger, expected.funded)
        tokens_hold(daemon)

    for said, story in zip(expected.orders, stories, strict=True):
        status = OrderStatus(said["order"]["status"])
        if status in TERMINAL:
            assert lost(as_json(story.stored), said) == []
            continue
        assert lost(as_json(story.stored)["events"][: len(said["events"])], said["events"]) == []
        if status in (OrderStatus.OPEN, OrderStatus.HELD):
            assert story.order.status is OrderStatus.CANCELLED
            continue
        assert story.order.status is OrderStatus.CONFIRMED, story.order.error
        if status is OrderStatus.SUBMITTED:
            goes_on_from_what_was_signed(story, said, before, tip)
        elif status is not OrderStatus.PENDING:
            assert EventKind.RECLAIMED in kinds_after(story, said)
    nothing_that_ended_is_touched(rows, rows_of(restored))


def settings(database_url: str, redis_url: str) -> dict[str, str]:
    return {**SETTINGS, "ORDERD_DATABASE_URL": database_url, "ORDERD_REDIS_URL": redis_url}


def still_rest(trader: Trader, orders: Rows) -> None:
    """Orders far from the market wait as before, with all their terms, and can be cancelled with their families."""
    for said in orders:
        assert lost(as_json(trader.detail(UUID(said["order"]["id"]))), said) == []
    for said in orders:
        if "parent_id" not in said["order"]:
            assert trader.cancel(UUID(said["order"]["id"])).status is OrderStatus.CANCELLED


def tokens_hold(daemon: Daemon) -> None:
    """The limits and the end of the tokens count at the port."""
    with trading_with(daemon.url, keys.DESK) as trader:
        for params, code in (
            (order("SOL", "USDC", "50"), ErrorCode.LIMIT_ORDER),
            (order("SOL", "CHILLGUY", "0.01"), ErrorCode.LIMIT_TOKENS),
        ):
            with pytest.raises(RefusedError) as refused:
                trader.submit(params)
            assert refused.value.problem.code is code
    with trading_with(daemon.url, keys.FORMER) as trader, pytest.raises(RefusedError) as refused:
        trader.orders()
    assert refused.value.problem.code is ErrorCode.AUTH_INVALID


def goes_on_from_what_was_signed(story: Story, said: Mapping[str, Any], landed: set[str], tip: int) -> None:
    """Nothing else was signed unless the stored bytes were dead; ``landed`` and ``tip`` are the stored chain's."""
    live = said["attempts"][-1]
    attempt = story.attempts[live["number"] - 1]
    assert attempt.signature == live["signature"]
    assert len(story.attempts) == live["number"] + (attempt.outcome == "expired")
    if live["signature"] in landed:
        assert attempt.outcome == "landed"
        assert story.order.signature == live["signature"]
    elif live["last_valid_block_height"] < tip:
        assert attempt.outcome == "expired"
        assert story.failures[-1].code is ErrorCode.TX_EXPIRED
        assert EventKind.RETRYING in kinds_after(story, said)
    else:
        # Where this machine is slow to start the daemon, its blockhash is too old before it can be sent.
        assert attempt.outcome in ("landed", "expired")
        assert attempt.outcome == "expired" or attempt.sends >= 1


def kinds_after(story: Story, said: Mapping[str, Any]) -> list[EventKind]:
    return [event.data.kind for event in story.events[len(said["events"]) :]]


def nothing_that_ended_is_touched(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> None:
    """Of ended orders every row, and of all orders the events and the audit, in the columns that were stored."""
    ended = {row["id"] for row in before["orders"] if row["status"] in TERMINAL}
    kept = {
        table: rows if table in GROWING else [row for row in rows if (row.get("order_id") or row.get("id")) in ended]
        for table, rows in before.items()
    }
    kept["api_tokens"] = [
        {name: value for name, value in row.items() if name != "last_used_at"} for row in before["api_tokens"]
    ]
    for table, rows in kept.items():
        found = {row_text({name: row[name] for name in rows[0]}) for row in after[table]} if rows else set()
        assert {row_text(row) for row in rows} <= found, table
    assert all(kept[table] for table in (*GROWING, "orders", "attempts", "api_tokens"))


def row_text(row: Mapping[str, Any]) -> str:
    return repr(sorted(row.items()))


def rows_of(url: str) -> dict[str, Rows]:
    """All rows of all tables, each value as Postgres writes it."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(
            """
            SELECT table_name, string_agg(format('%I::text', column_name), ', ') AS columns
            FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name"""
        )
        tables = cursor.fetchall()
        found: dict[str, Rows] = {}
        for table in tables:
            cursor.execute(f"SELECT {table['columns']} FROM {table['table_name']}")
            found[table["table_name"]] = cursor.fetchall()
    return found


def height_of(state_dir: Path) -> int:
    with closing(sqlite3.connect(state_dir / "simnet" / "ledger.sqlite")) as ledger:
        return int(ledger.execute("SELECT max(height) FROM blocks").fetchone()[0])


def lost(found: Any, said: Any, at: str = "") -> list[str]:
    """Where what is found differs from what was said: an object may have got members, all else counts."""
    if isinstance(said, dict) and isinstance(found, dict):
        return [each for name, value in said.items() for each in lost(found.get(name), value, f"{at}.{name}")]
    if isinstance(said, list) and isinstance(found, list) and len(said) == len(found):
        return [each for n, pair in enumerate(zip(found, said, strict=True)) for each in lost(*pair, f"{at}[{n}]")]
    return [] if found == said else [f"{at}: {found!r} was {said!r}"]
