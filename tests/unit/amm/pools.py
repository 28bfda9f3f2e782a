"""Random pools of every kind around one price, as sides that sell token 0 (coin, x, a) for token 1."""

from dataclasses import dataclass
from math import isqrt, log
from random import Random

from orderd.amm.side import Side
from orderd.amm.tick_math import sqrt_price_at_tick, tick_at_sqrt_price
from orderd.pools.meteora_damm_v2.maths.base_fee import TimeSchedule
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
from orderd.pools.raydium_clmm.maths.pool import ClmmPool, ClmmTick
from orderd.pools.raydium_clmm.maths.side import ClmmSide
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool
from orderd.pools.raydium_cpmm.maths.side import CpmmSide

NOW = 1_786_000_000
ONE = 1 << 64


@dataclass(frozen=True)
class Sample:
    """A pool, and its approximate reserve of the sold token within a few percent of the price."""

    side: Side
    depth: int


def random_pool(random: Random, kind: str, price: float = 0.1) -> Sample:
    """A pool of ``kind`` within half a percent of ``price``, often much closer.

    The depth varies by a factor of 1,000.
    """
    at = price * (1 + random.choice((0.1, 1)) * random.uniform(-0.005, 0.005))
    depth = int(10 ** random.uniform(11, 14))
    return Sample(_MAKERS[kind](random, at, depth), depth)


def reverse(side: Side) -> Side:
    """The same pool in the other direction."""
    match side:
        case CpmmSide(pool, zero_for_one):
            return CpmmSide(pool, not zero_for_one)
        case AmmV4Side(pool, coin_to_pc):
            return AmmV4Side(pool, not coin_to_pc)
        case ClmmSide(pool, zero_for_one, now):
            return ClmmSide(pool, not zero_for_one, now)
        case DlmmSide(pool, swap_for_y, now):
            return DlmmSide(pool, not swap_for_y, now)
        case DammV2Side(pool, a_to_b, now, point):
            return DammV2Side(pool, not a_to_b, now, point)
    raise TypeError(side)


def cpmm(random: Random, price: float, depth: int) -> Side:
    pool = CpmmPool(
        trade_fee_rate=random.choice((100, 500, 2_500, 10_000)),
        protocol_fee_rate=120_000,
        fund_fee_rate=40_000,
        creator_fee_rate=random.choice((0, 0, 500)),
        vault_0=depth,
        vault_1=int(depth * price),
        protocol_fees_0=0,
        protocol_fees_1=0,
        fund_fees_0=0,
        fund_fees_1=0,
        creator_fees_0=0,
        creator_fees_1=0,
        creator_fee_on=random.randrange(3),
        enable_creator_fee=True,
    )
    return CpmmSide(pool, zero_for_one=True)


def amm_v4(random: Random, price: float, depth: int) -> Side:
    return AmmV4Side(AmmV4Pool(6, 25, 10_000, 7, 11, depth, int(depth * price), 0, 0), coin_to_pc=True)


def clmm(random: Random, price: float, depth: int) -> Side:
    """Positions of different widths around the price, and a wide one so that the liquidity has no end."""
    sqrt_price = isqrt(int(price * 2**60) << 68)
    tick = tick_at_sqrt_price(sqrt_price)
    net: dict[int, int] = {}
    liquidity = 0
    widths = [30_000, *(int(10 ** random.uniform(1.5, 3.5)) for _ in range(random.randrange(1, 40)))]
    for width in widths:
        shift = random.randint(-width // 2, width // 2) if width < 30_000 else 0
        lower, upper = tick + shift - width, tick + shift + width + 1
        share = depth // len(widths)
        amount = share * sqrt_price // ONE * 10_000 // min(width, 10_000)
        net[lower] = net.get(lower, 0) + amount
        net[upper] = net.get(upper, 0) - amount
        liquidity += amount if lower <= tick < upper else 0
    pool = ClmmPool(
        trade_fee_rate=random.choice((100, 400, 2_500)),
        protocol_fee_rate=120_000,
        fund_fee_rate=40_000,
        fee_on=random.randrange(3),
        liquidity=liquidity,
        sqrt_price=sqrt_price,
        tick_current=tick,
        fee_growth_global_0=0,
        fee_growth_global_1=0,
        protocol_fees_0=0,
        protocol_fees_1=0,
        fund_fees_0=0,
        fund_fees_1=0,
        ticks=tuple(ClmmTick(each, net[each]) for each in sorted(net)),
    )
    return ClmmSide(pool, zero_for_one=True, now=NOW)


def dlmm(random: Random, price: float, depth: int) -> Side:
    """60 bins on either side with uneven content; some have limit orders, and some pools were recently volatile."""
    bin_step = random.choice((2, 4, 10, 20))
    active = round(log(price) / log(1 + bin_step / 10_000))
    bins = []
    for bin_id in range(active - 60, active + 61):
        amount = int(depth / 60 * random.uniform(0.2, 1.8))
        bin_price = price_from_bin_id(bin_step, bin_id)
        order = amount // 5 if bin_id != active and random.random() < 0.2 else 0
        if bin_id < active:
            order = order * bin_price // ONE
        bins.append(
            DlmmBin(
                bin_id,
                amount if bin_id >= active else 0,
                amount * bin_price // ONE if bin_id <= active else 0,
                bin_price,
                open_order_amount=order,
                total_processing_order_amount=order,
                processed_order_remaining_amount=order // 3,
                limit_order_ask_side=bin_id > active,
            )
        )
    pool = DlmmPool(
        parameters=DlmmParameters(
            base_factor=random.choice((5_000, 10_000)),
            base_fee_power_factor=0,
            filter_period=30,
            decay_period=600,
            reduction_factor=5_000,
            variable_fee_control=random.choice((0, 40_000, 120_000)),
            max_volatility_accumulator=350_000,
            protocol_share=500,
            function_type=2,
            collect_fee_mode=random.randrange(2),
        ),
        volatility=DlmmVolatility(random.choice((0, 60_000)), 0, active + random.randint(-3, 3), NOW - 60),
        active_id=active,
        bin_step=bin_step,
        protocol_fee_x=0,
        protocol_fee_y=0,
        has_reward=False,
        bins=DlmmBins(bins),
    )
    return DlmmSide(pool, swap_for_y=True, now=NOW)


def damm_v2(random: Random, price: float, depth: int) -> Side:
    sqrt_price = isqrt(int(price * 2**60) << 68)
    mode = random.randrange(3)
    pool = DammV2Pool(
        base_fee=TimeSchedule(False, random.choice((1_000_000, 2_500_000)), 0, 0, 0),
        dynamic_fee=DammV2DynamicFee(False, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        protocol_fee_percent=20,
        compounding_fee_bps=5_000 if mode == 2 else 0,
        collect_fee_mode=mode,
        fee_version=0,
        activation_point=0,
        liquidity=depth * sqrt_price,
        sqrt_min_price=sqrt_price_at_tick(-100_000),
        sqrt_max_price=sqrt_price_at_tick(100_000),
        sqrt_price=sqrt_price,
        token_a_amount=depth,
        token_b_amount=int(depth * price),
        protocol_a_fee=0,
        protocol_b_fee=0,
    )
    return DammV2Side(pool, a_to_b=True, now=NOW, point=NOW)


_MAKERS = {"cpmm": cpmm, "amm_v4": amm_v4, "clmm": clmm, "dlmm": dlmm, "damm_v2": damm_v2}
KINDS = tuple(_MAKERS)
