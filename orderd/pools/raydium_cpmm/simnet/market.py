"""Raydium CPMM's SOL/USDC pools for the simulated market."""

from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_cpmm.accounts import AmmConfig, PoolState
from orderd.pools.raydium_cpmm.instructions import SwapBaseInput, swap
from orderd.pools.raydium_cpmm.maths import pool as cpmm
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM, sol_usdc
from orderd.simnet.codec import decoded
from orderd.simnet.genesis.accounts import SOL
from orderd.simnet.market_pools import Read, TradedPool, accounts_of, held


@dataclass(frozen=True, slots=True)
class CpmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(cpmm.spot_price(self._pool(), zero_for_one=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:  # noqa: ARG002  (no clock in this kind)
        return cpmm.swap_exact_in(self._pool(), amount_in, zero_for_one=sells_sol).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order = SwapBaseInput(amount_in, minimum_out)
        accounts = accounts_of(trader, sells_sol=sells_sol)
        return swap(order, self.address, self._state(), trader, *accounts, zero_for_one=sells_sol)

    def _state(self) -> PoolState:
        return decoded(PoolState, self.read(self.address).data)

    def _pool(self) -> cpmm.CpmmPool:
        state = self._state()
        config = decoded(AmmConfig, self.read(state.amm_config).data)
        return state.to_pool(config, held(self.read, state.vault_0), held(self.read, state.vault_1))


PLACES: Final = (TradedPool(SOL_USDC_CPMM, CpmmMarketPool, 6, 6 * SOL, sol_usdc),)
