"""Pools that refused cool down for a while, with a reason, and are then used again."""

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.engine.routing.cooling import COOLING_SECONDS, Cooling
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.quote_collection import QuoteCollector
from orderd.engine.routing.router import Router
from orderd.engine.routing.venue_refusals import reasons
from tests.unit.engine.test_routing import PAIR, StubVenue, decide, nothing_to_read, offering, side


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def collector(cooling: Cooling, *venues: StubVenue) -> QuoteCollector:
    return QuoteCollector(venues, read=nothing_to_read, cooling=cooling, timeout_ms=5_000, max_slot_lag=20, threads=1)


def test_a_pool_cools_down_for_half_a_minute_to_a_minute() -> None:
    clock = Clock()
    cooling = Cooling(clock=clock)
    cooling.cool("pool", "refused")
    assert 30 <= COOLING_SECONDS <= 60
    clock.now += COOLING_SECONDS - 0.1
    assert (cooling.reason("pool"), cooling.reason("another")) == ("refused", None)
    clock.now += 0.2
    assert cooling.reason("pool") is None


def test_a_second_refusal_restarts_the_cooling_period() -> None:
    clock = Clock()
    cooling = Cooling(clock=clock)
    cooling.cool("pool", "refused")
    clock.now += COOLING_SECONDS - 1
    cooling.cool("pool", "refused again")
    clock.now += COOLING_SECONDS - 1
    assert cooling.reason("pool") == "refused again"


def test_other_pools_are_used_and_the_reason_is_reported() -> None:
    cooling = Cooling(clock=Clock())
    raydium = offering(VenueName.RAYDIUM, side(0.1), side(0.11))
    cooling.cool("raydium 1", "its program refused with NotApproved")
    answers = collector(cooling, raydium).ask([PAIR])[PAIR]
    assert [pool.address for pool in answers.pools] == ["raydium 0"]
    quote = answers.pools[0].side.quote(10**6)
    (refusal,) = reasons(answers, [quote], [answers.pools[0].venue_quote(quote)], [VenueName.RAYDIUM])
    assert refusal.code is ErrorCode.POOL_CLOSED
    assert refusal.detail == "pool raydium 1 is cooling down: its program refused with NotApproved"


def test_cooling_is_the_reason_if_all_pools_cool_down() -> None:
    cooling = Cooling(clock=Clock())
    cooling.cool("raydium 0", "its program refused with NotApproved")
    answers = collector(cooling, offering(VenueName.RAYDIUM, side(0.1))).ask([PAIR])[PAIR]
    (refusal,) = reasons(answers, [], [], [VenueName.RAYDIUM])
    assert refusal.code is ErrorCode.POOL_CLOSED


BEST, SECOND = "raydium 0", "raydium 1"


def pools_of(routes: Router) -> list[str]:
    return [leg.pool for leg in decide(routes).route.legs]


def test_a_refusing_pool_is_not_chosen_until_it_has_cooled_down() -> None:
    now = [0.0]
    routes = Router(
        [offering(VenueName.RAYDIUM, side(0.11), side(0.1))],
        read=nothing_to_read,
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
    (refusal,) = decide(routes).refusals
    assert refusal.detail == f"pool {BEST} is cooling down: its program refused with PoolDisabled"
    now[0] = COOLING_SECONDS - 1
    assert pools_of(routes) == [SECOND]
    now[0] = COOLING_SECONDS
    assert pools_of(routes) == [BEST]
