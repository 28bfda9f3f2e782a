"""Meteora DAMM v2's SOL/USDC pools for the simulated market."""

from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2.accounts import Pool
from orderd.pools.meteora_damm_v2.instructions import Swap2, swap
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_damm_v2.simnet.genesis import SOL_USDC_DAMM_V2, sol_usdc
from orderd.simnet.codec import decoded
from orderd.simnet.genesis.accounts import SOL
from orderd.simnet.market_pools import Read, TradedPool, accounts_of, squared


@dataclass(frozen=True, slots=True)
class DammV2MarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return squared(self._state().sqrt_price)

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        pool = self._state().to_pool()
        return damm_v2.swap_exact_in(pool, amount_in, a_to_b=sells_sol, now=now, point=now).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order = Swap2(amount_in, minimum_out)
        accounts = accounts_of(trader, sells_sol=sells_sol)
        return swap(order, self.address, self._state(), trader, *accounts)

    def _state(self) -> Pool:
        return decoded(Pool, self.read(self.address).data)


PLACES: Final = (TradedPool(SOL_USDC_DAMM_V2, DammV2MarketPool, 1, 2 * SOL, sol_usdc),)
