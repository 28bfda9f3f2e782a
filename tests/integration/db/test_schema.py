"""The daemon refuses to start on a database with another schema version."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playhouse.migrations import Runner

from db import connection, journal
from db.connection import MIGRATIONS, SchemaError, check_schema, connect, database, migrate
from db.journal import Change
from orderd.domain.events import Triggered
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from tests.integration.orders import claimed, new_order, pending, route, sign


@pytest.fixture(autouse=True)
def empty_database(empty_postgres_url: str) -> Iterator[None]:
    connect(empty_postgres_url)
    yield
    database.close_all()


def test_a_database_with_an_older_schema_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"behind .* lacks 0001_orders, 0002_chain") as refused:
        check_schema()
    assert "orderd migrate" in refused.value.spec.next_step


def test_a_database_with_a_newer_schema_is_refused() -> None:
    migrate()
    with database.connection_context():
        database.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_future', now())")
    with pytest.raises(SchemaError, match=r"ahead .* has 9999_future"):
        check_schema()


def test_migrating_twice_applies_nothing_twice() -> None:
    assert migrate() == sorted(file.stem for file in MIGRATIONS.glob("0*.py"))
    assert migrate() == []
    check_schema()


_MIGRATION = """
def up(migrator, db):
    limits = "current_setting('statement_timeout') || current_setting('lock_timeout')"
    db.execute_sql(f"CREATE TABLE seen AS SELECT {limits}")

def down(migrator, db):
    db.execute_sql("DROP TABLE seen")
"""


def test_migrations_have_no_timeout_and_later_statements_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0001_slow.py").write_text(_MIGRATION)
    monkeypatch.setattr(connection, "MIGRATIONS", tmp_path)
    assert migrate() == ["0001_slow"]
    with database.connection_context():
        assert database.execute_sql("SELECT * FROM seen").fetchone() == ("00",)
        assert database.execute_sql("SHOW statement_timeout").fetchone() == ("30s",)
        assert database.execute_sql("SHOW lock_timeout").fetchone() == ("10s",)


def test_commits_are_synchronous_whatever_the_server_default() -> None:
    with database.connection_context():
        name = database.execute_sql("SELECT current_database()").fetchone()[0]
        database.execute_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    database.close_all()
    with database.connection_context():
        assert database.execute_sql("SHOW synchronous_commit").fetchone() == ("on",)


def test_an_invalid_url_is_refused_without_showing_its_password() -> None:
    with pytest.raises(ValueError, match="cannot be read") as refused:
        connect("postgresql://orderd:hun%ter2@host/orderd")
    assert "hun" not in str(refused.value)


def test_a_downgrade_withdraws_resting_orders() -> None:
    """An older release knows only market orders, and would execute resting ones at the market."""
    migrate()
    with database.connection_context():
        market = pending()
        waits = [pending(kind=OrderKind.LIMIT, limit_price="105", time_in_force=way) for way in (None, TimeInForce.IOC)]
        _, fired = pending(kind=OrderKind.STOP, stop_price="95"), pending(kind=OrderKind.STOP, stop_price="95")
        triggered = Triggered(price="95", amount_out="95", condition="95", slot=9, met_at_slot=9)
        assert journal.apply([Change(fired, triggered, None, to=OrderStatus.PENDING)])
        (works,) = journal.claim([waits[1]], "worker-a", 15)
        assert works.order.status is OrderStatus.ROUTING
        signed = sign(route(claimed()), "sig").order
        Runner(database, str(MIGRATIONS)).down("0019_resting")
        rows = database.execute_sql("SELECT id, status, kind FROM orders").fetchall()
    assert {kind for _, _, kind in rows} == {"market"}
    left = {str(order_id): status for order_id, status, _ in rows if status != "cancelled"}
    assert left == {str(market): "pending", str(signed.id): "submitted"}


def test_migrations_can_be_applied_again_after_a_downgrade() -> None:
    migrate()
    taken_back = Runner(database, str(MIGRATIONS)).down("0019_resting")
    assert migrate() == sorted(taken_back)
    check_schema()
    with database.connection_context():
        assert journal.accept([new_order(kind=OrderKind.LIMIT, limit_price="105")])
