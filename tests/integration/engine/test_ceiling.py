"""The maximum cost of an exact output is set with the order's first route, and holds for all later attempts."""

from collections.abc import Callable
from uuid import UUID

import pytest
from peewee import IntegrityError

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change
from db.models import Attempt
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import RolledBack, Routed
from orderd.domain.order import Floor, OrderStatus
from orderd.engine import views
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.failure import AttemptFailedError, Failures
from orderd.engine.publish import Publisher
from tests.integration.engine.test_execution import QUOTE, Desk, open_desk
from tests.integration.engine.test_floor import RETRY_AT_ONCE, fail_on_chain
from tests.integration.orders import FILL, pending, read
from tests.samples.orders import FILL as FILLED

WANTED = 152_310_211
MOST = 1_507_500_000
"""The quoted cost plus the orders' slippage of 0.5 %."""


@pytest.fixture
def desk(publisher: Publisher) -> Desk:
    return open_desk(publisher)


@pytest.fixture
def failed_turn(desk: Desk, publisher: Publisher) -> Callable[[UUID], OrderdError]:
    """Run a turn that must end with a failed attempt, and return its error; the order may be retried at once."""

    def work(order_id: UUID) -> OrderdError:
        with pytest.raises(AttemptFailedError) as failed:
            desk.work(order_id)
        Failures(RETRY_AT_ONCE, publisher).record([failed.value])
        return failed.value.error

    return work


def agreed(desk: Desk) -> list[tuple[int, int]]:
    """The minimum output and maximum input of each signed transaction."""
    return [(plan.min_amount_out, plan.max_amount_in) for plan in desk.builder.signed]


@pytest.mark.parametrize("takes", [MOST, QUOTE.amount_in, 1], ids=["maximum cost", "same cost", "lower cost"])
def test_a_later_attempt_keeps_the_maximum_of_the_first(desk: Desk, takes: int) -> None:
    order_id = pending(exact_out=WANTED)
    desk.work(order_id)
    fail_on_chain(order_id)

    desk.market.takes = takes
    desk.work(order_id)

    assert agreed(desk) == [(WANTED, MOST)] * 2
    order = read(order_id)
    assert (order.max_amount_in, order.min_amount_out, order.quoted_amount_in) == (MOST, WANTED, takes)
    assert [each.max_amount_in for each in Attempt.select()] == [MOST, MOST]


def test_a_route_above_the_first_maximum_is_a_failed_attempt(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    order_id = pending(exact_out=WANTED)
    desk.work(order_id)
    fail_on_chain(order_id)
    desk.market.takes = MOST + 1

    error = failed_turn(order_id)

    assert error.code is ErrorCode.ROUTE_ABOVE_CEILING
    assert error.detail == (
        "the best route takes 1.507500001 SOL, and the order pays no more than 1.5075 SOL: "
        "the ceiling of its first route, which holds in all attempts"
    )
    assert agreed(desk) == [(WANTED, MOST)]
    assert (read(order_id).status, read(order_id).failures) == (OrderStatus.PENDING, 2)
    desk.market.takes = MOST
    desk.work(order_id)
    assert agreed(desk) == [(WANTED, MOST)] * 2


def test_an_order_may_set_a_new_maximum_in_each_attempt(desk: Desk) -> None:
    order_id = pending(exact_out=WANTED, floor=Floor.EACH)
    desk.work(order_id)
    fail_on_chain(order_id)
    desk.market.takes = 2 * QUOTE.amount_in
    desk.work(order_id)
    assert agreed(desk) == [(WANTED, MOST), (WANTED, 2 * MOST)]
    assert read(order_id).max_amount_in == 2 * MOST


@pytest.mark.parametrize("floor", Floor)
def test_no_attempt_pays_more_than_the_orders_own_maximum(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError], floor: Floor
) -> None:
    own = QUOTE.amount_in + 1
    order_id = pending(exact_out=WANTED, floor=floor, max_in=own)
    desk.work(order_id)
    fail_on_chain(order_id)

    desk.market.takes = own + 1
    error = failed_turn(order_id)
    assert error.code is ErrorCode.ROUTE_ABOVE_CEILING
    assert error.detail.endswith("pays no more than 1.500000001 SOL: its own max_in")
    desk.market.takes = own
    desk.work(order_id)

    assert agreed(desk) == [(WANTED, own)] * 2


