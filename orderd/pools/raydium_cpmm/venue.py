"""The venue of Raydium's CPMM pools."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.pools.raydium_cpmm.accounts import (
    AmmConfig,
    PoolState,
    PoolStatus,
)
from orderd.pools.raydium_cpmm.instructions import SwapBaseInput, SwapBaseOutput, swap
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool
from orderd.pools.raydium_cpmm.maths.side import CpmmSide
from orderd.pools.raydium_cpmm.program import PROGRAM
from orderd.solana.rpc import ChainAccount
from orderd.venues.account_facts import opening, token_amount
from orderd.venues.known_pools import KnownPool, PoolMoment, Trade
from orderd.venues.pool_layout import PoolLayout
from orderd.venues.pool_venue import PoolVenue


@dataclass(frozen=True, slots=True)
class CpmmAccounts:
    """A pool's account, and the pool for the maths."""

    address: Pubkey
    state: PoolState
    amm: CpmmPool


class RaydiumCpmm(PoolVenue[PoolState, CpmmAccounts]):
    """Each read fetches the pool's account, its fee configuration and both vaults in one request."""

    program = PROGRAM
    layout = PoolLayout(PoolState, mints=("mint_0", "mint_1"), vaults=("vault_0", "vault_1"), has_sorted_mints=True)
    size = 200
    size_shared = 64

    def _keys(self, known: KnownPool[PoolState]) -> list[Pubkey]:
        state = known.state
        return [known.address, state.amm_config, state.vault_0, state.vault_1]

    def _pool(self, known: KnownPool[PoolState], accounts: Mapping[Pubkey, ChainAccount | None]) -> CpmmAccounts:
        pool, config, vault_0, vault_1 = (accounts[key] for key in self._keys(known))
        if pool is None or config is None:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {known.address} no longer exists")
        state, rates = self._decode(pool), AmmConfig.decode(config.data)
        state.check_flags()
        return CpmmAccounts(known.address, state, state.to_pool(rates, token_amount(vault_0), token_amount(vault_1)))

    def _side(self, pool: CpmmAccounts, mint_in: str, now: PoolMoment) -> Side:
        state = pool.state
        if state.status & PoolStatus.SWAP_DISABLED:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} has swaps switched off")
        if not state.accepts_swaps(now.unix_time):
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {opening(state.open_time)}")
        return CpmmSide(pool.amm, zero_for_one=str(state.mint_0) == mint_in)

    def _swap(self, pool: CpmmAccounts, trade: Trade) -> Instruction:
        order = SwapBaseOutput if trade.exact_out else SwapBaseInput
        return swap(
            order(trade.amount_in, trade.amount_out),
            pool.address,
            pool.state,
            trade.owner,
            trade.source,
            trade.destination,
            zero_for_one=str(pool.state.mint_0) == trade.mint_in,
            program_id=self._program_id,
        )


VENUE: Final = RaydiumCpmm
