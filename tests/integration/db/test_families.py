"""How families are stored, and what an older release makes of them after a downgrade."""

from collections.abc import Iterator

import pytest
from playhouse.migrations import Runner

from db import families, journal
from db.connection import MIGRATIONS, check_schema, connect, database, migrate
from db.journal import Change, NewOrder
from db.models import Order
from orderd.domain.events import Cancelled
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from tests.integration.family import SOL, in_parts, oco, signed, twap
from tests.integration.orders import built, new_order, pending, sign


@pytest.fixture(autouse=True)
def empty_database(empty_postgres_url: str) -> Iterator[None]:
    connect(empty_postgres_url)
    migrate()
    with database.connection_context():
        yield
    database.close_all()


def test_an_older_release_sells_nothing_twice_after_a_downgrade() -> None:
    """It would sell a partial order as a whole and both sides of an OCO, so unsigned orders are withdrawn."""
    market, wished = pending(), sign(built(), "sig").order.id
    assert journal.request_cancel(wished)
    for parent in (oco(), twap(), in_parts()):
        new = new_order()
        journal.accept([NewOrder(new.id, new.account_id, str(new.id), new.terms, new.by, None, parent)])
    live = signed(new.id).order.id
    Runner(database, str(MIGRATIONS)).down("0023_families")
    rows = database.execute_sql("SELECT id, status FROM orders WHERE status <> 'cancelled'").fetchall()
    assert {str(order_id): status for order_id, status in rows} == {
        str(market): "pending",
        str(wished): "submitted",
        str(live): "submitted",
    }


def test_the_migration_can_be_applied_again_after_a_downgrade() -> None:
    taken_back = Runner(database, str(MIGRATIONS)).down("0023_families")
    assert migrate() == sorted(taken_back)
    check_schema()
    assert families.timed(10) == []
    parent = twap()
    assert families.timed(10) == [parent]
    assert [family.parent.id for family in families.by_id([parent])] == [parent]


def test_the_amount_in_flight_includes_attempts_that_may_still_land() -> None:
    parent = in_parts()
    for _ in range(2):
        new = new_order(amount_in=SOL)
        journal.accept([NewOrder(new.id, new.account_id, str(new.id), new.terms, new.by, None, parent)])
    assert families.committed(parent) == 2 * SOL
    journal.apply([Change(new.id, Cancelled(), None)])
    assert families.committed(parent) == SOL


def test_sql_and_python_agree_on_which_orders_are_families() -> None:
    for parent in (oco(), twap(), in_parts()):
        assert families.of(parent) is not None
    plain = new_order(kind=OrderKind.LIMIT, limit_price="105", time_in_force=TimeInForce.GTC)
    journal.accept([plain])
    assert Order.get_by_id(plain.id).status is OrderStatus.OPEN
    assert families.of(plain.id) is None