def test_an_own_maximum_above_the_quotes_maximum_has_no_effect(desk: Desk) -> None:
    desk.work(pending(exact_out=WANTED, max_in=2 * MOST))
    assert agreed(desk) == [(WANTED, MOST)]


def test_an_own_maximum_below_the_market_fails_the_first_attempt(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    order_id = pending(exact_out=WANTED, max_in=QUOTE.amount_in - 1)
    assert failed_turn(order_id).code is ErrorCode.ROUTE_ABOVE_CEILING
    assert (agreed(desk), desk.sender.sent, read(order_id).max_amount_in) == ([], [], None)


def test_a_new_route_in_the_same_attempt_keeps_the_maximum(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    """A pool refuses, and the remaining routes cost more: first within the maximum, then above it."""

    def refuse(_: UUID) -> None:
        desk.market.takes += 5_000_000
        refused = desk.builder.signed.pop().route
        raise RouteRefusedError(refused, OrderdError(ErrorCode.POOL_CLOSED, "it is switched off"), "pool")

    desk.builder.meanwhile = refuse
    order_id = pending(exact_out=WANTED)
    assert failed_turn(order_id).code is ErrorCode.ROUTE_ABOVE_CEILING
    assert (agreed(desk), read(order_id).max_amount_in) == ([], MOST)
    routed = [event.data for event in views.events_after(order_id, 0) if isinstance(event.data, Routed)]
    assert [(each.chosen.amount_in, each.chosen.amount_out, each.max_amount_in) for each in routed] == [
        ("1.5", "152.310211", "1.5075"),
        ("1.505", "152.310211", "1.5075"),
    ]


def test_a_rolled_back_order_is_executed_again_with_the_same_maximum(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    order_id = pending(exact_out=WANTED)
    desk.work(order_id)
    with database.connection_context():
        for fact, end in (
            (FILLED, AttemptEnd("landed", 815, 1, awaits_finality=True)),
            (RolledBack(attempt=1, signature=FILLED.signature, slot=815), None),
        ):
            columns = FILL if end else dict.fromkeys(FILL)
            order = read(order_id)
            assert journal.apply([Change(order_id, fact, order.version, columns, attempt_end=end)])
    fail_on_chain(order_id)

    desk.market.takes = MOST + 1
    assert failed_turn(order_id).code is ErrorCode.ROUTE_ABOVE_CEILING
    desk.market.takes = MOST
    desk.work(order_id)

    assert agreed(desk) == [(WANTED, MOST)] * 2


@pytest.mark.parametrize(("filled", "is_taken"), [({"filled_in": MOST}, True), ({"filled_in": MOST + 1}, False)])
def test_the_database_refuses_a_fill_above_the_maximum(desk: Desk, filled: dict[str, int], is_taken: bool) -> None:
    order_id = pending(exact_out=WANTED)
    desk.work(order_id)
    order, end = read(order_id), AttemptEnd("landed", 815, 1)
    change = Change(order_id, FILLED, order.version, FILL | filled, attempt_end=end)
    with database.connection_context():
        (written,) = journal.apply_each([change])
    assert isinstance(written, journal.Moved) == is_taken
    assert isinstance(written, IntegrityError) != is_taken


def test_an_order_shows_its_cost_once_it_is_filled(desk: Desk) -> None:
    order_id = pending(exact_out=WANTED)
    assert views.order_view(read(order_id)).amount_in is None
    desk.work(order_id)
    before = views.order_view(read(order_id))
    assert (before.amount_in, before.quoted_amount_in, before.max_amount_in) == (None, "1.5", "1.5075")
    assert (before.exact_out, before.amount_out, before.quoted_amount_out) == ("152.310211", None, "152.310211")
    with database.connection_context():
        end = AttemptEnd("landed", 815, 1)
        assert journal.apply([Change(order_id, FILLED, read(order_id).version, FILL, attempt_end=end)])
    after = views.order_view(read(order_id))
    assert (after.amount_in, after.amount_out) == ("1.5", "152.310211")


@pytest.mark.parametrize("own", [None, 1_600_000_000])
def test_the_router_gets_the_exact_output_and_the_orders_own_maximum(desk: Desk, own: int | None) -> None:
    desk.work(pending(exact_out=WANTED, max_in=own))
    (request,) = desk.market.requests
    assert (request.amount, request.exact_out, request.has_own_floor) == (WANTED, True, own is not None)
