"""The pool of the imaginary kind, for simnet's market."""

from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.simnet.codec import decoded
from orderd.simnet.genesis.accounts import SOL
from orderd.simnet.market_pools import Read, TradedPool, accounts_of, held

from ..accounts import PoolState
from ..instructions import Swap, swap
from .genesis import SOL_USDC, sol_usdc


@dataclass(frozen=True, slots=True)
class ConstantSumMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        state = self._state()
        return state.numerator / state.denominator

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        state = self._state()
        pool = state.to_pool(held(self.read, state.vault_a), held(self.read, state.vault_b))
        return pool.swap_exact_in(amount_in, a_to_b=sells_sol)

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order, accounts = Swap(amount_in, minimum_out), accounts_of(trader, sells_sol=sells_sol)
        return swap(order, self.address, self._state(), trader, *accounts, a_to_b=sells_sol)

    def _state(self) -> PoolState:
        return decoded(PoolState, self.read(self.address).data)


PLACES: Final = (TradedPool(SOL_USDC, ConstantSumMarketPool, 1, 6 * SOL, sol_usdc),)
