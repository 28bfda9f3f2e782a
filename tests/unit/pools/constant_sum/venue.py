"""The venue of the imaginary kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.rpc import ChainAccount
from orderd.venues.account_facts import token_amount
from orderd.venues.known_pools import KnownPool, PoolMoment, Trade
from orderd.venues.pool_layout import PoolLayout
from orderd.venues.pool_venue import PoolVenue

from .accounts import PoolState
from .instructions import Swap, SwapOut, swap
from .maths.pool import ConstantSumPool
from .maths.side import ConstantSumSide
from .program import PROGRAM


@dataclass(frozen=True, slots=True)
class ConstantSumAccounts:
    address: Pubkey
    state: PoolState
    amm: ConstantSumPool


class ConstantSum(PoolVenue[PoolState, ConstantSumAccounts]):
    program = PROGRAM
    layout = PoolLayout(PoolState, mints=("mint_a", "mint_b"), vaults=("vault_a", "vault_b"))
    size = 100
    size_shared = 32

    def _keys(self, known: KnownPool[PoolState]) -> list[Pubkey]:
        return [known.address, known.state.vault_a, known.state.vault_b]

    def _pool(self, known: KnownPool[PoolState], accounts: Mapping[Pubkey, ChainAccount | None]) -> ConstantSumAccounts:
        pool, vault_a, vault_b = (accounts[key] for key in self._keys(known))
        assert pool is not None
        state = self._decode(pool)
        return ConstantSumAccounts(known.address, state, state.to_pool(token_amount(vault_a), token_amount(vault_b)))

    def _side(self, pool: ConstantSumAccounts, mint_in: str, now: PoolMoment) -> Side:
        if pool.state.is_closed:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} is switched off")
        return ConstantSumSide(pool.amm, a_to_b=str(pool.state.mint_a) == mint_in)

    def _swap(self, pool: ConstantSumAccounts, trade: Trade) -> Instruction:
        order = (SwapOut if trade.exact_out else Swap)(trade.amount_in, trade.amount_out)
        a_to_b = str(pool.state.mint_a) == trade.mint_in
        return swap(order, pool.address, pool.state, trade.owner, trade.source, trade.destination, a_to_b=a_to_b)


VENUE: Final = ConstantSum
