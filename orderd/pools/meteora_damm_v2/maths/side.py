"""A Meteora DAMM v2 pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from orderd.amm.curve import Segment, constant_product, inverse_sqrt, kept, s_at
from orderd.amm.fixed_point import Q64
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import U64_MAX
from orderd.amm.volatility import FEE_PRECISION
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2


@dataclass(frozen=True, slots=True)
class DammV2Side:
    """Meteora DAMM v2 at unix second `now` and activation point `point`: one segment, up to the end of its range."""

    pool: damm_v2.DammV2Pool
    a_to_b: bool
    now: int
    point: int

    def rates(self) -> Rates:
        fee = Fraction(damm_v2.fee_rate(self.pool, self.point), FEE_PRECISION)
        return Rates(damm_v2.spot_price(self.pool, a_to_b=self.a_to_b), fee)

    def quote(self, amount_in: int) -> Quote:
        swap = damm_v2.swap_exact_in(self.pool, amount_in, a_to_b=self.a_to_b, now=self.now, point=self.point)
        return self._told(swap)

    def quote_out(self, amount_out: int) -> Quote:
        swap = damm_v2.swap_exact_out(self.pool, amount_out, a_to_b=self.a_to_b, now=self.now, point=self.point)
        return self._told(swap, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        pool, a_to_b = self.pool, self.a_to_b
        kept_all = kept(damm_v2.fee_rate(pool, self.point), FEE_PRECISION)
        on_input = damm_v2.takes_fee_on_input(pool, a_to_b)
        kept_in, kept_out = (kept_all, Q64) if on_input else (Q64, kept_all)
        if pool.collect_fee_mode == damm_v2.COLLECT_FEE_COMPOUNDING:
            reserve_in, reserve_out = damm_v2.reserves(pool, a_to_b)
            yield constant_product(reserve_in, reserve_out, kept_in, kept_out, U64_MAX - reserve_in)
        else:
            end = pool.sqrt_min_price if a_to_b else pool.sqrt_max_price
            # What moves the price to the end is rounded up and would move it beyond, where the program refuses.
            net = max(damm_v2.stretch_of(pool, a_to_b).amount_in(end) - 1, 0)
            scale = inverse_sqrt(kept_all)
            yield Segment(s_at(pool.sqrt_price, scale, a_to_b), s_at(end, scale, a_to_b), net * Q64 // kept_in)

    def _told(self, swap: damm_v2.DammV2Swap, *, exact_out: bool = False) -> Quote:
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            damm_v2.spot_price(self.pool, a_to_b=self.a_to_b),
            exact_out=exact_out,
        )
