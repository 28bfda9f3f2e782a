"""A program and a database that do not fit each other do not start."""

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


def test_a_database_that_is_behind_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"behind .* lacks 0001_orders, 0002_chain") as refused:
        check_schema()
    assert "orderd migrate" in refused.value.spec.next_step


def test_a_database_that_is_ahead_is_refused() -> None:
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


def test_a_migration_takes_its_time_and_nothing_after_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0001_slow.py").write_text(_MIGRATION)
    monkeypatch.setattr(connection, "MIGRATIONS", tmp_path)
    assert migrate() == ["0001_slow"]
    with database.connection_context():
        assert database.execute_sql("SELECT * FROM seen").fetchone() == ("00",)
        assert database.execute_sql("SHOW statement_timeout").fetchone() == ("30s",)
        assert database.execute_sql("SHOW lock_timeout").fetchone() == ("10s",)


def test_what_is_committed_is_on_disk_although_the_server_would_be_content_with_less() -> None:
    with database.connection_context():
        name = database.execute_sql("SELECT current_database()").fetchone()[0]
        database.execute_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    database.close_all()
    with database.connection_context():
        assert database.execute_sql("SHOW synchronous_commit").fetchone() == ("on",)


def test_an_address_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(ValueError, match="cannot be read") as refused:
        connect("postgresql://orderd:hun%ter2@host/orderd")
    assert "hun" not in str(refused.value)


def test_an_older_release_finds_nothing_that_it_would_execute_at_the_market() -> None:
    """It knows market orders only: what waits for a price is withdrawn before it may take it for one of them."""
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


def test_what_was_taken_back_is_applied_again() -> None:
    migrate()
    taken_back = Runner(database, str(MIGRATIONS)).down("0019_resting")
    assert migrate() == sorted(taken_back)
    check_schema()
    with database.connection_context():
        assert journal.accept([new_order(kind=OrderKind.LIMIT, limit_price="105")])
