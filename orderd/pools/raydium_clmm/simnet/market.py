"""Raydium CLMM's SOL/USDC pools for the simulated market."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_clmm.accounts import AmmConfig, PoolState
from orderd.pools.raydium_clmm.addresses import tick_array_address
from orderd.pools.raydium_clmm.instructions import SwapV2, swap
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.simnet.arrays import pool_of
from orderd.pools.raydium_clmm.simnet.genesis import (
    SOL_USDC_CLMM_4BPS,
    SOL_USDC_CLMM_25BPS,
    sol_usdc_4bps,
    sol_usdc_25bps,
)
from orderd.pools.raydium_clmm.tick_arrays import arrays_in_order
from orderd.simnet.codec import decoded
from orderd.simnet.genesis.accounts import SOL
from orderd.simnet.market_pools import ARRAYS_PER_SWAP, Read, TradedPool, accounts_of, squared


@dataclass(frozen=True, slots=True)
class ClmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return squared(self._state().sqrt_price_x64)

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        state = self._state()
        config = decoded(AmmConfig, self.read(state.amm_config).data)
        addresses = (tick_array_address(self.address, each) for each in _ticks(state, sells_sol=sells_sol))
        pool = pool_of(state, config, (self.read(address).data for address in addresses))
        return clmm.swap_exact_in(pool, amount_in, zero_for_one=sells_sol, now=now).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        state = self._state()
        return swap(
            SwapV2(amount_in, minimum_out),
            self.address,
            state,
            trader,
            *accounts_of(trader, sells_sol=sells_sol),
            zero_for_one=sells_sol,
            tick_arrays=_ticks(state, sells_sol=sells_sol),
            names_bitmap_extension=False,
        )

    def _state(self) -> PoolState:
        return decoded(PoolState, self.read(self.address).data)


def _ticks(state: PoolState, *, sells_sol: bool) -> list[int]:
    """The start indices of the next tick arrays in this direction."""
    return list(islice(arrays_in_order(state, None, zero_for_one=sells_sol), ARRAYS_PER_SWAP))


PLACES: Final = (
    TradedPool(SOL_USDC_CLMM_4BPS, ClmmMarketPool, 6, 40 * SOL, sol_usdc_4bps),
    TradedPool(SOL_USDC_CLMM_25BPS, ClmmMarketPool, 1, 6 * SOL, sol_usdc_25bps),
)
