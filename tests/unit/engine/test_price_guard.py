"""The price guard: while pools are missing, the remaining ones may not trade far below the last price."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from db.prices import PastRoute
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import Route, VenueQuote
from orderd.engine.routing.price_guard import MAX_AGE_SECONDS, PriceGuard

PAIR = ("sold", "bought")
ALL = frozenset({"deep", "junk"})
SOLD = 1_000_000


def quote_of(pool: str, pair: tuple[str, str], sold: int, paid: int, impact: str) -> VenueQuote:
    return VenueQuote(
        venue=VenueName.RAYDIUM,
        pool=pool,
        pool_kind=PoolKind.RAYDIUM_CPMM,
        mint_in=pair[0],
        mint_out=pair[1],
        amount_in=sold,
        amount_out=paid,
        fee=0,
        fee_mint=pair[0],
        price_impact_bps=Decimal(impact),
        slot=7,
        compute_units=40_000,
    )


@dataclass
class Desk:
    """A price guard with a limit of 5 % and its own clock."""

    past: PastRoute | None = None
    now: float = 1_000.0
    recalled: int = 0
    guard: PriceGuard = field(init=False)

    def __post_init__(self) -> None:
        self.guard = PriceGuard(500, self.recall, clock=lambda: self.now)

    def recall(self, sold: str, bought: str, seconds: float) -> PastRoute | None:
        self.recalled += 1
        return self.past if ((sold, bought), seconds) == (PAIR, MAX_AGE_SECONDS) else None

    def quote(
        self,
        paid: int,
        *,
        present: Set[str] = ALL,
        sold: int = SOLD,
        impact: str = "0",
        pair: tuple[str, str] = PAIR,
        listed: Set[str] | None = None,
        silent: Set[str] = frozenset(),
        has_own_floor: bool = False,
        depths: Mapping[str, int] | None = None,
    ) -> None:
        """The pools ``present`` answer, all with the same price."""
        quotes = [quote_of(pool, pair, sold, paid, impact) for pool in sorted(present)]
        known: dict[str, Any] = {} if depths is None else {"depth_of": lambda pool: depths.get(pool, 10**18)}
        self.guard.check(Route.single(quotes[0]), quotes, present, listed, silent, has_own_floor=has_own_floor, **known)

    def refuses(self, paid: int, *, present: Set[str], sold: int = SOLD) -> None:
        with pytest.raises(OrderdError) as caught:
            self.quote(paid, present=present, sold=sold)
        assert caught.value.code is ErrorCode.ROUTE_PRICE_DEVIATION

    def knows_no_price(self, paid: int, *, has_own_floor: bool = False) -> OrderdError:
        """The junk pool answers; the deep one is known and does not."""
        with pytest.raises(OrderdError) as caught:
            self.quote(paid, present={"junk"}, silent={"deep"}, has_own_floor=has_own_floor)
        assert caught.value.code is ErrorCode.ROUTE_PRICE_UNKNOWN
        return caught.value


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_pool_counts_as_missing_only_for_orders_it_could_have_filled(desk: Desk) -> None:
    """It paid twice the price for a tiny amount and was emptied: other orders do not have to wait for it."""
    desk.quote(2 * SOLD, depths={"tiny": SOLD // 10}, present=ALL | {"tiny"})
    desk.refuses(SOLD // 10, present=ALL, sold=SOLD // 10)
    desk.quote(SOLD)


def test_the_price_of_all_pools_is_accepted_however_far_it_moved(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.quote(500_000)
    desk.quote(100_000)


def test_an_additional_pool_is_not_a_missing_pool(desk: Desk) -> None:
    desk.quote(1_000_000, present={"deep"})
    desk.quote(500_000, present=ALL)


@pytest.mark.parametrize(("paid", "refused"), [(950_000, False), (949_998, True), (2_000_000, False)])
def test_the_price_may_fall_by_the_limit_and_rise_freely_while_a_pool_is_missing(
    desk: Desk, paid: int, refused: bool
) -> None:
    desk.quote(1_000_000)
    if refused:
        desk.refuses(paid, present={"junk"})
    else:
        desk.quote(paid, present={"junk"})


def test_price_impact_is_not_a_fall_of_the_price(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.quote(910_000, present={"junk"}, impact="900")


def test_rounding_of_a_tiny_order_is_not_a_fall_of_the_price(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.quote(2, sold=3, present={"junk"})


def test_consecutive_orders_do_not_lower_the_reference(desk: Desk) -> None:
    """Otherwise each order could be within the limit of the one before, down to a tenth of the market."""
    desk.quote(1_000_000)
    desk.quote(960_000, present={"junk"})
    for paid in (949_998, 920_000, 880_000):
        desk.refuses(paid, present={"junk"})


def test_an_old_reference_expires(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.now += MAX_AGE_SECONDS - 1
    desk.quote(960_000, present={"junk"})
    desk.now += 2
    desk.quote(500_000, present={"junk"})


def test_a_pool_removed_from_the_chain_is_not_missing(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.refuses(500_000, present={"junk"})
    desk.quote(500_000, present={"junk"}, listed=frozenset({"junk"}))


def test_a_refusal_does_not_change_the_reference(desk: Desk) -> None:
    desk.quote(1_000_000)
    for _ in range(3):
        desk.refuses(900_000, present={"junk"})
    desk.quote(900_000, present=ALL)


def test_the_price_of_a_refusing_pool_is_discarded(desk: Desk) -> None:
    """Otherwise a price at which nobody ever traded would block all others."""
    desk.quote(1_000_000, present={"deep"})
    for _ in range(3):
        desk.quote(9_000_000, present={"a promise", "deep"})
    desk.guard.distrust("a promise")
    desk.quote(1_000_000, present={"deep"})


def test_the_previous_price_of_other_pools_remains_the_reference(desk: Desk) -> None:
    desk.quote(1_000_000, present={"deep"})
    desk.quote(9_000_000, present={"a promise", "deep"})
    desk.guard.distrust("a promise")
    desk.refuses(900_000, present={"junk"})


def test_there_is_no_reference_without_another_pool(desk: Desk) -> None:
    desk.quote(9_000_000, present={"a promise"})
    desk.guard.distrust("another")
    desk.refuses(1_000_000, present={"junk"})
    desk.guard.distrust("a promise")
    desk.quote(1_000_000, present={"junk"})


def test_an_old_price_is_not_a_reference(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.now += MAX_AGE_SECONDS + 1
    desk.quote(500_000, present={"junk"})


def test_each_direction_of_a_pair_has_its_own_price(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.quote(100, present={"junk"}, pair=PAIR[::-1])


def test_the_last_stored_route_is_the_reference_after_a_restart() -> None:
    desk = Desk(PastRoute(SOLD, 1_000_000, "0", ALL, age=200.0))
    desk.refuses(500_000, present={"junk"})
    desk.now += 101
    desk.quote(500_000, present={"junk"})
    assert desk.recalled == 1


def test_the_answering_pools_are_the_market_without_a_history(desk: Desk) -> None:
    desk.quote(500_000, present={"junk"})
    assert desk.recalled == 1


def test_a_silent_known_pool_leaves_no_price_without_a_history(desk: Desk) -> None:
    error = desk.knows_no_price(1_000_000)
    assert "of the pair's pools deep did not answer" in error.detail
    assert error.retryable
    assert "--min-out" in error.spec.next_step


def test_a_single_pool_is_the_market_of_its_pair(desk: Desk) -> None:
    desk.quote(500_000, present={"only"}, silent=frozenset())


def test_the_last_price_bounds_other_pools_while_one_is_silent(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.quote(960_000, present={"junk"}, silent={"deep"})
    desk.refuses(900_000, present={"junk"})


def test_there_is_no_price_when_the_last_one_is_old_and_a_pool_is_silent(desk: Desk) -> None:
    desk.quote(1_000_000)
    desk.now += MAX_AGE_SECONDS + 1
    desk.knows_no_price(1_000_000)
    desk.quote(1_000_000, present={"junk"}, listed=frozenset({"junk"}))


def test_the_price_of_another_process_counts_while_a_pool_is_silent(desk: Desk) -> None:
    desk.knows_no_price(1_000_000)
    desk.past = PastRoute(SOLD, 1_000_000, "0", ALL, age=1.0)
    desk.quote(960_000, present={"junk"}, silent={"deep"})
    with pytest.raises(OrderdError) as caught:
        desk.quote(900_000, present={"junk"}, silent={"deep"})
    assert caught.value.code is ErrorCode.ROUTE_PRICE_DEVIATION


def test_an_order_with_its_own_minimum_needs_and_sets_no_reference(desk: Desk) -> None:
    for _ in range(2):
        desk.quote(10, present={"junk"}, silent={"deep"}, has_own_floor=True)
        desk.knows_no_price(10)
    desk.quote(1_000_000)
    desk.refuses(10, present={"junk"})
