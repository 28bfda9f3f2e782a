"""A sweep reads the orders changed since the previous one, even if Postgres' clock was set meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from db.connection import connect, database
from orderd.gateway.streaming import history
from tests.integration.orders import claimed, pending, read
from tests.integration.set_clock import SettableClock

HOUR = timedelta(hours=1)
WINDOW = 6.0


@pytest.fixture
def server(postgres_url: str) -> Iterator[SettableClock]:
    clock = SettableClock(postgres_url)
    connect(postgres_url)
    with database.connection_context():
        yield clock
    database.close_all()


def test_recently_changed_orders_are_read(server: SettableClock) -> None:
    old, new = claimed(), claimed()
    database.execute_sql(
        "UPDATE order_events SET at = clock_timestamp() - interval '7 s' WHERE order_id = %s", (str(old.id),)
    )
    _, heads = history.heads_moved([history.clock_now()], WINDOW)
    assert [(head.order_id, head.seq) for head in heads] == [(new.id, 2)]


@pytest.mark.parametrize("by", [-HOUR, HOUR], ids=["back", "ahead"])
def test_setting_the_clock_hides_no_change(server: SettableClock, by: timedelta) -> None:
    said = [history.clock_now()]
    before = claimed()
    server.set(by)
    after = claimed()
    now, heads = history.heads_moved(said, WINDOW)
    assert {head.order_id for head in heads} == {before.id, after.id}
    assert now - said[-1] < timedelta(minutes=1) + by
    _, heads = history.heads_moved([now], WINDOW)
    assert before.id not in {head.order_id for head in heads}, (
        "the order is read again and again until the clock catches up"
    )


def test_a_new_order_is_read(server: SettableClock) -> None:
    order_id = pending()
    _, heads = history.heads_moved([], WINDOW)
    assert [head.order_id for head in heads] == [order_id]
    assert read(order_id).seq == heads[0].seq
