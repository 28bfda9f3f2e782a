"""Raydium AMM v4's SOL/USDC pools for the simulated market."""

from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4.accounts import AmmInfo
from orderd.pools.raydium_amm_v4.instructions import SwapBaseInV2, swap
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4, sol_usdc
from orderd.simnet.codec import decoded
from orderd.simnet.genesis.accounts import SOL
from orderd.simnet.market_pools import Read, TradedPool, accounts_of, held


@dataclass(frozen=True, slots=True)
class AmmV4MarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(amm_v4.spot_price(self._pool(), coin_to_pc=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:  # noqa: ARG002  (no clock in this kind)
        return amm_v4.swap_exact_in(self._pool(), amount_in, coin_to_pc=sells_sol).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order = SwapBaseInV2(amount_in, minimum_out)
        accounts = accounts_of(trader, sells_sol=sells_sol)
        return swap(order, self.address, self._state(), trader, *accounts)

    def _state(self) -> AmmInfo:
        return decoded(AmmInfo, self.read(self.address).data)

    def _pool(self) -> amm_v4.AmmV4Pool:
        state = self._state()
        return state.to_pool(held(self.read, state.coin_vault), held(self.read, state.pc_vault))


PLACES: Final = (TradedPool(SOL_USDC_AMM_V4, AmmV4MarketPool, 1, 6 * SOL, sol_usdc),)
