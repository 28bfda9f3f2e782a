"""Exact purchases over several pools: exact amount, never more expensive than one pool, and within all limits."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.amm.best_split import best_split
from orderd.amm.curve import Curve
from orderd.amm.purchase import best_purchase
from orderd.amm.side import Quote, Side
from orderd.amm.split import Offers, Room
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.amm.water_filling import Load
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool
from orderd.pools.raydium_cpmm.maths.side import CpmmSide
from tests.unit.amm.pools import KINDS, random_pool
from tests.unit.amm.test_room import untraced
from tests.unit.amm.test_split import market_with_odd_pools


def pool(depth: int, price: Fraction = Fraction(1), fee: int = 2_500) -> CpmmSide:
    """A constant product pool; ``depth`` is the reserve of the sold token in base units."""
    zeros = (0,) * 6
    vaults = depth, depth * price.numerator // price.denominator
    return CpmmSide(CpmmPool(fee, 0, 0, 0, *vaults, *zeros, creator_fee_on=0, enable_creator_fee=False), True)


def best(sides: Sequence[Side], amount_out: int, room: Room | None = None, legs: int = 3, cost: int = 0) -> Offers:
    def curve_of(position: int, most_steps: int) -> Curve:
        return Curve(sides[position].segments(), U64_MAX, most_steps)

    return best_purchase(sides, amount_out, max_legs=legs, cost_per_leg=cost, curve_of=curve_of, room=room)


@pytest.mark.untraced
@given(seed=st.integers(0, 1 << 32), part=st.floats(1e-5, 0.3))
def test_the_legs_buy_the_exact_amount_and_cost_at_most_the_cheapest_pool(seed: int, part: float) -> None:
    random = Random(seed)
    samples = [random_pool(random, random.choice(KINDS)) for _ in range(random.randrange(1, 6))]
    sides = [sample.side for sample in samples]
    wanted = max(int(sum(sample.depth for sample in samples) * 0.1 * part), 1)

    offers = best(sides, wanted)

    singles = [single.amount_in for single in offers.singles if isinstance(single, Quote)]
    assert offers.best is not None or not singles
    if offers.best is None:
        return
    assert offers.best.amount_out == wanted
    assert all(leg.quote.exact_out for leg in offers.best.legs)
    assert all(offers.best.amount_in <= single for single in singles)
    for leg in offers.best.legs:
        assert leg.quote == sides[leg.position].quote_out(leg.quote.amount_out)


@pytest.mark.untraced
@given(seed=st.integers(0, 1 << 32), part=st.floats(1e-4, 0.3))
@example(seed=513, part=0.296875)  # the cheapest single pool costs a hundred times as much
def test_a_purchase_costs_as_much_as_the_equivalent_sale(seed: int, part: float) -> None:
    """Within a millionth: the search for the input ends close to it, where the division over legs matters little.

    Pools with limit orders refuse outputs that end among orders, and get other parts: another test covers them.
    """
    random = Random(seed)
    samples = [random_pool(random, random.choice([kind for kind in KINDS if kind != "dlmm"])) for _ in range(3)]
    sides = [sample.side for sample in samples]
    found = best(sides, max(int(sum(sample.depth for sample in samples) * 0.1 * part), 10**9)).best
    if found is None:
        return
    sold = best_split(sides, found.amount_in, max_legs=3, cost_per_leg=0).best
    assert sold is not None
    assert abs(sold.amount_out - found.amount_out) <= found.amount_out // 10**6 + 3 * len(found.legs)


def test_equal_pools_share_the_amount_equally() -> None:
    found = best([pool(10**12)] * 3, 3 * 10**10).best
    assert found is not None
    assert all(abs(leg.quote.amount_out - 10**10) < 10**6 for leg in found.legs)
    assert found.amount_out == 3 * 10**10


def test_a_leg_that_costs_more_than_it_saves_is_not_used() -> None:
    sides = [pool(10**12)] * 2
    alone, together = (best(sides, 10**9, cost=cost).best for cost in (10**9, 0))
    assert alone is not None
    assert together is not None
    assert (len(alone.legs), len(together.legs)) == (1, 2)
    assert together.amount_in < alone.amount_in


def test_an_amount_above_every_pools_reserve_is_bought_from_several() -> None:
    offers = best([pool(10**9)] * 2, 15 * 10**8)
    assert all(isinstance(single, SwapError) for single in offers.singles)
    assert offers.best is not None
    assert (len(offers.best.legs), offers.best.amount_out) == (2, 15 * 10**8)


def test_an_amount_above_all_reserves_cannot_be_bought() -> None:
    offers = best([pool(10**9)] * 2, 5 * 10**9)
    assert offers.best is None
    assert best([], 10**9) == Offers((), None)


def test_a_purchase_above_the_price_impact_limit_reports_the_possible_part() -> None:
    """The limit on price impact is 0.1 % of the input."""
    offers = best([pool(10**12)], 10**11, Room(impact=1_000))
    assert offers.best is None
    assert offers.steep is not None
    assert offers.less is not None
    assert offers.less.amount_out < 10**11
    assert offers.less.price_impact <= Fraction(1, 1_000)


@pytest.mark.parametrize("seed", [*map(untraced, (44, 243, 353, 446, 646, 864, 994)), 609])
def test_a_small_pool_with_an_absurd_price_makes_no_purchase_dearer(seed: int) -> None:
    """It takes a little of the amount at the limit of the impact, and bends the curve in which the search looks for the
    input."""
    agreed, odd, amount_in, impact = market_with_odd_pools(seed)
    wanted, room = amount_in * 135 // 1_000, Room(impact=impact)
    without, found = best(agreed, wanted, room).best, best([*agreed, *odd], wanted, room).best
    assert without is not None
    assert found is not None
    assert found.amount_out == wanted
    assert found.price_impact * 10**6 <= impact
    assert found.amount_in <= without.amount_in


def test_a_set_of_legs_that_does_not_fit_is_replaced_by_the_next() -> None:
    sides = [pool(10**12), pool(10**12), pool(10**11)]
    for units, legs in ((10, 1), (20, 2), (30, 3)):
        found = best(sides, 10**10, Room([Load(10)] * 3, units)).best
        assert found is not None
        assert len(found.legs) <= legs
    refused = best(sides, 10**10, Room(fits=lambda split: len(split.legs) == 1)).best
    assert refused is not None
    assert len(refused.legs) == 1
    assert best(sides, 10**10, Room(fits=lambda _: False)).best is None


def test_the_next_best_set_is_preferred_to_a_single_pool() -> None:
    sides = [pool(10**12), pool(10**12), pool(10**12)]
    found = best(sides, 10**11, Room(fits=lambda split: len(split.legs) <= 2)).best
    alone = best(sides, 10**11, legs=1).best
    assert found is not None
    assert alone is not None
    assert (len(found.legs), found.amount_out) == (2, 10**11)
    assert found.amount_in < alone.amount_in


class Fickle(CpmmSide):
    """Refuses parts of an amount."""

    def quote_out(self, amount_out: int) -> Quote:
        if amount_out < 10**10:
            raise SwapError(SwapErrorKind.OUTPUT_FALLS_SHORT)
        return super().quote_out(amount_out)


def test_a_refused_part_leaves_the_cheapest_single_pool() -> None:
    sides = [pool(10**12), Fickle(pool(10**12).pool, zero_for_one=True)]
    found = best(sides, 10**10).best
    assert found is not None
    assert len(found.legs) == 1


class Unsound(CpmmSide):
    """Pays nothing although its curve and price promise it."""

    def quote(self, amount_in: int) -> Quote:
        return replace(super().quote(amount_in), amount_out=1)


def test_a_search_without_a_solution_ends() -> None:
    side = Unsound(pool(10**12).pool, zero_for_one=True)
    found = best([side, side], 10**10).best
    assert found is not None
    assert found.amount_out == 10**10


class Leaping(CpmmSide):
    """Pays much more from some input on, and nothing between."""

    def quote(self, amount_in: int) -> Quote:
        quote = super().quote(amount_in)
        return replace(quote, amount_out=quote.amount_out * 3 if amount_in > 7 * 10**9 else quote.amount_out // 3)


def test_a_search_for_an_unreachable_output_ends_close_to_it() -> None:
    sides = [Leaping(pool(10**12).pool, zero_for_one=True), Leaping(pool(10**12).pool, zero_for_one=True)]
    found = best(sides, 10**10).best
    assert found is not None
    assert found.amount_out == 10**10


def gain_of_a_sale(seed: int, part: float) -> float:
    """How much more a sale pays for the cost of a purchase in pools with limit orders, as a fraction."""
    random = Random(seed)
    samples = [random_pool(random, kind) for kind in ("dlmm", "dlmm", "cpmm")]
    sides = [sample.side for sample in samples]
    found = best(sides, max(int(sum(sample.depth for sample in samples) * 0.1 * part), 10**9)).best
    if found is None:
        return 0.0
    sold = best_split(sides, found.amount_in, max_legs=3, cost_per_leg=0).best
    assert sold is not None
    return (sold.amount_out - found.amount_out) / found.amount_out


# A limit order is bought whole or not at all: if it is a tenth of the amount, other pools cost more.
LITTLE = 1 / 200


@pytest.mark.untraced
def test_a_purchase_from_pools_with_limit_orders_costs_little_more_than_the_sale() -> None:
    random = Random(5)
    markets = [(random.randrange(1 << 32), random.uniform(1e-4, 0.1)) for _ in range(150)]
    markets += [
        (3731848134, 0.031721049354855015),  # half of the refused part could be bought
        (76277, 0.09828293374695267),  # both pools refuse what the other leaves
        (27, 0.029296875),  # the third pool alone is dear
        (1975026, 0.06941352094730774),
    ]
    assert [market for market in markets if gain_of_a_sale(*market) > LITTLE] == []


class Coarse(CpmmSide):
    """Pays no odd amounts."""

    def quote_out(self, amount_out: int) -> Quote:
        if amount_out % 2:
            raise SwapError(SwapErrorKind.OUTPUT_FALLS_SHORT)
        return super().quote_out(amount_out)


class Capped(CpmmSide):
    """Pays at most 95 * 10**7, although its curve promises more."""

    def quote_out(self, amount_out: int) -> Quote:
        if amount_out > 95 * 10**7:
            raise SwapError(SwapErrorKind.OUTPUT_FALLS_SHORT)
        return super().quote_out(amount_out)


@pytest.mark.parametrize(
    ("room", "legs"),
    [
        (Room([Load(10)] * 3, 30), 3),
        (Room([Load(10)] * 3, 20), 2),
        (Room(fits=lambda split: len(split.legs) < 3), 2),
        (Room(may_fit=lambda legs: len(legs) < 3), 2),
    ],
)
def test_what_a_pool_refuses_is_bought_from_as_many_others_as_fit(room: Room, legs: int) -> None:
    cheap, dear = Capped(pool(10**14).pool, zero_for_one=True), pool(10**10, Fraction(1, 2))
    found = best([dear, cheap, dear], 10**9, room).best
    assert found is not None
    assert (len(found.legs), found.amount_out) == (legs, 10**9)
    assert found.legs[0].position == 1


def test_a_leg_whose_pool_refuses_its_part_buys_slightly_less() -> None:
    sides = [pool(10**12), Coarse(pool(10**12).pool, zero_for_one=True)]
    for wanted in range(10**10, 10**10 + 8):
        found = best(sides, wanted).best
        assert found is not None
        assert (len(found.legs), found.amount_out) == (2, wanted)


def test_a_part_that_the_best_pool_refuses_is_bought_from_another() -> None:
    cheap, dear = Coarse(pool(10**14).pool, zero_for_one=True), pool(10**14, Fraction(1, 2))
    found = best([dear, cheap, pool(10**14, Fraction(1, 3))], 10**9 + 1).best
    assert found is not None
    assert [(leg.position, leg.quote.amount_out) for leg in found.legs] == [(1, 10**9), (0, 1)]
    assert best([cheap], 10**9 + 1).best is None


def test_another_pool_pays_all_if_the_best_one_pays_no_part() -> None:
    class Closed(CpmmSide):
        """Sells, and buys nothing."""

        def quote_out(self, amount_out: int) -> Quote:
            raise SwapError(SwapErrorKind.UNSUPPORTED_FEE_MODE)

    found = best([Closed(pool(10**14).pool, zero_for_one=True), pool(10**14, Fraction(1, 2))], 10**9).best
    assert found is not None
    assert [leg.position for leg in found.legs] == [1]
