"""A Meteora DAMM v2 pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from orderd.amm.curve import Segment, constant_product, inverse_sqrt, kept, s_at
from orderd.amm.fixed_point import Q64
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import U64_MAX
from orderd.amm.volatility import FEE_PRECISION, fee_in
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2


@dataclass(frozen=True)
class DammV2Side:
    """A Meteora DAMM v2 pool at unix second ``now`` and activation point ``point``: one segment up to the end of its
    range."""

    pool: damm_v2.DammV2Pool
    a_to_b: bool
    now: int
    point: int

    @cached_property
    def _spot(self) -> Fraction:
        return damm_v2.spot_price(self.pool, a_to_b=self.a_to_b)

    def rates(self) -> Rates:
        fee = Fraction(damm_v2.rate_of_gross(self.pool, 0, self.a_to_b, self.point), FEE_PRECISION)
        return Rates(self._spot, fee)

    def quote(self, amount_in: int) -> Quote:
        swap = damm_v2.swap_exact_in(self.pool, amount_in, a_to_b=self.a_to_b, now=self.now, point=self.point)
        return self._as_quote(swap)

    def quote_out(self, amount_out: int) -> Quote:
        """If a rate limiter applies, the program has to solve for the rate, which counts as one step."""
        swap = damm_v2.swap_exact_out(self.pool, amount_out, a_to_b=self.a_to_b, now=self.now, point=self.point)
        is_limited = damm_v2.is_rate_limited(self.pool, a_to_b=self.a_to_b, point=self.point)
        return self._as_quote(swap, exact_out=True, steps=int(is_limited))

    def segments(self) -> Iterator[Segment]:
        """One segment; with a rate limiter, one per part of the input with its own rate."""
        pool, a_to_b = self.pool, self.a_to_b
        on_input = damm_v2.takes_fee_on_input(pool, a_to_b)
        rates, part = damm_v2.marginal_rates(pool, a_to_b, self.point)
        taken = 0
        for rate in rates[:-1]:
            whole = self._segment(rate, on_input, taken)
            if whole.amount_in <= part:
                yield whole
                return
            yield Segment(whole.start, whole.start + (whole.end - whole.start) * part // whole.amount_in, part)
            taken += part - fee_in(part, rate) if on_input else part
        yield self._segment(rates[-1], on_input, taken)

    def _segment(self, rate: int, on_input: bool, taken: int) -> Segment:
        """The segment at one fee rate from where the pool is after an input of ``taken`` (without fees), up to its
        end."""
        pool, a_to_b, kept_all = self.pool, self.a_to_b, kept(rate, FEE_PRECISION)
        kept_in, kept_out = (kept_all, Q64) if on_input else (Q64, kept_all)
        if pool.collect_fee_mode == damm_v2.COLLECT_FEE_COMPOUNDING:
            reserve_in, reserve_out = damm_v2.reserves(pool, a_to_b)
            reserve_out -= reserve_out * taken // (reserve_in + taken)
            reserve_in += taken
            return constant_product(reserve_in, reserve_out, kept_in, kept_out, U64_MAX - reserve_in)
        stretch = damm_v2.stretch_of(pool, a_to_b)
        end = pool.sqrt_min_price if a_to_b else pool.sqrt_max_price
        # The input to the end is rounded up and would move the price beyond it, which the program refuses.
        net = max(stretch.amount_in(end) - 1 - taken, 0)
        scale = inverse_sqrt(kept_all)
        start = stretch.after_input(taken) if taken else pool.sqrt_price
        return Segment(s_at(start, scale, a_to_b), s_at(end, scale, a_to_b), net * Q64 // kept_in)

    def _as_quote(self, swap: damm_v2.DammV2Swap, *, exact_out: bool = False, steps: int = 0) -> Quote:
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            self._spot,
            steps,
            exact_out,
        )
