"""Pools in any possible state: empty, one-sided, at numeric limits, with unknown flags.

Whatever the state, a request gets a consistent quote or a typed refusal, never another exception.
"""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.amm.best_split import best_split
from orderd.amm.curve import NEVER, Curve
from orderd.amm.side import Side
from orderd.amm.split import Leg, Split
from orderd.amm.swap import U64_MAX, SwapError
from orderd.amm.tick_math import MAX_TICK, MIN_TICK, sqrt_price_at_tick
from orderd.pools.meteora_damm_v2.maths.base_fee import MarketCapSchedule, RateLimiterSchedule, TimeSchedule
from orderd.pools.meteora_damm_v2.maths.dynamic_fee import DammV2DynamicFee
from orderd.pools.meteora_damm_v2.maths.pool import DammV2Pool
from orderd.pools.meteora_damm_v2.maths.side import DammV2Side
from orderd.pools.meteora_dlmm.maths.pool import (
    DlmmBin,
    DlmmBins,
    DlmmParameters,
    DlmmPool,
    DlmmVolatility,
    price_from_bin_id,
)
from orderd.pools.meteora_dlmm.maths.side import DlmmSide
from orderd.pools.raydium_amm_v4.maths.pool import AmmV4Pool
from orderd.pools.raydium_amm_v4.maths.side import AmmV4Side
from orderd.pools.raydium_clmm.maths.dynamic_fee import DynamicFeeState
from orderd.pools.raydium_clmm.maths.limit_orders import NO_ORDERS, LimitOrders
from orderd.pools.raydium_clmm.maths.pool import MAX_STEPS, ClmmPool, ClmmTick
from orderd.pools.raydium_clmm.maths.side import ClmmSide
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool
from orderd.pools.raydium_cpmm.maths.side import CpmmSide
from tests.unit.amm.pools import random_pool

NOW = 1_786_000_000


def unsigned(bits: int, *usual: int) -> st.SearchStrategy[int]:
    """An account's number: usual values, the ends of its range, and everything between."""
    most = 2**bits - 1
    return st.sampled_from((*usual, *usual, 0, 1, most)) | st.integers(0, most)


def signed(bits: int, *usual: int) -> st.SearchStrategy[int]:
    most = 2 ** (bits - 1)
    return st.sampled_from((*usual, *usual, 0, -1, 1, -most, most - 1)) | st.integers(-most, most - 1)


u8, u16, u32, u64, u128 = (unsigned(bits) for bits in (8, 16, 32, 64, 128))
balance = unsigned(64, 10**12)
rate = unsigned(64, 2_500, 999_999, 1_000_000)
flag = unsigned(8, 2, 3)

