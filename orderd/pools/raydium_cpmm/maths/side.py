"""A Raydium CPMM pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from orderd.amm.curve import Segment, constant_product, kept
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.pools.raydium_cpmm.maths import pool as cpmm


@dataclass(frozen=True)
class CpmmSide:
    """A Raydium CPMM pool: one segment."""

    pool: cpmm.CpmmPool
    zero_for_one: bool

    @cached_property
    def _spot(self) -> Fraction:
        return cpmm.spot_price(self.pool, zero_for_one=self.zero_for_one)

    def rates(self) -> Rates:
        creator_rate, on_input = cpmm.creator_fee_rate(self.pool, self.zero_for_one)
        trade, creator = (
            Fraction(rate, cpmm.FEE_RATE_DENOMINATOR) for rate in (self.pool.trade_fee_rate, creator_rate)
        )
        # A creator fee on the output is taken from what the trade fee has left.
        fee = trade + (creator if on_input else creator * (1 - trade))
        if max(trade, creator, fee) >= 1:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return Rates(self._spot, fee)

    def quote(self, amount_in: int) -> Quote:
        return self._as_quote(cpmm.swap_exact_in(self.pool, amount_in, zero_for_one=self.zero_for_one))

    def quote_out(self, amount_out: int) -> Quote:
        swap = cpmm.swap_exact_out(self.pool, amount_out, zero_for_one=self.zero_for_one)
        return self._as_quote(swap, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        pool, zero_for_one = self.pool, self.zero_for_one
        reserve_in, reserve_out = cpmm.reserves(pool, zero_for_one)
        creator_rate, on_input = cpmm.creator_fee_rate(pool, zero_for_one)
        rate_in = pool.trade_fee_rate + (creator_rate if on_input else 0)
        rate_out = 0 if on_input else creator_rate
        capacity = U64_MAX - (pool.vault_0 if zero_for_one else pool.vault_1)
        kept_in, kept_out = (kept(rate, cpmm.FEE_RATE_DENOMINATOR) for rate in (rate_in, rate_out))
        yield constant_product(reserve_in, reserve_out, kept_in, kept_out, capacity)

    def _as_quote(self, swap: cpmm.CpmmSwap, *, exact_out: bool = False) -> Quote:
        fee = swap.trade_fee + swap.creator_fee
        if not swap.creator_fee_on_input:  # converted to the input at the swap's own price, rounded up
            fee = swap.trade_fee + ceil_div(swap.creator_fee * swap.net_in, swap.gross_out)
        return Quote(
            swap.amount_in,
            swap.amount_out,
            fee,
            True,
            swap.net_in,
            swap.gross_out,
            self._spot,
            exact_out=exact_out,
        )
