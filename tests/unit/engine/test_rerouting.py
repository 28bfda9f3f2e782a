"""One attempt tries further routes, each without the refused pools, while there are routes and time."""

from dataclasses import replace

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import Hop, Route
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.rerouting import Rerouting
from tests.unit.engine.test_building import LEG

REFUSED = OrderdError(ErrorCode.POOL_CLOSED, "the chain answered NotApproved")


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def route(*pools: str) -> Route:
    return Route((Hop(tuple(replace(LEG, pool=pool) for pool in pools)),))


def attempt() -> Rerouting:
    return Rerouting(lambda each: "too large" not in [leg.pool for leg in each.legs], 15.0, clock=Clock())


def test_no_route_uses_a_pool_that_refused() -> None:
    others = attempt()
    others.refused(RouteRefusedError(route("a", "b"), REFUSED, "a"))
    assert [others.fits(each) for each in (route("a"), route("b", "a"), route("b"))] == [False, False, True]


def test_a_route_that_ran_out_of_compute_units_is_not_tried_again_in_other_proportions() -> None:
    others = attempt()
    others.refused(RouteRefusedError(route("a", "b"), REFUSED, None))
    assert [others.fits(each) for each in (route("b", "a"), route("a"), route("b"))] == [False, True, True]


def test_a_pool_whose_state_changed_is_tried_once_more() -> None:
    others = attempt()
    others.refused(RouteRefusedError(route("a"), REFUSED, "a", moved=True))
    assert others.fits(route("a"))
    others.refused(RouteRefusedError(route("a"), REFUSED, "a", moved=True))
    assert not others.fits(route("a"))


def test_a_route_that_does_not_fit_is_not_tried() -> None:
    assert not attempt().fits(route("too large"))


def test_rerouting_ends_at_its_deadline() -> None:
    clock = Clock()
    others = Rerouting(lambda _: True, 15.0, clock=clock)
    clock.now += 14.9
    others.refused(RouteRefusedError(route("a"), REFUSED, "a"))
    clock.now += 0.1
    with pytest.raises(OrderdError) as ended:
        others.refused(RouteRefusedError(route("b"), REFUSED, "b"))
    assert ended.value is REFUSED


@pytest.mark.parametrize(
    ("code", "expected"),
    [(ErrorCode.ROUTE_NOT_FOUND, ErrorCode.POOL_CLOSED), (ErrorCode.RPC_UNAVAILABLE, ErrorCode.RPC_UNAVAILABLE)],
    ids=["the refusal", "a temporary reason of the search"],
)
def test_the_last_refusal_is_the_error_when_no_route_is_left(code: ErrorCode, expected: ErrorCode) -> None:
    others = attempt()
    others.refused(RouteRefusedError(route("a"), REFUSED, "a"))
    with pytest.raises(OrderdError) as ended, others.routing():
        raise OrderdError(code, "no route")
    assert ended.value.code is expected


def test_the_error_of_the_search_is_used_without_a_refusal() -> None:
    with pytest.raises(OrderdError) as ended, attempt().routing():
        raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, "no route")
    assert ended.value.code is ErrorCode.ROUTE_NOT_FOUND
