"""One attempt takes another way where a route is refused, and ends when its time is up or no way is left."""

from dataclasses import replace

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import Hop, Route
from orderd.engine.blame import RouteRefused
from orderd.engine.rerouting import Rerouting
from tests.unit.engine.test_building import LEG

FIRST, SECOND = replace(LEG, pool="first"), replace(LEG, pool="second")
BOTH = Route((Hop((FIRST, SECOND)),))
CLOSED = OrderdError(ErrorCode.POOL_CLOSED, "pool first is closed")


def rerouting(now: list[float] | None = None) -> Rerouting:
    moment = now or [0.0]
    return Rerouting(lambda _: True, 15.0, clock=lambda: moment[0])


def what_fits(others: Rerouting) -> tuple[bool, bool, bool]:
    """Of the routes over the first pool, over the second and over both."""
    return others.fits(Route.single(FIRST)), others.fits(Route.single(SECOND)), others.fits(BOTH)


def test_a_pool_that_refused_is_in_no_further_route_of_the_attempt() -> None:
    others = rerouting()
    assert what_fits(others) == (True, True, True)
    others.refused(RouteRefused(BOTH, CLOSED, "first"))
    assert what_fits(others) == (False, True, False)


def test_a_route_that_asks_too_much_as_a_whole_speaks_against_none_of_its_pools() -> None:
    others = rerouting()
    others.refused(RouteRefused(BOTH, CLOSED, None))
    assert what_fits(others) == (True, True, False)


def test_a_pool_that_has_moved_may_be_taken_once_more() -> None:
    others = rerouting()
    others.refused(RouteRefused(Route.single(FIRST), CLOSED, "first", moved=True))
    assert what_fits(others) == (True, True, True)
    others.refused(RouteRefused(Route.single(FIRST), CLOSED, "first", moved=True))
    assert what_fits(others) == (False, True, False)


def test_what_does_not_fit_anyway_is_not_taken() -> None:
    assert not Rerouting(lambda _: False, 15.0, clock=lambda: 0.0).fits(BOTH)


def test_when_the_time_is_up_the_attempt_ends_with_what_was_refused_last() -> None:
    now = [0.0]
    others = rerouting(now)
    now[0] = 14.9
    others.refused(RouteRefused(BOTH, CLOSED, "first"))
    now[0] = 15.0
    last = OrderdError(ErrorCode.TX_FAILED, "second")
    with pytest.raises(OrderdError) as caught:
        others.refused(RouteRefused(Route.single(SECOND), last, "second"))
    assert caught.value is last


def test_where_no_route_is_left_the_last_refusal_says_why() -> None:
    others = rerouting()
    nothing_left = OrderdError(ErrorCode.TX_TOO_LARGE, "no route fits")
    with pytest.raises(OrderdError) as caught, others.routing():
        raise nothing_left
    assert caught.value is nothing_left, "nothing was refused before"
    others.refused(RouteRefused(BOTH, CLOSED, "first"))
    with pytest.raises(OrderdError) as caught, others.routing():
        raise nothing_left
    assert caught.value is CLOSED


def test_a_search_that_may_succeed_the_next_time_says_so() -> None:
    others = rerouting()
    others.refused(RouteRefused(BOTH, CLOSED, "first"))
    outage = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")
    with pytest.raises(OrderdError) as caught, others.routing():
        raise outage
    assert caught.value is outage