cpmm_sides = st.builds(
    CpmmSide,
    st.builds(
        CpmmPool,
        trade_fee_rate=rate,
        protocol_fee_rate=rate,
        fund_fee_rate=rate,
        creator_fee_rate=rate,
        vault_0=balance,
        vault_1=balance,
        protocol_fees_0=unsigned(64, 0),
        protocol_fees_1=unsigned(64, 0),
        fund_fees_0=unsigned(64, 0),
        fund_fees_1=unsigned(64, 0),
        creator_fees_0=unsigned(64, 0),
        creator_fees_1=unsigned(64, 0),
        creator_fee_on=flag,
        enable_creator_fee=st.booleans(),
    ),
    st.booleans(),
)
amm_v4_sides = st.builds(
    AmmV4Side,
    st.builds(
        AmmV4Pool,
        status=unsigned(64, 1, 6),
        swap_fee_numerator=unsigned(64, 25),
        swap_fee_denominator=unsigned(64, 10_000),
        need_take_pnl_coin=unsigned(64, 0),
        need_take_pnl_pc=unsigned(64, 0),
        coin_vault=balance,
        pc_vault=balance,
        open_orders_coin=balance,
        open_orders_pc=balance,
    ),
    st.booleans(),
)
tick = signed(32, -300, -100, 0, 100, 300, MIN_TICK, MAX_TICK)
clmm_sides = st.builds(
    ClmmSide,
    st.builds(
        ClmmPool,
        trade_fee_rate=unsigned(32, 2_500, 999_999, 1_000_000),
        protocol_fee_rate=u32,
        fund_fee_rate=u32,
        fee_on=flag,
        liquidity=unsigned(128, 10**12),
        sqrt_price=unsigned(128, *(sqrt_price_at_tick(each) for each in (-300, 0, 1, MIN_TICK, MAX_TICK))),
        tick_current=tick,
        fee_growth_global_0=u128,
        fee_growth_global_1=u128,
        protocol_fees_0=u64,
        protocol_fees_1=u64,
        fund_fees_0=u64,
        fund_fees_1=u64,
        ticks=st.lists(
            st.builds(
                ClmmTick,
                tick,
                signed(128, 10**12, -(10**12)),
                st.one_of(st.just(NO_ORDERS), st.builds(LimitOrders, u64, balance, balance, u128)),
                st.booleans(),
            ),
            max_size=5,
        ).map(tuple),
        dynamic_fee=st.none()
        | st.builds(
            DynamicFeeState,
            tick_spacing=unsigned(16, 1, 60),
            filter_period=u16,
            decay_period=u16,
            reduction_factor=u16,
            control=u32,
            max_accumulator=unsigned(32, 100_000),
            group_reference=tick,
            volatility_reference=u32,
            accumulator=u32,
            last_update=unsigned(64, NOW, NOW - 60),
        ),
    ),
    st.booleans(),
    st.just(NOW),
)
bin_id = signed(32, -1, 0, 1, 2, 443_636)
bins = st.builds(
    DlmmBin,
    bin_id=bin_id,
    amount_x=balance,
    amount_y=balance,
    price=unsigned(128, *(price_from_bin_id(10, each) for each in (-1, 0, 1, 2))),
    open_order_amount=balance,
    total_processing_order_amount=balance,
    processed_order_remaining_amount=balance,
    limit_order_ask_side=st.booleans(),
)
dlmm_sides = st.builds(
    DlmmSide,
    st.builds(
        DlmmPool,
        parameters=st.builds(
            DlmmParameters,
            base_factor=unsigned(16, 10_000),
            base_fee_power_factor=unsigned(8, 0),
            filter_period=unsigned(16, 30),
            decay_period=unsigned(16, 600),
            reduction_factor=unsigned(16, 5_000),
            variable_fee_control=unsigned(32, 40_000),
            max_volatility_accumulator=unsigned(32, 350_000),
            protocol_share=u16,
            function_type=flag,
            collect_fee_mode=flag,
        ),
        volatility=st.builds(
            DlmmVolatility,
            volatility_accumulator=u32,
            volatility_reference=u32,
            index_reference=bin_id,
            last_update_timestamp=signed(64, NOW, NOW - 60, NOW - 10**6),
        ),
        active_id=bin_id,
        bin_step=unsigned(16, 10),
        protocol_fee_x=u64,
        protocol_fee_y=u64,
        has_reward=st.booleans(),
        bins=st.lists(bins, max_size=5).map(DlmmBins),
    ),
    st.booleans(),
    st.just(NOW),
)
price = unsigned(128, 1 << 64, 4_295_048_016, 79_226_673_521_066_979_257_578_248_091)
damm_v2_sides = st.builds(
    DammV2Side,
    st.builds(
        DammV2Pool,
        base_fee=st.one_of(
            st.builds(
                TimeSchedule,
                exponential=st.booleans(),
                cliff_fee_numerator=unsigned(64, 2_500_000),
                number_of_period=unsigned(16, 10),
                period_frequency=unsigned(64, 60),
                reduction_factor=unsigned(64, 100),
            ),
            st.builds(
                MarketCapSchedule,
                exponential=st.booleans(),
                cliff_fee_numerator=unsigned(64, 2_500_000),
                number_of_period=unsigned(16, 10),
                sqrt_price_step_bps=unsigned(32, 100),
                scheduler_expiration_duration=unsigned(32, 86_400),
                reduction_factor=unsigned(64, 100),
                init_sqrt_price=price,
            ),
            st.builds(
                RateLimiterSchedule,
                cliff_fee_numerator=unsigned(64, 2_500_000),
                fee_increment_bps=unsigned(16, 10),
                max_limiter_duration=unsigned(32, 43_200),
                max_fee_bps=unsigned(32, 5_000),
                reference_amount=unsigned(64, 10**9),
            ),
        ),
        dynamic_fee=st.builds(
            DammV2DynamicFee,
            initialized=st.booleans(),
            max_volatility_accumulator=u32,
            variable_fee_control=u32,
            bin_step=u16,
            filter_period=u16,
            decay_period=u16,
            reduction_factor=u16,
            last_update_timestamp=unsigned(64, NOW, NOW - 60),
            bin_step_u128=unsigned(128, 1_844_674_407_370_955),
            sqrt_price_reference=price,
            volatility_accumulator=u128,
            volatility_reference=u128,
        ),
        protocol_fee_percent=u8,
        compounding_fee_bps=u16,
        collect_fee_mode=flag,
        fee_version=flag,
        activation_point=unsigned(64, 0, NOW),
        liquidity=unsigned(128, 10**12 << 64),
        sqrt_min_price=price,
        sqrt_max_price=price,
        sqrt_price=price,
        token_a_amount=balance,
        token_b_amount=balance,
        protocol_a_fee=u64,
        protocol_b_fee=u64,
    ),
    st.booleans(),
    st.just(NOW),
    unsigned(64, NOW),
)
SIDES: dict[str, st.SearchStrategy[Any]] = {
    "cpmm": cpmm_sides,
    "amm_v4": amm_v4_sides,
    "clmm": clmm_sides,
    "dlmm": dlmm_sides,
    "damm_v2": damm_v2_sides,
}
amounts = st.sampled_from((1, 10**6, 10**9, U64_MAX)) | st.integers(1, U64_MAX)
GOOD = CpmmSide(CpmmPool(2_500, 0, 0, 0, 10**15, 10**14, 0, 0, 0, 0, 0, 0, 0, False), zero_for_one=True)


