"""States stored by earlier versions are opened and migrated, and their orders end."""

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
"""Tables whose rows are never changed or removed."""
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


def test_stored_orders_keys_and_audit_are_unchanged(stored: Stored, migrated: str) -> None:
    expected = stored.expected()
    for old in expected.orders:
        assert differences(as_json(views.get(DEFAULT_ACCOUNT, old["order"]["id"])), old) == []
    tokens, audited = tokens_and_audit()
    assert differences(tokens, expected.tokens) == []
    assert differences(audited, expected.audit) == []


def test_orders_that_were_confirmed_have_their_fills(stored: Stored, migrated: str) -> None:
    details = [views.get(DEFAULT_ACCOUNT, old["order"]["id"]) for old in stored.expected().orders]
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


def test_every_order_ends_without_intervention(stored: Stored, restored: str, redis_url: str, state_dir: Path) -> None:
    expected, ledger = stored.expected(), Ledger(state_dir)
    before = {landed.signature for landed in ledger.transactions()}
    tip = height_of(state_dir)
    rows = rows_of(restored)
    connect(restored)
    migrate()
    database.close_all()

    with running_daemon(state_dir, settings(restored, redis_url)) as daemon:
        with trading_with(daemon.url, keys.DESK) as trader:
            trader.acknowledged = {old["order"]["client_order_id"]: UUID(old["order"]["id"]) for old in expected.orders}
            assert_still_resting(trader, [old for old in expected.orders if old["order"]["status"] == OrderStatus.OPEN])
            stories = trader.follow_all_to_end(_FINISH_SECONDS)
            audit(trader, stories, ledger, expected.funded)
        assert_keys_unchanged(daemon)

    for old, story in zip(expected.orders, stories, strict=True):
        status = OrderStatus(old["order"]["status"])
        if status in TERMINAL:
            assert differences(as_json(story.stored), old) == []
            continue
        assert differences(as_json(story.stored)["events"][: len(old["events"])], old["events"]) == []
        if status in (OrderStatus.OPEN, OrderStatus.HELD):
            assert story.order.status is OrderStatus.CANCELLED
            continue
        assert story.order.status is OrderStatus.CONFIRMED, story.order.error
        if status is OrderStatus.SUBMITTED:
            assert_continues_from_the_signed_attempt(story, old, before, tip)
        elif status is not OrderStatus.PENDING:
            assert EventKind.RECLAIMED in kinds_after(story, old)
    assert_ended_orders_unchanged(rows, rows_of(restored))


def settings(database_url: str, redis_url: str) -> dict[str, str]:
    return {**SETTINGS, "ORDERD_DATABASE_URL": database_url, "ORDERD_REDIS_URL": redis_url}


def assert_still_resting(trader: Trader, orders: Rows) -> None:
    """Orders far from the market still rest with all their terms, and can be cancelled with their families."""
    for old in orders:
        assert differences(as_json(trader.detail(UUID(old["order"]["id"]))), old) == []
    for old in orders:
        if "parent_id" not in old["order"]:
            assert trader.cancel(UUID(old["order"]["id"])).status is OrderStatus.CANCELLED


def assert_keys_unchanged(daemon: Daemon) -> None:
    """Limits and revocations of the API keys apply at the port."""
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


def assert_continues_from_the_signed_attempt(story: Story, old: Mapping[str, Any], landed: set[str], tip: int) -> None:
    """Nothing else was signed unless the stored attempt expired. ``landed`` and ``tip`` are the stored chain's."""
    live = old["attempts"][-1]
    attempt = story.attempts[live["number"] - 1]
    assert attempt.signature == live["signature"]
    assert len(story.attempts) == live["number"] + (attempt.outcome == "expired")
    if live["signature"] in landed:
        assert attempt.outcome == "landed"
        assert story.order.signature == live["signature"]
    elif live["last_valid_block_height"] < tip:
        assert attempt.outcome == "expired"
        assert story.failures[-1].code is ErrorCode.TX_EXPIRED
        assert EventKind.RETRYING in kinds_after(story, old)
    else:
        # If the daemon starts slowly, the blockhash expires before the transaction can be sent.
        assert attempt.outcome in ("landed", "expired")
        assert attempt.outcome == "expired" or attempt.sends >= 1


def kinds_after(story: Story, old: Mapping[str, Any]) -> list[EventKind]:
    return [event.data.kind for event in story.events[len(old["events"]) :]]


def assert_ended_orders_unchanged(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> None:
    """All rows of ended orders, and the events and audit of all orders, are unchanged in the stored columns."""
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


def differences(found: Any, expected: Any, at: str = "") -> list[str]:
    """The places where ``found`` differs from ``expected``. Additional members of objects are allowed."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            each for name, value in expected.items() for each in differences(found.get(name), value, f"{at}.{name}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            each
            for n, pair in enumerate(zip(found, expected, strict=True))
            for each in differences(*pair, f"{at}[{n}]")
        ]
    return [] if found == expected else [f"{at}: {found!r} was {expected!r}"]
