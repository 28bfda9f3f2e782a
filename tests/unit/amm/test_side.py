"""A pool as routing sees it: quotes equal the pool's own swap, and the curve follows them to the last units."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from math import ceil
from random import Random
from threading import Thread

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orderd.amm.curve import NEVER, Curve, constant_price
from orderd.amm.side import Quote, Side
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.amm.tick_math import sqrt_price_at_tick
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.meteora_dlmm.maths.pool import DlmmBin
from orderd.pools.meteora_dlmm.maths.side import DlmmSide
from orderd.pools.raydium_amm_v4.maths.pool import AmmV4Pool
from orderd.pools.raydium_amm_v4.maths.side import AmmV4Side
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.maths.pool import ClmmTick
from orderd.pools.raydium_clmm.maths.side import ClmmSide
from tests.unit.amm.pools import KINDS, NOW, random_pool, reverse


def largest_quote(side: Side, amount: int) -> int:
    """``amount``, or its half, quarter, ... that the pool can trade."""
    while True:
        try:
            side.quote(amount)
        except SwapError:
            amount //= 2
        else:
            return amount


def rounding(quote: Quote) -> int:
    """Swap and curve each round at every step: less than one unit for the amount, and one for the fee."""
    return 2 * (quote.steps + 1) * (1 + ceil(quote.spot))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("sells_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_curve_matches_the_pool(kind: str, sells_first: bool, seed: int) -> None:
    random = Random(f"{kind} {seed}")
    pool = random_pool(random, kind)
    side = pool.side if sells_first else reverse(pool.side)
    for part in (0.0001, 0.01, 0.2):
        amount = largest_quote(side, int(pool.depth * part * random.uniform(0.5, 1)))
        quote = side.quote(amount)
        taken, paid = Curve(side.segments(), amount).at(NEVER)
        assert taken == quote.amount_in == amount
        assert abs(paid - quote.amount_out) <= rounding(quote)


@pytest.mark.parametrize("sells_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_pool_accepts_the_amount_of_its_curve(kind: str, sells_first: bool) -> None:
    pool = random_pool(Random(kind), kind)
    side = pool.side if sells_first else reverse(pool.side)
    taken, paid = Curve(side.segments(), 1 << 63).at(NEVER)
    quote = side.quote(taken)
    assert abs(paid - quote.amount_out) <= rounding(quote)


@pytest.mark.parametrize("kind", KINDS)
def test_the_price_falls_along_the_curve(kind: str) -> None:
    pool = random_pool(Random(f"{kind} 1"), kind)
    curve = Curve(pool.side.segments(), pool.depth // 5)
    levels = [curve.start * (1000 + step) // 1000 for step in range(-1, 200)]
    taken = [curve.at(level)[0] for level in levels]
    assert all(curve.end(amount) <= level for amount, level in zip(taken, levels, strict=True) if amount)
    assert taken[0] == 0
    assert taken == sorted(taken)
    assert all(curve.surplus(level) >= -1 for level in levels)


@pytest.mark.parametrize("kind", KINDS)
def test_a_curve_is_the_same_for_concurrent_readers(kind: str) -> None:
    pool = random_pool(Random(f"{kind} 1"), kind)
    shared, alone = (Curve(pool.side.segments(), U64_MAX) for _ in range(2))
    levels = [alone.start * (1_000 + step) // 1_000 for step in range(300)]
    amounts = [pool.depth * part // 1_000 for part in range(1, 301)]
    expected = [(alone.at(level), alone.end(amount)) for level, amount in zip(levels, amounts, strict=True)]

    def walk(order: int) -> list[tuple[tuple[int, int], int]]:
        asked = [*zip(levels, amounts, strict=True)][::order]
        return [(shared.at(level), shared.end(amount)) for level, amount in asked][::order]

    with ThreadPoolExecutor(8) as threads:
        assert [*threads.map(walk, [1, -1] * 4)] == [expected] * 8


def test_a_segment_that_is_being_added_is_not_visible_yet() -> None:
    """A concurrent reader waits for it."""
    curve = Curve([constant_price(100, 1_000, 5_000, 0), constant_price(99, 1_000, 5_000, 1)], U64_MAX)
    beyond, answers = curve.start * 2, list[tuple[int, int]]()
    reader = Thread(target=lambda: answers.append(curve.at(beyond)))

    class Late(list[int]):
        def append(self, start: int) -> None:
            reader.start()
            reader.join(0.1)
            super().append(start)

    curve._starts = Late(curve._starts)
    assert curve.reach(0) == 1
    reader.join()
    assert answers == [curve.at(beyond)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_exact_output_is_exact(kind: str) -> None:
    pool = random_pool(Random(kind), kind)
    wanted = max(pool.depth // 10**5, 1)
    bought = pool.side.quote_out(wanted)
    assert (bought.amount_out, bought.exact_out) == (wanted, True)


@pytest.mark.untraced
@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 1 << 32), part=st.integers(1, 10**6), sells_first=st.booleans())
def test_the_cost_of_an_exact_output_is_minimal(kind: str, seed: int, part: int, sells_first: bool) -> None:
    """Except for rounding at the end of a tick or a bin."""
    pool = random_pool(Random(seed), kind)
    side = pool.side if sells_first else reverse(pool.side)
    wanted = max(int(pool.depth * (0.1 if sells_first else 1)) * part // 10**7, 1)
    try:
        bought = side.quote_out(wanted)
    except SwapError as refused:
        # Among limit orders rounding may make a pool pay less than requested, which it refuses.
        assume(refused.kind is not SwapErrorKind.OUTPUT_FALLS_SHORT)
        raise

    assert (bought.amount_out, bought.exact_out) == (wanted, True)
    sold = side.quote(bought.amount_in)
    assert sold.amount_out >= wanted
    assert (sold.spot, sold.fee_on_input, sold.exact_out) == (bought.spot, bought.fee_on_input, False)
    assert abs(sold.fee - bought.fee) <= rounding(bought) * ceil(1 / bought.spot)
    less = bought.amount_in - 1 - bought.steps
    assert less < 1 or paid(side, less) < wanted


def paid(side: Side, amount_in: int) -> int:
    """Zero if the pool refuses the amount."""
    try:
        return side.quote(amount_in).amount_out
    except SwapError:
        return 0


@pytest.mark.parametrize("sells_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_more_than_the_reserve_cannot_be_bought(kind: str, sells_first: bool) -> None:
    pool = random_pool(Random(kind), kind)
    side = pool.side if sells_first else reverse(pool.side)
    for too_much in (pool.depth * 10**6, 1 << 70):
        with pytest.raises(SwapError) as refused:
            side.quote_out(too_much)
        assert refused.value.kind in (SwapErrorKind.INSUFFICIENT_LIQUIDITY, SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
    with pytest.raises(SwapError, match="zero_output"):
        side.quote_out(0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sells_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_small_swap_pays_the_price_less_the_fee(kind: str, sells_first: bool, seed: int) -> None:
    pool = random_pool(Random(f"{kind} {seed}"), kind)
    side = pool.side if sells_first else reverse(pool.side)
    spot, fee, *_ = side.rates()
    quote = side.quote(10**7)
    assert quote.spot == spot
    paid = quote.amount_in * spot * (1 - fee)
    assert abs(quote.amount_out - paid) <= rounding(quote) + paid * quote.price_impact


def test_an_empty_pool_has_no_rates() -> None:
    side = random_pool(Random(3), "dlmm").side
    assert isinstance(side, DlmmSide)
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        DlmmSide(replace(side.pool, bins=dlmm.DlmmBins([])), swap_for_y=True, now=NOW).rates()


def test_a_quote_separates_price_impact_from_fees() -> None:
    side = AmmV4Side(AmmV4Pool(6, 25, 10_000, 0, 0, 10**12, 10**11, 0, 0), coin_to_pc=True)
    quote = side.quote(10**10)
    assert quote.spot == Fraction(1, 10)
    assert abs(quote.price_impact - Fraction(quote.net_in, 10**12 + quote.net_in)) < Fraction(1, 10**9)


def test_funds_on_the_order_book_cannot_be_bought() -> None:
    """Half of the pc is on the order book: the curve ends where the vault is empty."""
    side = AmmV4Side(AmmV4Pool(1, 25, 10_000, 0, 0, 10**12, 10**11, 0, 10**11), coin_to_pc=True)
    taken, paid = Curve(side.segments(), 1 << 62).at(NEVER)
    assert side.quote(taken).amount_out == paid <= 10**11
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        side.quote(taken + taken // 1_000)


def test_a_gap_in_the_liquidity_is_not_part_of_the_curve() -> None:
    pool = random_pool(Random(1), "clmm").side
    assert isinstance(pool, ClmmSide)
    depth = 10**12
    ticks = (ClmmTick(-300, depth), ClmmTick(-200, -depth), ClmmTick(-100, depth), ClmmTick(100, -depth))
    gap = clmm.ClmmPool(
        **{name: getattr(pool.pool, name) for name in clmm.ClmmPool.__slots__}
        | {"liquidity": depth, "sqrt_price": sqrt_price_at_tick(0), "tick_current": 0, "ticks": ticks}
    )
    segments = Curve(ClmmSide(gap, zero_for_one=True, now=NOW).segments(), 1 << 60)
    taken, paid = segments.at(NEVER)
    quote = ClmmSide(gap, zero_for_one=True, now=NOW).quote(taken)
    assert quote.steps >= 2
    assert abs(paid - quote.amount_out) <= rounding(quote)


def test_an_empty_bin_is_not_part_of_the_curve_and_one_with_only_an_order_is() -> None:
    side = random_pool(Random(2), "dlmm").side
    assert isinstance(side, DlmmSide)
    target = side.pool.bins[side.pool.active_id - 1]
    empty = DlmmBin(target.bin_id, 0, 0, target.price)
    whole = len(list(side.segments()))
    for content, segments in ((empty, whole - 1), (replace(empty, open_order_amount=10**9), whole)):
        holed = DlmmSide(replace(side.pool, bins=side.pool.bins.replace([content])), swap_for_y=True, now=NOW)
        assert len(list(holed.segments())) == segments


def test_an_improving_price_is_treated_as_constant() -> None:
    """A falling fee can improve the price; once the worse price is reached, the better one has been reached too."""
    poor, rich = constant_price(100, 1_000, 5_000, 0), constant_price(110, 1_000, 5_000, 1)
    curve = Curve([poor, rich], 10_000)
    assert curve.at(poor.start - 1) == (0, 0)
    assert curve.at(poor.start) == (10_000, 1_000)


def test_an_empty_pool_has_no_curve() -> None:
    side = random_pool(Random(3), "dlmm").side
    assert isinstance(side, DlmmSide)
    empty = DlmmSide(replace(side.pool, bins=dlmm.DlmmBins([])), swap_for_y=True, now=NOW)
    curve = Curve(empty.segments(), 100)
    assert curve.start == curve.end(1) == NEVER
    assert curve.at(NEVER) == (0, 0)
