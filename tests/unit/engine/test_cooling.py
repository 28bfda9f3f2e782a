"""A pool whose program refused for good is left alone for a while, and then given another chance."""

from orderd.domain.quote import VenueName
from orderd.engine.cooling import COOLING_SECONDS, Cooling
from orderd.engine.price_guard import PriceGuard
from orderd.engine.routing import Router
from tests.unit.engine.test_routing import decide, offering, side

BEST, SECOND = "raydium 0", "raydium 1"


def pools_of(routes: Router) -> list[str]:
    return [leg.pool for leg in decide(routes).route.legs]


def test_a_pool_that_refused_for_good_is_not_chosen_until_it_has_cooled_down() -> None:
    now = [0.0]
    routes = Router(
        [offering(VenueName.RAYDIUM, side(0.11), side(0.1))],
        timeout_ms=5_000,
        max_price_impact_bps=500,
        guard=PriceGuard(500),
        max_slot_lag=20,
        unit_price=lambda: 0,
        threads=2,
        cooling=Cooling(clock=lambda: now[0]),
    )
    assert pools_of(routes) == [BEST]
    routes.refused(BEST, "its program refused with PoolDisabled")
    assert pools_of(routes) == [SECOND]
    (told,) = decide(routes).refusals
    assert told.detail == f"pool {BEST} is cooling down: its program refused with PoolDisabled"
    now[0] = COOLING_SECONDS - 1
    assert pools_of(routes) == [SECOND]
    now[0] = COOLING_SECONDS
    assert pools_of(routes) == [BEST]


def test_each_refusal_begins_its_own_rest() -> None:
    now = [0.0]
    cooling = Cooling(clock=lambda: now[0])
    cooling.cool("first", "PoolDisabled")
    now[0] = 30.0
    cooling.cool("second", "NotApproved")
    now[0] = COOLING_SECONDS
    assert (cooling.reason("first"), cooling.reason("second"), cooling.reason("third")) == (None, "NotApproved", None)
