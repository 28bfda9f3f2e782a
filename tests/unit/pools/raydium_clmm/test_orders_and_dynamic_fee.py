"""Raydium CLMM's limit orders and dynamic fee: answers of its SDK of July 2026, and rules of the program."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.amm.curve import Curve
from orderd.amm.fixed_point import Q64
from orderd.amm.swap import U64_MAX, SwapError
from orderd.amm.tick_math import MAX_TICK, sqrt_price_at_tick
from orderd.pools.raydium_clmm.accounts import TICKS_PER_ARRAY, TickArrayState, TickState
from orderd.pools.raydium_clmm.maths.dynamic_fee import DynamicFeeState, FeeMeter
from orderd.pools.raydium_clmm.maths.limit_orders import LimitOrders, OrderPrice, match_exact_in, match_exact_out
from orderd.pools.raydium_clmm.maths.pool import ClmmPool, ClmmSwap, ClmmTick, swap_exact_in, swap_exact_out
from orderd.pools.raydium_clmm.maths.side import ClmmSide
from orderd.pools.raydium_clmm.tick_arrays import array_start, own_bit
from tests.unit.amm.vectors import cases, load
from tests.unit.pools.raydium_clmm.test_maths import NOW, plain_pool
from tests.unit.solana.records import key

DOCUMENT = load("raydium_clmm_orders.json")
CASES = cases(DOCUMENT)


def ticks_of(pool: dict[str, Any]) -> tuple[ClmmTick, ...]:
    """Decoded from the bytes of the tick arrays."""
    spacing = pool["pool_state"]["tick_spacing"]
    arrays: dict[int, TickArrayState] = {}
    for each in pool["ticks"]:
        start = array_start(each["tick"], spacing)
        arrays[start] = arrays.get(start, TickArrayState(key(7), start)).with_tick(TickState(**each), spacing)
    return tuple(tick for start in sorted(arrays) for tick in arrays[start].initialized_ticks())


def pool_of(pool: dict[str, Any]) -> ClmmPool:
    state, config = pool["pool_state"], pool["amm_config"]
    dynamic = pool["dynamic_fee"]
    return plain_pool(
        **config,
        fee_on=state["fee_on"],
        liquidity=state["liquidity"],
        sqrt_price=state["sqrt_price_x64"],
        tick_current=state["tick_current"],
        ticks=ticks_of(pool),
        dynamic_fee=DynamicFeeState(tick_spacing=state["tick_spacing"], **dynamic) if dynamic else None,
    )


@pytest.mark.parametrize("case", CASES)
def test_answers_like_the_sdk(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    exact_in = given_["swap_mode"] == "exact_in"
    swap = (swap_exact_in if exact_in else swap_exact_out)(
        pool_of(DOCUMENT["pools"][case["pool"]]),
        given_["amount"],
        zero_for_one=given_["zero_for_one"],
        now=given_["block_timestamp"],
    )
    assert (swap.amount_in, swap.amount_out)[exact_in] == expected["calculated"]
    assert (swap.amount_in, swap.amount_out)[not exact_in] == given_["amount"]
    assert swap.pool.sqrt_price == expected["end_state"]["sqrt_price_x64"]
    assert swap.pool.tick_current == expected["end_state"]["tick_current"]
    assert swap.pool.liquidity == expected["end_state"]["liquidity"]


def test_every_case_is_covered() -> None:
    assert len(CASES) == len(DOCUMENT["cases"]) == 130


@pytest.mark.parametrize(
    ("sold", "left"),
    [
        (0, LimitOrders(3, 100, 40, Q64 // 2)),
        (10, LimitOrders(3, 100, 30, Q64 // 2 * 30 // 40)),
        (40, LimitOrders(3, 100, 0, 0)),
        (65, LimitOrders(4, 0, 75, Q64 * 3 // 4)),
        (140, LimitOrders(4, 0, 0, 0)),
    ],
)
def test_orders_that_are_filled_in_part_go_first(sold: int, left: LimitOrders) -> None:
    assert LimitOrders(3, 100, 40, Q64 // 2).less(sold) == left


def test_the_phase_of_orders_stays_within_64_bits() -> None:
    assert LimitOrders(U64_MAX, 10, 0, 0).less(1).phase == U64_MAX


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_an_overflowing_price_of_orders_is_refused(zero_for_one: bool) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        OrderPrice.at(1 << 31 if zero_for_one else 1 << 97, zero_for_one=zero_for_one)
    steep = OrderPrice.at(1 << 40, zero_for_one=True)
    with pytest.raises(SwapError, match="math_overflow"):
        steep.input(1 << 40)


ORDERS = LimitOrders(untouched=10**6)


@given(st.integers(1, 10**7), st.booleans(), st.integers(0, 100_000), st.booleans(), st.booleans())
@example(10**7, True, 2_500, True, True)
@example(10**5, False, 2_500, False, False)
def test_a_match_takes_at_most_the_waiting_amount_at_the_price_or_better(
    amount: int, fee_on_input: bool, rate: int, exact_in: bool, zero_for_one: bool
) -> None:
    price = OrderPrice.at(sqrt_price_at_tick(60), zero_for_one=zero_for_one)
    match = (match_exact_in if exact_in else match_exact_out)(
        ORDERS, price, amount, rate=rate, fee_on_input=fee_on_input
    )
    gross_out = match.amount_out + (0 if fee_on_input else match.fee)
    assert match.orders.waiting == ORDERS.waiting - gross_out >= 0
    assert gross_out * price.denominator <= match.amount_in * price.numerator
    spent = match.amount_in + (match.fee if fee_on_input else 0)
    assert (spent if exact_in else match.amount_out) <= amount


def with_orders(tick: int, orders: LimitOrders = ORDERS, **changes: Any) -> ClmmPool:
    """The plain pool with orders at one tick without other liquidity."""
    pool = plain_pool(**changes)
    ticks = sorted([*pool.ticks, ClmmTick(tick, 0, orders, has_liquidity=False)], key=lambda each: each.tick)
    return replace(pool, ticks=tuple(ticks))


def sell(pool: ClmmPool, amount: int) -> ClmmSwap:
    return swap_exact_in(pool, amount, zero_for_one=True, now=NOW)


def test_one_order_of_one_unit_does_not_change_what_a_swap_before_it_gets() -> None:
    pool = with_orders(-600, LimitOrders(untouched=1))
    assert sell(pool, 10**9).amount_out == sell(plain_pool(), 10**9).amount_out


def test_crossed_orders_are_filled_at_their_price_and_removed() -> None:
    pool = with_orders(-600, fee_on=2)
    plain, swap = sell(plain_pool(fee_on=2), 4 * 10**11), sell(pool, 4 * 10**11)
    assert swap.amount_out > plain.amount_out
    assert [each.tick for each in swap.filled] == [-600]
    assert not swap.filled[0].is_initialized
    assert [each.tick for each in swap.pool.ticks] == [each.tick for each in pool.ticks if each.tick != -600]
    assert swap.crossings == ()


@pytest.mark.parametrize(("tick", "zero_for_one"), [(-600, True), (600, False)])
def test_a_swap_that_ends_among_orders_stays_before_the_tick(tick: int, zero_for_one: bool) -> None:
    deep = with_orders(tick, LimitOrders(untouched=10**15))
    swap = swap_exact_in(deep, 10**13, zero_for_one=zero_for_one, now=NOW)
    assert swap.pool.sqrt_price == sqrt_price_at_tick(tick)
    assert swap.pool.tick_current == (tick if zero_for_one else tick - 1)
    left = next(each for each in swap.pool.ticks if each.tick == tick)
    assert 0 < left.orders.waiting < 10**15
    again = swap_exact_in(swap.pool, 10**9, zero_for_one=zero_for_one, now=NOW)
    assert again.pool.sqrt_price == swap.pool.sqrt_price


def test_fees_of_orders_without_liquidity_go_to_the_protocol() -> None:
    pool = plain_pool(liquidity=0, ticks=(ClmmTick(-60, 0, ORDERS, has_liquidity=False),))
    swap = sell(pool, 10**5)
    assert swap.fee == swap.protocol_fee + swap.fund_fee == 250
    assert swap.pool.fee_growth_global_0 == 0


def test_liquidity_at_a_tick_with_orders_is_used_after_the_orders() -> None:
    orders = LimitOrders(untouched=10**15)
    ticks = (ClmmTick(-10_000, 10**12), ClmmTick(-600, 10**13, orders), ClmmTick(10_000, -(11 * 10**12)))
    pool = plain_pool(ticks=ticks)
    swap = sell(pool, 4 * 10**11)
    assert (swap.pool.liquidity, swap.crossings) == (pool.liquidity, ())
    whole = sell(replace(pool, ticks=(ticks[0], replace(ticks[1], orders=ORDERS), ticks[2])), 4 * 10**11)
    assert (whole.pool.liquidity, [each.tick for each in whole.crossings]) == (10**12, [-600])


VOLATILE = DynamicFeeState(
    tick_spacing=60,
    filter_period=30,
    decay_period=600,
    reduction_factor=5_000,
    control=10_000,
    max_accumulator=100_000,
    group_reference=0,
    volatility_reference=0,
    accumulator=40_000,
    last_update=NOW - 100,
)


@pytest.mark.parametrize(
    ("seconds", "reference", "updated"),
    [(-5, 7, NOW), (29, 7, NOW), (30, 20_000, NOW + 30), (600, 0, NOW + 600)],
)
def test_volatility_is_kept_then_decays_and_is_then_reset(seconds: int, reference: int, updated: int) -> None:
    left = replace(VOLATILE, last_update=NOW, volatility_reference=7)
    met = left.at(NOW + seconds, 9)
    assert (met.volatility_reference, met.last_update) == (reference, updated)
    assert met.group_reference == (0 if reference == 7 else 9)


def test_the_rate_grows_with_the_square_of_groups_up_to_ten_percent() -> None:
    calm = replace(VOLATILE, accumulator=0)
    rates = [calm.in_group(group).rate_with(2_500) for group in (0, 1, 2, -2, 50)]
    assert rates == [2_500, 2_500 + 360, 2_500 + 1_440, 2_500 + 1_440, 2_500 + 36_000]
    assert replace(calm, control=99_999, max_accumulator=10**9).in_group(900).rate_with(2_500) == 100_000
    assert calm.in_group(0) is calm


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_a_swap_through_groups_pays_more_in_each(zero_for_one: bool) -> None:
    pool = plain_pool(dynamic_fee=VOLATILE)
    swap = swap_exact_in(pool, 10**11, zero_for_one=zero_for_one, now=NOW)
    plain = swap_exact_in(plain_pool(), 10**11, zero_for_one=zero_for_one, now=NOW)
    assert swap.fee > plain.fee
    assert swap.steps >= 2
    assert swap.pool.dynamic_fee is not None
    assert swap.pool.dynamic_fee.last_update == NOW
    assert swap.pool.dynamic_fee.accumulator > 20_000


def test_a_price_limit_within_a_group_ends_the_swap_there() -> None:
    limit = sqrt_price_at_tick(-10)
    pool = plain_pool(dynamic_fee=VOLATILE)
    swap = swap_exact_in(pool, 10**12, zero_for_one=True, now=NOW, sqrt_price_limit=limit)
    assert (swap.pool.sqrt_price, swap.partial_fill, swap.steps) == (limit, True, 1)


def test_the_last_group_ends_at_the_price_range() -> None:
    meter = FeeMeter(2_500, replace(VOLATILE, tick_spacing=1_000), MAX_TICK - 1, NOW, zero_for_one=False)
    meter.rate()
    assert meter.reach(sqrt_price_at_tick(MAX_TICK), 1) == (sqrt_price_at_tick(MAX_TICK), MAX_TICK, False)


def test_a_pool_without_a_tick_spacing_is_refused() -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        sell(plain_pool(dynamic_fee=replace(VOLATILE, tick_spacing=0)), 10**9)


def test_a_swap_over_too_many_groups_is_refused() -> None:
    endless = replace(VOLATILE, tick_spacing=1, max_accumulator=2**32 - 1)
    pool = plain_pool(liquidity=10**12, ticks=(ClmmTick(-100_000, 10**12),), dynamic_fee=endless)
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        sell(pool, 10**15)


@pytest.mark.parametrize("fee_on", [0, 1, 2])
@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("dynamic", [None, VOLATILE], ids=["fixed fee", "dynamic fee"])
def test_the_curve_follows_the_quotes(dynamic: DynamicFeeState | None, zero_for_one: bool, fee_on: int) -> None:
    tick = -120 if zero_for_one else 120
    pool = with_orders(tick, LimitOrders(untouched=10**10), fee_on=fee_on, dynamic_fee=dynamic)
    pool = replace(pool, ticks=tuple(each for each in pool.ticks if abs(each.tick) <= 1_000))
    side = ClmmSide(pool, zero_for_one=zero_for_one, now=NOW)
    curve = Curve(side.segments(), 10**12)
    for amount in (10**8, 10**10, 5 * 10**10, 7 * 10**10, 3 * 10**11):
        taken, paid = curve.at(curve.end(amount))
        quote = side.quote(taken)
        assert abs(paid - quote.amount_out) <= 40
        assert quote.steps <= curve.steps(taken) + 2
    fee = side.rates().fee * 10**6
    assert fee == 2_500 if dynamic is None else fee > 2_500


def test_a_tick_array_has_a_bit_within_the_pools_own_bitmap() -> None:
    width = TICKS_PER_ARRAY * 10
    assert [own_bit(start * width, 10) for start in (-512, 0, 511)] == [1, 1 << 512, 1 << 1023]
    assert own_bit(512 * width, 10) is own_bit(-513 * width, 10) is None
