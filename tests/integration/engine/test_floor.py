"""The minimum output of an order is set with its first route, and holds for all later attempts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change, FailureRecord
from db.models import Attempt
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Retrying, RolledBack, Routed
from orderd.domain.order import Floor, OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.domain.quote import Route, RoutingDecision, VenueRefusal
from orderd.domain.retry import RetryPolicy
from orderd.domain.tokens import TokenRegistry
from orderd.engine import views
from orderd.engine.dispatch import Dispatch
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.building import Builder
from orderd.engine.execution.precheck import Precheck
from orderd.engine.failure import AttemptFailedError, Failures
from orderd.engine.market import Market
from orderd.engine.publish import Publisher
from orderd.engine.routing.router import Router
from orderd.engine.token_desk import TokenDesk
from orderd.solana.rpc import RpcClient
from tests.integration.engine.conftest import Queue
from tests.integration.engine.test_execution import LEAST, QUOTE, Desk, open_desk
from tests.integration.orders import FILL, pending, read
from tests.samples.orders import FILL as FILLED
from tests.samples.orders import START

BELOW = LEAST - 1
RETRY_AT_ONCE = RetryPolicy(max_attempts=9, base_ms=0)


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


def fail_on_chain(order_id: UUID) -> None:
    """Prove the signed attempt dead, and make the next one due."""
    order = read(order_id)
    code, detail = ErrorCode.TX_SLIPPAGE_EXCEEDED, "the price moved"
    fact = Retrying(attempt=order.failures + 1, code=code, detail=detail, until=START)
    change = Change(
        order_id,
        fact,
        order.version,
        {"failures": order.failures + 1},
        to=OrderStatus.PENDING,
        attempt_end=AttemptEnd("failed", 9, 1),
        failure=FailureRecord(order.failures + 1, code, detail),
    )
    with database.connection_context():
        assert journal.apply([change])


def agreed(desk: Desk) -> list[int]:
    """The minimum output of each signed transaction."""
    return [plan.min_amount_out for plan in desk.builder.signed]


@pytest.mark.parametrize(
    "pays", [LEAST, QUOTE.amount_out, 2 * QUOTE.amount_out], ids=["minimum output", "same output", "higher output"]
)
def test_a_later_attempt_keeps_the_minimum_of_the_first(desk: Desk, pays: int) -> None:
    order_id = pending()
    desk.work(order_id)
    fail_on_chain(order_id)

    desk.market.pays = pays
    desk.work(order_id)

    assert agreed(desk) == [LEAST, LEAST]
    assert read(order_id).min_amount_out == LEAST


def test_a_route_below_the_first_minimum_is_a_failed_attempt(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    order_id = pending()
    desk.work(order_id)
    fail_on_chain(order_id)
    desk.market.pays = BELOW

    error = failed_turn(order_id)

    assert error.code is ErrorCode.ROUTE_BELOW_FLOOR
    assert error.detail == (
        "the best route pays 151.72755 USDC, and the order accepts no less than 151.727551 USDC: "
        "the floor of its first route, which holds in all attempts"
    )
    assert agreed(desk) == [LEAST]
    assert (read(order_id).status, read(order_id).failures) == (OrderStatus.PENDING, 2)
    desk.market.pays = LEAST
    desk.work(order_id)
    assert agreed(desk) == [LEAST, LEAST]


class PartlyAway:
    """Stands in for the router: the venue that is left pays too little, and another one does not answer."""

    def route(self, *_: object, **__: object) -> RoutingDecision:
        quote = replace(QUOTE, amount_out=BELOW)
        silent = VenueRefusal(VenueName.METEORA, ErrorCode.RPC_UNAVAILABLE, "refused")
        return RoutingDecision(Route.single(quote), (quote,), (silent,), mid=lambda: Fraction(10_166, 100_000))


def test_the_check_of_a_waiting_order_keeps_the_minimum(desk: Desk, publisher: Publisher, queue: Queue) -> None:
    """Otherwise each check lets it begin a turn that must fail, and each of these is two events."""
    dispatch = Dispatch(publisher, queue.send, queue.depth)
    names = SimpleNamespace(registry=TokenRegistry(()))
    market = Market(
        cast("Router", PartlyAway()), cast("Builder", desk.builder), cast("RpcClient", None), cast("TokenDesk", names)
    )
    order_id = pending()
    desk.work(order_id)
    fail_on_chain(order_id)
    dispatch.defer({order_id: timedelta(0)}, OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, "meteora: refused"))
    assert Precheck(market.preview, RETRY_AT_ONCE, dispatch.defer)([order_id]).ready == []


def test_an_order_may_set_a_new_minimum_in_each_attempt(desk: Desk) -> None:
    order_id = pending(floor=Floor.EACH)
    desk.work(order_id)
    fail_on_chain(order_id)
    desk.market.pays = 100_000_000
    desk.work(order_id)
    assert agreed(desk) == [LEAST, 99_500_000]
    assert read(order_id).min_amount_out == 99_500_000


@pytest.mark.parametrize("floor", Floor)
def test_no_attempt_accepts_less_than_the_orders_own_minimum(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError], floor: Floor
) -> None:
    own = QUOTE.amount_out - 1
    order_id = pending(floor=floor, min_out=own)
    desk.work(order_id)
    fail_on_chain(order_id)

    desk.market.pays = own - 1
    assert failed_turn(order_id).code is ErrorCode.ROUTE_BELOW_FLOOR
    desk.market.pays = own
    desk.work(order_id)

    assert agreed(desk) == [own, own]


def test_an_own_minimum_below_the_quotes_minimum_has_no_effect(desk: Desk) -> None:
    desk.work(pending(min_out=1))
    assert agreed(desk) == [LEAST]


def test_an_own_minimum_above_the_market_fails_the_first_attempt(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    order_id = pending(min_out=QUOTE.amount_out + 1)
    error = failed_turn(order_id)
    assert error.code is ErrorCode.ROUTE_BELOW_FLOOR
    assert "pays 152.490001 USDC, and the order accepts no less than 152.490002 USDC: its own min_out" in error.detail
    assert (agreed(desk), desk.sender.sent, read(order_id).min_amount_out) == ([], [], None)


def test_a_new_route_in_the_same_attempt_keeps_the_minimum(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    """A pool refuses, and the remaining routes pay less: first above the minimum, then below it."""

    def refuse(_: UUID) -> None:
        desk.market.pays -= 500_000
        refused = desk.builder.signed.pop().route
        raise RouteRefusedError(refused, OrderdError(ErrorCode.POOL_CLOSED, "it is switched off"), "pool")

    desk.builder.meanwhile = refuse
    order_id = pending()
    assert failed_turn(order_id).code is ErrorCode.ROUTE_BELOW_FLOOR
    assert (agreed(desk), read(order_id).min_amount_out) == ([], LEAST)
    routed = [event.data for event in views.events_after(order_id, 0) if isinstance(event.data, Routed)]
    assert [(each.chosen.amount_out, each.min_amount_out) for each in routed] == [
        ("152.490001", "151.727551"),
        ("151.990001", "151.727551"),
    ]


def test_a_rolled_back_order_is_executed_again_with_the_same_minimum(
    desk: Desk, failed_turn: Callable[[UUID], OrderdError]
) -> None:
    order_id = pending()
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

    desk.market.pays = BELOW
    assert failed_turn(order_id).code is ErrorCode.ROUTE_BELOW_FLOOR
    desk.market.pays = LEAST
    desk.work(order_id)

    assert agreed(desk) == [LEAST, LEAST]
    assert [each.min_amount_out for each in Attempt.select().order_by(Attempt.number)] == [LEAST, LEAST]


@pytest.mark.parametrize("own", [None, 100_000_000])
def test_the_router_gets_the_orders_own_minimum(desk: Desk, own: int | None) -> None:
    desk.work(pending(max_cost_bps=70, min_out=own))
    (request,) = desk.market.requests
    assert (request.max_cost_bps, request.has_own_floor) == (70, own is not None)
