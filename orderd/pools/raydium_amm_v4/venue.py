"""The venue of Raydium's AMM v4 pools: constant product, without their former order book."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.pools.raydium_amm_v4.accounts import AmmInfo
from orderd.pools.raydium_amm_v4.instructions import SwapBaseInV2, SwapBaseOutV2, swap
from orderd.pools.raydium_amm_v4.maths.pool import AmmV4Pool
from orderd.pools.raydium_amm_v4.maths.side import AmmV4Side
from orderd.pools.raydium_amm_v4.program import PROGRAM
from orderd.solana.programs.unsupported import UnsupportedPoolError
from orderd.solana.rpc import ChainAccount
from orderd.venues.account_facts import opening, token_amount
from orderd.venues.known_pools import KnownPool, PoolMoment, Trade
from orderd.venues.pool_layout import PoolLayout
from orderd.venues.pool_venue import PoolVenue


@dataclass(frozen=True, slots=True)
class AmmV4Accounts:
    """A pool's account, and the pool for the maths."""

    address: Pubkey
    state: AmmInfo
    amm: AmmV4Pool


class RaydiumAmmV4(PoolVenue[AmmInfo, AmmV4Accounts]):
    """Each read fetches the pool's account and both vaults in one request."""

    program = PROGRAM
    layout = PoolLayout(AmmInfo, mints=("coin_mint", "pc_mint"), vaults=("coin_vault", "pc_vault"))
    size = 124
    size_shared = 64

    def _keys(self, known: KnownPool[AmmInfo]) -> list[Pubkey]:
        return [known.address, known.state.coin_vault, known.state.pc_vault]

    def _pool(self, known: KnownPool[AmmInfo], accounts: Mapping[Pubkey, ChainAccount | None]) -> AmmV4Accounts:
        amm, coin_vault, pc_vault = (accounts[key] for key in self._keys(known))
        if amm is None:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {known.address} no longer exists")
        state = self._decode(amm)
        try:
            pool = state.to_pool(token_amount(coin_vault), token_amount(pc_vault))
        except UnsupportedPoolError as error:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {known.address} is switched off: {error}") from error
        return AmmV4Accounts(known.address, state, pool)

    def _side(self, pool: AmmV4Accounts, mint_in: str, now: PoolMoment) -> Side:
        state = pool.state
        if not state.accepts_swaps(now.unix_time):
            opens = opening(state.state_data.pool_open_time)
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {opens}")
        return AmmV4Side(pool.amm, coin_to_pc=str(state.coin_mint) == mint_in)

    def _swap(self, pool: AmmV4Accounts, trade: Trade) -> Instruction:
        order = SwapBaseOutV2 if trade.exact_out else SwapBaseInV2
        amounts = order(trade.amount_in, trade.amount_out)
        return swap(
            amounts, pool.address, pool.state, trade.owner, trade.source, trade.destination, program_id=self._program_id
        )


VENUE: Final = RaydiumAmmV4
