"""A Raydium CLMM pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from orderd.amm.curve import Segment, constant_price, inverse_sqrt, kept, s_at
from orderd.amm.fixed_point import Q64
from orderd.amm.side import Quote, Rates
from orderd.amm.stretch import Stretch
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.maths.dynamic_fee import FeeMeter
from orderd.pools.raydium_clmm.maths.limit_orders import OrderPrice
from orderd.pools.raydium_clmm.maths.step import FEE_RATE_DENOMINATOR


@dataclass(frozen=True)
class ClmmSide:
    """A Raydium CLMM pool at unix second ``now``: one segment per stretch between initialized ticks and groups of a
    dynamic fee, and one per tick with limit orders."""

    pool: clmm.ClmmPool
    zero_for_one: bool
    now: int

    @cached_property
    def _spot(self) -> Fraction:
        return clmm.spot_price(self.pool, zero_for_one=self.zero_for_one)

    def rates(self) -> Rates:
        fee = Fraction(self._meter().rate(), FEE_RATE_DENOMINATOR)
        if fee >= 1:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return Rates(self._spot, fee)

    def quote(self, amount_in: int) -> Quote:
        return self._as_quote(clmm.swap_exact_in(self.pool, amount_in, zero_for_one=self.zero_for_one, now=self.now))

    def quote_out(self, amount_out: int) -> Quote:
        swap = clmm.swap_exact_out(self.pool, amount_out, zero_for_one=self.zero_for_one, now=self.now)
        return self._as_quote(swap, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        """As many segments as one swap may use."""
        pool, zero_for_one, meter = self.pool, self.zero_for_one, self._meter()
        on_input = clmm.takes_fee_on_input(pool, zero_for_one)
        liquidity, sqrt_price, steps = pool.liquidity, clmm.sqrt_price_of(pool), 0
        for tick in clmm.ticks_ahead(pool, zero_for_one):
            target = clmm.sqrt_price_ahead(tick, sqrt_price, zero_for_one)
            while True:
                kept_all = kept(meter.rate(), FEE_RATE_DENOMINATOR)
                kept_in = kept_all if on_input else Q64
                reach = meter.reach(target, liquidity)
                scale = inverse_sqrt(kept_all)
                net = Stretch(liquidity << 64, sqrt_price, zero_for_one).amount_in(reach.sqrt_price)
                start, end = (s_at(price, scale, zero_for_one) for price in (sqrt_price, reach.sqrt_price))
                yield Segment(start, end, net * Q64 // kept_in, steps)
                sqrt_price = reach.sqrt_price
                steps += 1
                if steps > clmm.MAX_STEPS:  # a dynamic fee may have a group per tick
                    return
                if sqrt_price == target:
                    break
                meter.moved(reach.tick or 0, is_even=reach.is_even)
            if tick.orders.waiting:
                price = OrderPrice.at(target, zero_for_one=zero_for_one)
                amount_in = price.input(tick.orders.waiting) * Q64 // kept_in
                yield constant_price(price.numerator * kept_all, price.denominator << 64, amount_in, steps)
                steps += 1
            meter.moved(tick.tick, is_even=reach.is_even)
            if tick.has_liquidity:
                liquidity = clmm.liquidity_behind(tick, liquidity, zero_for_one)

    def _meter(self) -> FeeMeter:
        pool = self.pool
        tick, dynamic, now = pool.tick_current, pool.dynamic_fee, self.now
        return FeeMeter(pool.trade_fee_rate, dynamic, tick, now, zero_for_one=self.zero_for_one)

    def _as_quote(self, swap: clmm.ClmmSwap, *, exact_out: bool = False) -> Quote:
        if swap.partial_fill:  # the lowest or highest price is reached before the amount is used up
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            self._spot,
            swap.steps,
            exact_out,
        )
