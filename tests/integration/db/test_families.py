"""Families as the database keeps them, and what an older release finds of them."""

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


def test_an_older_release_sells_nothing_twice() -> None:
    """It would sell the whole of what is sold in parts, and both ends of an OCO: what is not signed is withdrawn."""
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


def test_what_was_taken_back_is_applied_again() -> None:
    taken_back = Runner(database, str(MIGRATIONS)).down("0023_families")
    assert migrate() == sorted(taken_back)
    check_schema()
    assert families.timed(10) == []
    parent = twap()
    assert families.timed(10) == [parent]
    assert [family.parent.id for family in families.these([parent])] == [parent]


def test_what_is_being_sold_is_what_may_yet_count() -> None:
    parent = in_parts()
    for _ in range(2):
        new = new_order(amount_in=SOL)
        journal.accept([NewOrder(new.id, new.account_id, str(new.id), new.terms, new.by, None, parent)])
    assert families.under_way(parent) == 2 * SOL
    journal.apply([Change(new.id, Cancelled(), None)])
    assert families.under_way(parent) == SOL


def test_which_orders_are_families_is_said_alike_in_sql_and_in_python() -> None:
    for parent in (oco(), twap(), in_parts()):
        assert families.of(parent) is not None
    plain = new_order(kind=OrderKind.LIMIT, limit_price="105", time_in_force=TimeInForce.GTC)
    journal.accept([plain])
    assert Order.get_by_id(plain.id).status is OrderStatus.OPEN
    assert families.of(plain.id) is None
