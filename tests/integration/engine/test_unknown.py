"""An order whose outcome stays unproved is reported as unknown, and ends with a later proof."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from db import journal
from db.connection import database
from db.models import Order
from orderd.domain.events import Unknown
from orderd.domain.order import OrderStatus
from orderd.engine import views
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement.unknown import UnknownOutcomes
from tests.integration.engine.conftest import ScriptedChain, signature
from tests.integration.engine.settling import worker_of
from tests.integration.orders import built, pending, read, sign


@pytest.fixture
def settle(chain: ScriptedChain, publisher: Publisher) -> Callable[[], int]:
    """Two settlement passes of worker A, which holds ``signature(1)``."""
    worker = worker_of(chain, publisher, Leases("worker-a", 15.0))
    worker.track(sign(built("worker-a"), signature(1)))
    return worker.settle_expired


@pytest.fixture
def unknown(publisher: Publisher) -> UnknownOutcomes:
    return UnknownOutcomes(publisher, after_seconds=300)


def age(seconds: int) -> None:
    """Make the last event of all orders this much older."""
    database.execute_sql("UPDATE orders SET updated_at = updated_at - %s", (timedelta(seconds=seconds),))


def the_order() -> Order:
    order: Order = Order.get()
    return order


def test_a_submitted_order_becomes_unknown_after_its_time_and_reports_it_once(
    settle: Callable[[], int], unknown: UnknownOutcomes
) -> None:
    age(299)
    assert unknown.run_once() == 0
    age(2)
    assert unknown.run_once() == 1
    order = the_order()
    assert (order.status, order.seq) == (OrderStatus.SUBMITTED, 5)
    (event,) = views.events_after(order.id, 4)
    assert event.data == Unknown(attempt=1, signature=signature(1))
    assert order.unknown_since == event.at
    assert views.order_view(order).unknown_since == event.at
    age(1_000)
    assert unknown.run_once() == 0


def test_an_unsigned_order_never_becomes_unknown(unknown: UnknownOutcomes) -> None:
    waiting, routed = pending(), built().id
    age(1_000)
    assert unknown.run_once() == 0
    assert {read(waiting).unknown_since, read(routed).unknown_since} == {None}


@pytest.mark.parametrize("end", ["landed", "expired"])
def test_a_later_proof_ends_an_unknown_order_under_its_existing_claim(
    chain: ScriptedChain, settle: Callable[[], int], unknown: UnknownOutcomes, end: str
) -> None:
    age(301)
    assert unknown.run_once() == 1
    if end == "landed":
        chain.land(signature(1))
    else:
        chain.block_height = 151
    assert settle() == 1
    order = the_order()
    assert order.status is (OrderStatus.CONFIRMED if end == "landed" else OrderStatus.PENDING)
    assert order.unknown_since is None
    assert [event.seq for event in views.events_after(order.id, 0)] == [1, 2, 3, 4, 5, 6]


def test_two_processes_flag_an_order_once(settle: Callable[[], int], publisher: Publisher) -> None:
    age(301)
    assert UnknownOutcomes(publisher, 300).run_once() + UnknownOutcomes(publisher, 300).run_once() == 1
    assert journal.flag_unknown(300, 10) == []