def some(kind: str, **changes: Any) -> Side:
    """A healthy pool of the kind with changes."""
    side: Any = random_pool(Random(kind), kind).side
    changed: Side = replace(side, pool=replace(side.pool, **changes))
    return changed


def some_clmm(*ticks: ClmmTick, **changes: Any) -> Side:
    usual = {"liquidity": 10**12, "sqrt_price": sqrt_price_at_tick(0), "tick_current": 0, "trade_fee_rate": 2_500}
    return some("clmm", ticks=ticks, **(usual | changes))


FIXED_FEE = TimeSchedule(False, 2_500_000, 0, 0, 0)
VOLATILE = DammV2DynamicFee(True, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
DEAD = {
    "an empty CPMM": some("cpmm", vault_0=0, vault_1=0),
    "a CPMM with less in its vault than it owes in fees": some("cpmm", vault_1=1, protocol_fees_1=2),
    "a CPMM with fees above 100 %": some("cpmm", trade_fee_rate=1_000_001, creator_fee_on=2),
    "a CPMM whose creator takes more than all": some("cpmm", creator_fee_rate=1_000_001, creator_fee_on=2),
    "an empty AMM v4": some("amm_v4", coin_vault=0, pc_vault=0),
    "an AMM v4 that owes all it has": some("amm_v4", need_take_pnl_pc=U64_MAX),
    "an AMM v4 with a zero fee denominator": some("amm_v4", swap_fee_denominator=0),
    "a CLMM without a price": some_clmm(sqrt_price=0),
    "a CLMM whose price is not where its tick is": some_clmm(ClmmTick(-100, 10**12), tick_current=100),
    "a CLMM whose fee is all": some_clmm(ClmmTick(-100, 10**12), trade_fee_rate=1_000_000),
    "a CLMM whose liquidity runs below nothing": some_clmm(ClmmTick(-100, 10**13), liquidity=10**9),
    "a CLMM whose ticks are out of order": some_clmm(ClmmTick(-100, 0), ClmmTick(-200, 0), liquidity=10**9),
    "a CLMM with a tick that there is not": some_clmm(ClmmTick(MIN_TICK - 1, 0)),
    "a CLMM without ticks": some_clmm(),
    "an empty DLMM": some("dlmm", bins=DlmmBins([])),
    "a DLMM with a bin that there is not": some("dlmm", active_id=2**31 - 1),
    "a DLMM whose bin has no price": some("dlmm", active_id=0, bins=DlmmBins([DlmmBin(0, 10**9, 10**9, 0)])),
    "a DAMM v2 with all liquidity withdrawn": some("damm_v2", collect_fee_mode=0, liquidity=0),
    "a DAMM v2 out of its range": some("damm_v2", collect_fee_mode=0, sqrt_price=1 << 127),
    "a DAMM v2 without a price": some("damm_v2", collect_fee_mode=0, sqrt_price=0),
    "a compounding DAMM v2 with one side empty": some("damm_v2", collect_fee_mode=2, token_b_amount=0),
    "a DAMM v2 whose fee falls below nothing": some("damm_v2", base_fee=TimeSchedule(False, 1, 10, 1, 1)),
    "a DAMM v2 whose fee falls by more than all": some("damm_v2", base_fee=TimeSchedule(True, 1, 10, 1, 10_001)),
    "a DAMM v2 whose volatility has no bins": some("damm_v2", base_fee=FIXED_FEE, dynamic_fee=VOLATILE),
}


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_a_dead_pool_refuses_and_a_good_one_trades(dead: Side) -> None:
    with pytest.raises(SwapError):
        dead.quote(10**9)
    assert best_split([dead, GOOD], 10**9, max_legs=2, cost_per_leg=0).best == Split((Leg(1, GOOD.quote(10**9)),))


PRICELESS = (
    "a DAMM v2 without a price",
    "a CLMM without a price",
    "a CLMM whose fee is all",
    "a CPMM with fees above 100 %",
    "a CPMM whose creator takes more than all",
    "an AMM v4 with a zero fee denominator",
)


@pytest.mark.parametrize("dead", [DEAD[name] for name in PRICELESS], ids=PRICELESS)
def test_a_pool_without_a_price_or_with_a_fee_of_100_percent_has_no_rates(dead: Side) -> None:
    with pytest.raises(SwapError):
        dead.rates()


def test_a_quote_for_less_than_the_amount_is_refused() -> None:
    """The pool reaches its last price before the end of the amount."""
    side = some_clmm(ClmmTick(MIN_TICK, 10), liquidity=10)
    assert side.quote(10**9).amount_in == 10**9
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        side.quote(10**12)


def test_an_output_above_64_bits_is_refused() -> None:
    at_the_top = {"sqrt_price": 1 << 96, "sqrt_max_price": 1 << 96, "liquidity": 2**128 - 1}
    with pytest.raises(SwapError, match="math_overflow"):
        some("damm_v2", collect_fee_mode=0, **at_the_top).quote(U64_MAX)


def test_the_curve_of_a_pool_ends_after_as_many_fee_groups_as_a_swap_may_cross() -> None:
    """With one tick per group and a fee that goes on rising, there are hundreds of thousands of groups."""
    rising = DynamicFeeState(1, 0, 0, 0, 1, 2**32 - 1, 0, 0, 0, NOW)
    ticks = ClmmTick(MIN_TICK, 10**12), ClmmTick(MAX_TICK, -(10**12))
    for zero_for_one in (True, False):
        side = replace(some_clmm(*ticks, dynamic_fee=rising), zero_for_one=zero_for_one)  # type: ignore[type-var]
        assert sum(1 for _ in side.segments()) == MAX_STEPS + 1
        taken, _ = Curve(side.segments(), U64_MAX).at(NEVER)
        assert side.quote(taken).amount_out > 0
        with pytest.raises(SwapError, match="insufficient_liquidity"):
            side.quote(2 * taken)


@pytest.mark.untraced
@pytest.mark.parametrize("kind", SIDES)
@given(data=st.data())
def test_a_quote_is_consistent_or_a_typed_refusal(kind: str, data: st.DataObject) -> None:
    side: Side = data.draw(SIDES[kind])
    amount = data.draw(amounts)
    try:
        quote = side.quote(amount)
    except SwapError:
        return
    assert quote.amount_in == amount, "the quote is for another amount"
    assert 0 < quote.amount_out <= U64_MAX
    assert quote.fee >= 0
    assert 0 <= quote.net_in <= amount
    assert quote.gross_out >= quote.amount_out
    assert quote.spot > 0
    assert 0 <= quote.price_impact <= 1


@pytest.mark.untraced
@pytest.mark.parametrize("kind", SIDES)
@given(data=st.data())
def test_rates_are_valid_or_a_typed_refusal(kind: str, data: st.DataObject) -> None:
    side: Side = data.draw(SIDES[kind])
    try:
        spot, fee, *_ = side.rates()
    except SwapError:
        return
    assert spot > 0
    assert 0 <= fee <= 1


@pytest.mark.parametrize("kind", SIDES)
@given(data=st.data())
def test_a_curve_is_increasing_or_a_typed_refusal(kind: str, data: st.DataObject) -> None:
    side: Side = data.draw(SIDES[kind])
    try:
        for start, end, amount_in, _ in side.segments():
            assert 0 <= start <= end
            assert amount_in >= 0
    except SwapError:
        pass
    curve = Curve(side.segments(), data.draw(amounts))
    taken, paid = curve.at(NEVER)
    assert taken >= 0
    assert paid >= 0


@pytest.mark.untraced
@pytest.mark.parametrize("kind", SIDES)
@given(data=st.data())
def test_a_pool_in_any_state_does_not_block_a_good_pool(kind: str, data: st.DataObject) -> None:
    side: Side = data.draw(SIDES[kind])
    amount = data.draw(st.sampled_from((10**6, 10**9, 10**12)))
    sides = [side, GOOD] if data.draw(st.booleans()) else [GOOD, side]
    offers = best_split(sides, amount, max_legs=2, cost_per_leg=0)
    alone = GOOD.quote(amount)
    if offers.best is None:  # The outlier pays so much that a part of the amount receives more than the whole.
        assert offers.less is not None
        assert offers.less.amount_out > alone.amount_out
        return
    assert offers.best.amount_in == amount
    assert offers.best.amount_out >= alone.amount_out
