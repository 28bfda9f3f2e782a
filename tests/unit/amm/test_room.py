"""The best split that fits into compute units, the price impact limit, and a custom constraint."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations
from random import Random

import pytest
from _pytest.mark import ParameterSet

from orderd.amm.best_split import NOTABLY, best_split
from orderd.amm.curve import Curve, Segment, constant_price
from orderd.amm.side import Quote, Rates, Side
from orderd.amm.split import Leg, Offers, Room, Split
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.amm.water_filling import MILLION, Load, WaterFilling
from tests.unit.amm.pools import KINDS, random_pool
from tests.unit.amm.test_split import pool, random_market

MAX_LEGS = 3
GRID = 60
A_STEP = {"clmm": 16_000, "dlmm": 5_300}


def untraced(value: object) -> ParameterSet:
    """A part of a test whose lines are also executed by other parts."""
    return pytest.param(value, marks=pytest.mark.untraced)


EVERY_LINE = [25, 31, 47, 72, 78, 81, 82]
"""Seeds that together reach all lines and branches that the first hundred reach."""


def market(seed: int) -> tuple[list[Side], list[Load], int]:
    """Two to five pools, their loads, and their approximate total reserve."""
    random = Random(seed)
    kinds = [random.choice(KINDS) for _ in range(random.randint(2, 5))]
    pools = [random_pool(random, kind) for kind in kinds]
    loads = [Load(random.randint(20_000, 80_000), A_STEP.get(kind, 0)) for kind in kinds]
    return [each.side for each in pools], loads, sum(each.depth for each in pools)


def tight(seed: int, loads: Sequence[Load]) -> Room:
    """Limits of which at least one is binding, and pairs that do not fit together."""
    random = Random(f"room {seed}")
    forbidden = {pair for pair in combinations(range(len(loads)), 2) if random.random() < 0.3}

    def may_fit(legs: tuple[int, ...]) -> bool:
        return not any(pair in forbidden for pair in combinations(sorted(legs), 2))

    return Room(
        loads,
        random.choice((100_000, 200_000, 400_000, 1_300_000)),
        random.choice((20, 100, 500, 10_000)) * 100,
        may_fit,
        lambda split: may_fit(tuple(leg.position for leg in split.legs)),
    )


def fits(split: Split, room: Room) -> bool:
    units = sum(room.loads[leg.position].of(leg.quote.steps) for leg in split.legs)
    return units <= room.units and split.price_impact * MILLION <= room.impact and room.fits(split)


def brute_force(sides: Sequence[Side], amount: int, room: Room) -> int:
    """The maximum output of a single pool or a pair on a grid; zero if none fits."""
    return max((split.amount_out for split in _grid(sides, amount) if fits(split, room)), default=0)


def _grid(sides: Sequence[Side], amount: int) -> Iterator[Split]:
    @cache
    def leg(index: int, part: int) -> Leg | None:
        try:
            return Leg(index, sides[index].quote(part))
        except SwapError:
            return None

    def split(*parts: tuple[int, int]) -> Iterator[Split]:
        legs = [found for index, part in parts if (found := leg(index, part)) is not None]
        if len(legs) == len(parts):
            yield Split(tuple(legs))

    for index in range(len(sides)):
        yield from split((index, amount))
    for one, two in combinations(range(len(sides)), 2):
        for share in range(1, GRID):
            part = amount * share // GRID
            yield from split((one, part), (two, amount - part))


def best(sides: Sequence[Side], amount: int, room: Room, max_legs: int = MAX_LEGS) -> Offers:
    return best_split(sides, amount, max_legs=max_legs, cost_per_leg=0, room=room)


@pytest.mark.parametrize(
    "seeds", [EVERY_LINE, *(untraced(range(first, first + 25)) for first in range(0, 100, 25))], ids=str
)
def test_no_fitting_split_pays_more(seeds: Sequence[int]) -> None:
    """Neither a single pool nor a pair on a grid; if none fits for the whole amount, no part pays less than they do."""
    for seed in seeds:
        sides, loads, depth = market(seed)
        room = tight(seed, loads)
        amount = int(depth * (0.001, 0.01, 0.05, 0.2)[seed % 4])
        offers = best(sides, amount, room)
        found = offers.best or offers.less
        paid = brute_force(sides, amount, room)
        if found is None:
            assert paid == 0, seed
            continue
        assert fits(found, room), seed
        assert found.amount_out * 100_000 >= paid * 99_999, (seed, found.amount_out / paid)
        assert (found.amount_in == amount) == (offers.best is not None), seed


@pytest.mark.untraced
@pytest.mark.parametrize("block", range(4))
def test_a_larger_order_never_receives_notably_less(block: int) -> None:
    for seed in range(block * 6, (block + 1) * 6):
        sides, loads, depth = market(seed)
        room = tight(seed, loads)
        most = 0
        for step in range(1, 41):
            found = best(sides, depth * step // 160, room)
            if found.best is not None:
                assert found.best.amount_out >= most - (most >> NOTABLY), (seed, step)
                most = max(most, found.best.amount_out)


@pytest.mark.untraced
def test_a_forbidden_pool_does_not_affect_the_use_of_others() -> None:
    """Including pools that were considered useless besides it."""
    for seed in range(150):
        sides, amount, cost, _ = random_market(seed)
        free = best_split(sides, amount, max_legs=MAX_LEGS, cost_per_leg=cost).best
        assert free is not None
        banned = free.legs[0].position

        def allowed(split: Split, banned: int = banned) -> bool:
            return banned not in {leg.position for leg in split.legs}

        room = Room(fits=allowed)
        found = best_split(sides, amount, max_legs=MAX_LEGS, cost_per_leg=cost, room=room)
        left = [side for position, side in enumerate(sides) if position != banned]
        expected = best_split(left, amount, max_legs=MAX_LEGS, cost_per_leg=cost)
        assert (found.best is None) == (expected.best is None), seed
        if found.best is not None and expected.best is not None:
            assert abs(found.best.worth(cost) - expected.best.worth(cost)) <= expected.best.worth(cost) >> 26, seed


def pair_of_many_steps(seed: int) -> tuple[list[Side], list[Load], int]:
    """A pool of ticks and one of bins, and an order for a large part of both reserves."""
    random = Random(f"steps {seed}")
    pools = [random_pool(random, kind) for kind in ("clmm", "dlmm")]
    loads = [Load(50_000, A_STEP["clmm"]), Load(50_000, A_STEP["dlmm"])]
    return [each.side for each in pools], loads, sum(each.depth for each in pools) // 4


def units(split: Split, loads: Sequence[Load]) -> int:
    return sum(loads[leg.position].of(leg.quote.steps) for leg in split.legs)


@pytest.mark.untraced
@pytest.mark.parametrize("part", [30, 60, 90])
def test_scarce_compute_units_are_spent_where_they_gain_most(part: int) -> None:
    """The split is not scaled down: units of an unprofitable tick are given to bins, and vice versa."""
    bound = 0
    for seed in range(30):
        sides, loads, amount = pair_of_many_steps(seed)
        free = best(sides, amount, Room()).best
        if free is None or len(free.legs) == 1:
            continue
        room = Room(loads, 100_000 + (units(free, loads) - 100_000) * part // 100)
        offers = best(sides, amount, room)
        found = offers.best or offers.less
        assert found is not None, seed
        assert units(found, loads) <= room.units, seed
        assert found.amount_out * 100_000 >= brute_force(sides, amount, room) * 99_999, seed
        bound += found.amount_out < free.amount_out
    assert bound > 5


@pytest.mark.parametrize("part", [50, untraced(80), untraced(95)])
def test_a_split_above_the_price_impact_limit_is_rebalanced(part: int) -> None:
    """Parts with a high impact get less, so that the whole order is within the limit."""
    bound = 0
    for seed in range(40):
        random = Random(f"prices {seed}")
        dear = random_pool(random, random.choice(KINDS), 0.103)
        cheap = max((random_pool(random, random.choice(KINDS)) for _ in range(4)), key=lambda each: each.depth)
        sides, amount = [dear.side, cheap.side], dear.depth // 5
        free = best(sides, amount, Room()).best
        if free is None:
            continue
        room = Room([Load()] * len(sides), impact=int(free.price_impact * MILLION) * part // 100)
        offers = best(sides, amount, room)
        found = offers.best or offers.less
        assert found is not None, seed
        assert fits(found, room), seed
        assert offers.steep is not None, seed
        assert found.amount_out * 100_000 >= brute_force(sides, amount, room) * 99_999, seed
        bound += offers.best is not None
    assert bound > 5


class Stepped:
    """A pool at one price in steps of 100 base units, the first of them possibly after empty ones."""

    def __init__(self, empty: int = 0, price: int = 10) -> None:
        self.empty = empty
        self.price = price

    def rates(self) -> Rates:
        raise AssertionError("must not be called")

    def quote(self, amount_in: int) -> Quote:
        steps = self.empty + (amount_in - 1) // 100
        if amount_in < 1 or steps >= self.empty + 50:
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return Quote(amount_in, amount_in * self.price, 0, True, amount_in, amount_in * 10, Fraction(10), steps)

    def quote_out(self, amount_out: int) -> Quote:
        return replace(self.quote(-(-amount_out // self.price)), amount_out=amount_out, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        for step in range(50):
            yield constant_price(self.price, 1, 100, self.empty + step)


def test_a_pool_gets_as_much_as_units_allow() -> None:
    offers = best([Stepped()], 1_000, Room([Load(10, 5)], units=30))
    assert offers.best is None
    assert offers.less is not None
    assert [leg.quote.steps for leg in offers.less.legs] == [4]


def test_a_pool_whose_first_step_exceeds_the_units_is_left_out() -> None:
    assert best([Stepped()], 1_000, Room([Load(31, 0)], units=30)) == Offers((Stepped().quote(1_000),), None)


class Wilful(Stepped):
    """Refuses what its curve promises."""

    def quote(self, amount_in: int) -> Quote:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)


class Miscounting(Stepped):
    """Uses one step more than its curve says."""

    def quote(self, amount_in: int) -> Quote:
        quote = super().quote(amount_in)
        return replace(quote, steps=quote.steps + 1)


def test_a_pool_that_contradicts_its_curve_is_not_used() -> None:
    room = Room([Load(10, 5)] * 2, units=20)
    assert best([Wilful(empty=1), Wilful(empty=1)], 60, room).best is None
    assert best([Miscounting()], 300, Room([Load(10, 5)], units=20)).best is None
    assert best([Stepped()], 300, Room([Load(10, 5)], units=20)).best is not None


def test_the_number_of_legs_is_limited_by_units() -> None:
    for units, legs in ((29, 2), (30, 3)):
        found = best([pool(10**9)] * 3, 10**8, Room([Load(10)] * 3, units)).best
        assert found is not None
        assert len(found.legs) == legs


def test_an_expensive_pool_is_used_if_the_best_one_does_not_fit() -> None:
    """Alone it cannot fill the order; besides the cheap pool it would be useless, if that one fitted."""
    cheap, best_of_all, dear = Stepped(), pool(10**9, price=200), Stepped(price=5)
    offers = best(
        [best_of_all, cheap, dear], 8_000, Room(fits=lambda split: 0 not in {leg.position for leg in split.legs})
    )
    assert offers.best is not None
    assert {leg.position for leg in offers.best.legs} == {1, 2}


def test_nothing_is_sold_to_a_moving_pool_with_a_zero_price_impact_limit() -> None:
    offers = best([pool(10**9)], 10**8, Room(impact=0))
    assert (offers.best, offers.less) == (None, None)
    assert offers.steep is not None


def test_a_split_within_the_price_impact_limit_is_unchanged() -> None:
    curve = Curve(pool(10**9).segments(), 10**6)
    pouring = WaterFilling({0: curve}, 10**6, [Load()], 1)
    assert pouring.gentle([0], {}, MILLION // 2) == pouring.best([0])
