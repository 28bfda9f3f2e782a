"""A Meteora DLMM pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from orderd.amm.curve import Segment, constant_price
from orderd.amm.fixed_point import Q64
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.amm.volatility import FEE_PRECISION, fee_on_top
from orderd.pools.meteora_dlmm.maths import pool as dlmm


@dataclass(frozen=True)
class DlmmSide:
    """A Meteora DLMM pool at unix second ``now``: one segment per bin with an output in this direction."""

    pool: dlmm.DlmmPool
    swap_for_y: bool
    now: int

    @cached_property
    def _spot(self) -> Fraction:
        return dlmm.spot_price(self.pool, swap_for_y=self.swap_for_y)

    def rates(self) -> Rates:
        walk = dlmm.Walk(self.pool, self.swap_for_y, self.now)
        if not any(walk.enter(each) for each in self.pool.bins.walk(self.pool.active_id, downwards=self.swap_for_y)):
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        fee = Fraction(walk.fee_rate, FEE_PRECISION)
        return Rates(self._spot, fee)

    def quote(self, amount_in: int) -> Quote:
        return self._as_quote(dlmm.swap_exact_in(self.pool, amount_in, swap_for_y=self.swap_for_y, now=self.now))

    def quote_out(self, amount_out: int) -> Quote:
        swap = dlmm.swap_exact_out(self.pool, amount_out, swap_for_y=self.swap_for_y, now=self.now)
        return self._as_quote(swap, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        walk, swap_for_y = dlmm.Walk(self.pool, self.swap_for_y, self.now), self.swap_for_y
        for each in self.pool.bins.walk(self.pool.active_id, downwards=swap_for_y):
            if not walk.enter(each):
                continue
            net = each.amount_in_for(
                each.available(swap_for_y=swap_for_y, limit_orders=walk.limit_orders), swap_for_y=swap_for_y
            )
            amount_in = net + fee_on_top(net, walk.fee_rate) if walk.fee_on_input else net
            price, one = (each.price, Q64) if swap_for_y else (Q64, each.price)
            steps = abs(each.bin_id - self.pool.active_id)
            yield constant_price(price * (FEE_PRECISION - walk.fee_rate), one * FEE_PRECISION, amount_in, steps)

    def _as_quote(self, swap: dlmm.DlmmSwap, *, exact_out: bool = False) -> Quote:
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            self._spot,
            abs(swap.end_bin_id - swap.start_bin_id),
            exact_out,
        )
