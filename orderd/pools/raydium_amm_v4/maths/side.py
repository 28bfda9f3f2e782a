"""A Raydium AMM v4 pool in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from orderd.amm.curve import Segment, constant_product, kept
from orderd.amm.fixed_point import Q64
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import U64_MAX
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4


@dataclass(frozen=True)
class AmmV4Side:
    """A Raydium AMM v4 pool: one segment."""

    pool: amm_v4.AmmV4Pool
    coin_to_pc: bool

    @cached_property
    def _spot(self) -> Fraction:
        return amm_v4.spot_price(self.pool, coin_to_pc=self.coin_to_pc)

    def rates(self) -> Rates:
        return Rates(self._spot, amm_v4.fee_rate(self.pool))

    def quote(self, amount_in: int) -> Quote:
        return self._as_quote(amm_v4.swap_exact_in(self.pool, amount_in, coin_to_pc=self.coin_to_pc))

    def quote_out(self, amount_out: int) -> Quote:
        swap = amm_v4.swap_exact_out(self.pool, amount_out, coin_to_pc=self.coin_to_pc)
        return self._as_quote(swap, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        pool, coin_to_pc = self.pool, self.coin_to_pc
        reserve_in, reserve_out = amm_v4.reserves(pool, coin_to_pc)
        kept_in = kept(pool.swap_fee_numerator, pool.swap_fee_denominator)
        vault_in, vault_out = pool.coin_vault, pool.pc_vault
        if not coin_to_pc:
            vault_in, vault_out = vault_out, vault_in
        capacity = U64_MAX - vault_in
        if vault_out < reserve_out:  # The rest of the reserve is on the order book, where swaps cannot use it.
            net = reserve_in * vault_out // (reserve_out - vault_out)
            capacity = min(capacity, net * Q64 // kept_in)
        yield constant_product(reserve_in, reserve_out, kept_in, Q64, capacity)

    def _as_quote(self, swap: amm_v4.AmmV4Swap, *, exact_out: bool = False) -> Quote:
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            True,
            swap.net_in,
            swap.gross_out,
            self._spot,
            exact_out=exact_out,
        )
