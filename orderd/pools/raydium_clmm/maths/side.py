"""A Raydium CLMM pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from orderd.amm.curve import Segment, inverse_sqrt, kept, s_at
from orderd.amm.fixed_point import Q64
from orderd.amm.side import Quote, Rates
from orderd.amm.stretch import Stretch
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.maths.step import FEE_RATE_DENOMINATOR


@dataclass(frozen=True, slots=True)
class ClmmSide:
    """Raydium CLMM: a segment for each stretch between initialised ticks."""

    pool: clmm.ClmmPool
    zero_for_one: bool

    def rates(self) -> Rates:
        fee = Fraction(self.pool.trade_fee_rate, FEE_RATE_DENOMINATOR)
        if fee >= 1:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return Rates(clmm.spot_price(self.pool, zero_for_one=self.zero_for_one), fee)

    def quote(self, amount_in: int) -> Quote:
        return self._told(clmm.swap_exact_in(self.pool, amount_in, zero_for_one=self.zero_for_one))

    def quote_out(self, amount_out: int) -> Quote:
        swap = clmm.swap_exact_out(self.pool, amount_out, zero_for_one=self.zero_for_one)
        return self._told(swap, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        pool, zero_for_one = self.pool, self.zero_for_one
        kept_all = kept(pool.trade_fee_rate, FEE_RATE_DENOMINATOR)
        kept_in = kept_all if clmm.takes_fee_on_input(pool, zero_for_one) else Q64
        scale = inverse_sqrt(kept_all)
        liquidity, sqrt_price = pool.liquidity, clmm.sqrt_price_of(pool)
        for crossed, tick in enumerate(clmm.ticks_ahead(pool, zero_for_one)):
            target = clmm.sqrt_price_ahead(tick, sqrt_price, zero_for_one)
            net = Stretch(liquidity << 64, sqrt_price, zero_for_one).amount_in(target)
            start, end = (s_at(price, scale, zero_for_one) for price in (sqrt_price, target))
            yield Segment(start, end, net * Q64 // kept_in, crossed)
            liquidity = clmm.liquidity_behind(tick, liquidity, zero_for_one)
            sqrt_price = target

    def _told(self, swap: clmm.ClmmSwap, *, exact_out: bool = False) -> Quote:
        if swap.partial_fill:  # The last price that there is comes before the end of the amount.
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            clmm.spot_price(self.pool, zero_for_one=self.zero_for_one),
            swap.ticks_crossed,
            exact_out,
        )
