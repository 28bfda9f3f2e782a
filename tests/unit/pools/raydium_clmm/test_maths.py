"""Raydium CLMM maths: equal to the program bit for bit, and the invariants of swaps."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from orderd.amm.price import price_impact
from orderd.amm.swap import U64_MAX, U128_MAX, SwapError
from orderd.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE, sqrt_price_at_tick, tick_at_sqrt_price
from orderd.pools.raydium_clmm.maths.pool import ClmmPool, ClmmSwap, ClmmTick, spot_price, swap_exact_in, swap_exact_out
from tests.unit.amm.vectors import cases, load

DOCUMENT = load("raydium_clmm.json")
CASES = cases(DOCUMENT)


def pool_of(account: dict[str, Any]) -> ClmmPool:
    config, state = account["amm_config"], account["pool_state"]
    return ClmmPool(
        trade_fee_rate=config["trade_fee_rate"],
        protocol_fee_rate=config["protocol_fee_rate"],
        fund_fee_rate=config["fund_fee_rate"],
        fee_on=0,
        liquidity=state["liquidity"],
        sqrt_price=state["sqrt_price_x64"],
        tick_current=state["tick_current"],
        fee_growth_global_0=state["fee_growth_global_0_x64"],
        fee_growth_global_1=state["fee_growth_global_1_x64"],
        protocol_fees_0=state["protocol_fees_token_0"],
        protocol_fees_1=state["protocol_fees_token_1"],
        fund_fees_0=0,
        fund_fees_1=0,
        ticks=tuple(ClmmTick(each["tick"], each["liquidity_net"]) for each in account["ticks"]),
    )


def swap_of(case: dict[str, Any]) -> ClmmSwap:
    given = case["input"]
    swap = swap_exact_in if given["swap_mode"] == "exact_in" else swap_exact_out
    pool = pool_of(DOCUMENT["pools"][case["pool"]])
    limit = given["sqrt_price_limit_x64"] or None
    return swap(pool, given["amount"], zero_for_one=given["zero_for_one"], now=NOW, sqrt_price_limit=limit)


def test_every_case_is_covered() -> None:
    assert (len(DOCUMENT["cases"]), len(CASES)) == (108, 108)


@pytest.mark.parametrize("case", [case for case in CASES if "error" in case.values[0]["expected"]])
def test_refuses_like_the_program(case: dict[str, Any]) -> None:
    with pytest.raises(SwapError) as refused:
        swap_of(case)
    assert refused.value.kind == case["expected"]["error"]


@pytest.mark.parametrize("case", [case for case in CASES if "error" not in case.values[0]["expected"]])
def test_answers_like_the_program(case: dict[str, Any]) -> None:
    expected, end = case["expected"], case["expected"]["end_state"]
    before = pool_of(DOCUMENT["pools"][case["pool"]])
    zero_for_one = case["input"]["zero_for_one"]

    swap = swap_of(case)

    for name in expected.keys() - {"end_state"}:
        assert getattr(swap, name) == expected[name], name
    assert swap.pool == replace(
        before,
        sqrt_price=end["sqrt_price_x64"],
        tick_current=end["tick_current"],
        liquidity=end["liquidity"],
        fee_growth_global_0=end["fee_growth_global_0_x64"],
        fee_growth_global_1=end["fee_growth_global_1_x64"],
        protocol_fees_0=end["protocol_fees_token_0"],
        protocol_fees_1=end["protocol_fees_token_1"],
        fund_fees_0=end["fund_fees_delta"] if zero_for_one else 0,
        fund_fees_1=0 if zero_for_one else end["fund_fees_delta"],
    )


FLAT = 1 << 64
NOW = 1_800_000_000


def plain_pool(**changes: Any) -> ClmmPool:
    """A pool at price 1 with a 0.25 % fee, deep liquidity within 1,000 ticks and a tenth of it within 10,000."""
    pool = ClmmPool(
        trade_fee_rate=2_500,
        protocol_fee_rate=120_000,
        fund_fee_rate=40_000,
        fee_on=0,
        liquidity=11 * 10**12,
        sqrt_price=FLAT,
        tick_current=0,
        fee_growth_global_0=0,
        fee_growth_global_1=0,
        protocol_fees_0=0,
        protocol_fees_1=0,
        fund_fees_0=0,
        fund_fees_1=0,
        ticks=(
            ClmmTick(-10_000, 10**12),
            ClmmTick(-1_000, 10**13),
            ClmmTick(1_000, -(10**13)),
            ClmmTick(10_000, -(10**12)),
        ),
    )
    return replace(pool, **changes)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_zero_amount_is_refused_by_its_side(amount: int) -> None:
    with pytest.raises(SwapError, match="zero_input"):
        swap_exact_in(plain_pool(), amount, zero_for_one=True, now=NOW)
    with pytest.raises(SwapError, match="zero_output"):
        swap_exact_out(plain_pool(), amount, zero_for_one=True, now=NOW)


@pytest.mark.parametrize(
    ("zero_for_one", "limit"),
    [(True, FLAT), (True, MIN_SQRT_PRICE), (False, FLAT), (False, MAX_SQRT_PRICE)],
)
def test_a_price_limit_must_lie_ahead_of_the_price(zero_for_one: bool, limit: int) -> None:
    with pytest.raises(SwapError, match="invalid_price_limit"):
        swap_exact_in(plain_pool(), 1_000, zero_for_one=zero_for_one, now=NOW, sqrt_price_limit=limit)


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_a_swap_stops_at_its_price_limit(zero_for_one: bool) -> None:
    limit = sqrt_price_at_tick(-500 if zero_for_one else 500)
    swap = swap_exact_in(plain_pool(), 10**13, zero_for_one=zero_for_one, now=NOW, sqrt_price_limit=limit)
    assert swap.partial_fill
    assert swap.amount_in < 10**13
    assert swap.pool.sqrt_price == limit
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        swap_exact_in(plain_pool(), 10**13, zero_for_one=zero_for_one, now=NOW)


def test_a_swap_that_costs_nothing_is_refused() -> None:
    """The price is at the edge of an empty range, and the limit lies within it."""
    pool = plain_pool(liquidity=0, ticks=(ClmmTick(-1_000, 0),))
    with pytest.raises(SwapError, match="zero_input"):
        swap_exact_in(pool, 1_000, zero_for_one=True, now=NOW, sqrt_price_limit=sqrt_price_at_tick(-10))


def test_an_output_that_costs_more_than_64_bits_of_input_is_refused() -> None:
    deep = 10**24
    pool = plain_pool(liquidity=deep, ticks=(ClmmTick(-443_000, deep), ClmmTick(-430_000, 0), ClmmTick(10, -deep)))
    with pytest.raises(SwapError, match="amount_in_exceeds_u64"):
        swap_exact_out(pool, 2 * U64_MAX, zero_for_one=True, now=NOW)


def test_a_gap_in_the_liquidity_is_skipped() -> None:
    ticks = (ClmmTick(-200, 10**12), ClmmTick(-100, -(10**12)), ClmmTick(100, 10**12), ClmmTick(200, -(10**12)))
    pool = plain_pool(liquidity=0, ticks=ticks)
    swap = swap_exact_in(pool, 10**9, zero_for_one=True, now=NOW)
    assert (swap.ticks_crossed, swap.pool.liquidity) == (1, 10**12)
    assert swap.pool.sqrt_price < sqrt_price_at_tick(-100)


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("fee_on", [0, 1, 2])
def test_the_fee_is_taken_in_the_token_of_the_pools_setting(fee_on: int, zero_for_one: bool) -> None:
    swap = swap_exact_in(plain_pool(fee_on=fee_on), 10**9, zero_for_one=zero_for_one, now=NOW)
    in_token_0 = {0: zero_for_one, 1: True, 2: False}[fee_on]
    assert swap.fee_on_input == (in_token_0 == zero_for_one)
    assert (swap.pool.protocol_fees_0, swap.pool.protocol_fees_1)[not in_token_0] == swap.protocol_fee > 0
    assert (swap.pool.protocol_fees_0, swap.pool.protocol_fees_1)[in_token_0] == 0
    assert (swap.pool.fee_growth_global_0 > 0, swap.pool.fee_growth_global_1 > 0) == (in_token_0, not in_token_0)
    exact = swap_exact_out(plain_pool(fee_on=fee_on), swap.amount_out, zero_for_one=zero_for_one, now=NOW)
    assert (exact.amount_out, exact.partial_fill) == (swap.amount_out, False)
    assert abs(exact.amount_in - swap.amount_in) <= 2


def test_fee_growth_wraps_at_128_bits() -> None:
    swap = swap_exact_in(plain_pool(fee_growth_global_0=U128_MAX), 10**9, zero_for_one=True, now=NOW)
    assert swap.pool.fee_growth_global_0 == 2_100_000 * FLAT // (11 * 10**12) - 1


def test_the_spot_price_is_output_per_input_in_either_direction() -> None:
    pool = plain_pool(sqrt_price=FLAT * 2, tick_current=tick_at_sqrt_price(FLAT * 2))
    assert spot_price(pool, zero_for_one=True) == 4
    assert spot_price(pool, zero_for_one=False) == Fraction(1, 4)


@pytest.mark.parametrize("fee_on", [0, 1, 2])
def test_price_impact_excludes_fees(fee_on: int) -> None:
    pool = plain_pool(fee_on=fee_on)
    swap = swap_exact_in(pool, 11 * 10**9, zero_for_one=True, now=NOW)
    impact = price_impact(swap.net_in, swap.gross_out, spot_price(pool, zero_for_one=True))
    assert abs(impact - Fraction(swap.net_in, 11 * 10**12 + swap.net_in)) < Fraction(1, 10**9)


@st.composite
def pools(draw: st.DrawFn) -> ClmmPool:
    """Pools near price 1, with randomly overlapping positions."""
    tick_current = draw(st.integers(-3_000, 3_000))
    net: dict[int, int] = {}
    liquidity = 0
    for lower, width, depth in draw(
        st.lists(st.tuples(st.integers(-5_000, 4_999), st.integers(1, 8_000), st.integers(1, 10**13)), min_size=1)
    ):
        net[lower] = net.get(lower, 0) + depth
        net[lower + width] = net.get(lower + width, 0) - depth
        liquidity += depth if lower <= tick_current < lower + width else 0
    low, high = sqrt_price_at_tick(tick_current), sqrt_price_at_tick(tick_current + 1)
    return plain_pool(
        trade_fee_rate=draw(st.integers(0, 100_000)),
        fee_on=draw(st.integers(0, 2)),
        liquidity=liquidity,
        sqrt_price=draw(st.integers(low, high - 1)),
        tick_current=tick_current,
        ticks=tuple(ClmmTick(tick, net[tick]) for tick in sorted(net)),
    )


amounts = st.integers(1, 10**13)


def try_exact_in(pool: ClmmPool, amount: int, zero_for_one: bool) -> ClmmSwap | None:
    try:
        return swap_exact_in(pool, amount, zero_for_one=zero_for_one, now=NOW)
    except SwapError:
        return None


@given(pools(), amounts, st.booleans())
def test_the_liquidity_in_range_is_that_of_the_positions_around_the_price(
    pool: ClmmPool, amount: int, zero_for_one: bool
) -> None:
    swap = try_exact_in(pool, amount, zero_for_one)
    assume(swap is not None)
    assert swap is not None
    end = swap.pool
    assert end.liquidity == sum(each.liquidity_net for each in pool.ticks if each.tick <= end.tick_current)
    assert sqrt_price_at_tick(end.tick_current) <= end.sqrt_price <= sqrt_price_at_tick(end.tick_current + 1)


@given(pools(), amounts, st.booleans())
def test_a_round_trip_never_gains(pool: ClmmPool, amount: int, zero_for_one: bool) -> None:
    there = try_exact_in(pool, amount, zero_for_one)
    assume(there is not None)
    assert there is not None
    back = try_exact_in(there.pool, there.amount_out, not zero_for_one)
    assert back is None or back.amount_out <= amount


@given(pools(), amounts, amounts, st.booleans())
def test_more_in_never_gives_less_out(pool: ClmmPool, amount: int, more: int, zero_for_one: bool) -> None:
    less, greater = try_exact_in(pool, amount, zero_for_one), try_exact_in(pool, amount + more, zero_for_one)
    assume(greater is not None)
    assert greater is not None
    assert less is None or less.amount_out <= greater.amount_out


@given(pools(), amounts, st.booleans())
def test_an_exact_output_is_exact(pool: ClmmPool, wanted: int, zero_for_one: bool) -> None:
    try:
        bought = swap_exact_out(pool, wanted, zero_for_one=zero_for_one, now=NOW)
    except SwapError:
        reject()
    assert (bought.amount_out, bought.partial_fill) == (wanted, False)
    again = try_exact_in(pool, bought.amount_in, zero_for_one)
    assert again is not None
    assert again.amount_out >= wanted


@given(pools(), amounts, st.booleans())
def test_each_crossing_has_the_fee_growth_of_its_moment(pool: ClmmPool, amount: int, zero_for_one: bool) -> None:
    """It equals the fee growth after a swap that stops at that tick."""
    swap = try_exact_in(pool, amount, zero_for_one)
    crossings = () if swap is None else swap.crossings
    ticks = [each.tick for each in crossings]
    assert ticks == sorted(ticks, reverse=zero_for_one)
    for crossing in crossings:
        limit = sqrt_price_at_tick(crossing.tick)
        try:
            there = swap_exact_in(pool, amount, zero_for_one=zero_for_one, now=NOW, sqrt_price_limit=limit)
        except SwapError:  # the price was already there, or only empty ranges were before it
            continue
        assert there.pool.fee_growth_global_0 == crossing.fee_growth_global_0
        assert there.pool.fee_growth_global_1 == crossing.fee_growth_global_1
