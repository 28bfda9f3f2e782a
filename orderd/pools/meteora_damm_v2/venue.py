"""The venue of Meteora's DAMM v2 pools."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.pools.meteora_damm_v2.accounts import (
    ActivationType,
    Pool,
    PoolStatus,
)
from orderd.pools.meteora_damm_v2.instructions import Swap2, SwapMode, swap
from orderd.pools.meteora_damm_v2.maths.pool import DammV2Pool
from orderd.pools.meteora_damm_v2.maths.side import DammV2Side
from orderd.pools.meteora_damm_v2.program import PROGRAM
from orderd.solana.rpc import ChainAccount
from orderd.venues.known_pools import KnownPool, PoolMoment, Trade
from orderd.venues.pool_layout import PoolLayout
from orderd.venues.pool_venue import PoolVenue


@dataclass(frozen=True, slots=True)
class DammV2Accounts:
    """A pool's account, and the pool for the maths."""

    address: Pubkey
    state: Pool
    amm: DammV2Pool


class MeteoraDammV2(PoolVenue[Pool, DammV2Accounts]):
    """A quote needs only the pool's own account."""

    program = PROGRAM
    layout = PoolLayout(Pool, mints=("token_a_mint", "token_b_mint"), vaults=("token_a_vault", "token_b_vault"))
    size = 138
    size_shared = 96

    def _keys(self, known: KnownPool[Pool]) -> list[Pubkey]:
        return [known.address]

    def _pool(self, known: KnownPool[Pool], accounts: Mapping[Pubkey, ChainAccount | None]) -> DammV2Accounts:
        account = accounts[known.address]
        if account is None:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {known.address} no longer exists")
        state = self._decode(account)
        return DammV2Accounts(known.address, state, state.to_pool())

    def _side(self, pool: DammV2Accounts, mint_in: str, now: PoolMoment) -> Side:
        state = pool.state
        if state.pool_status != PoolStatus.ENABLED:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} is switched off")
        if not state.accepts_swaps(slot=now.slot, unix_time=now.unix_time):
            unit = "slot" if state.activation_type == ActivationType.SLOT else "unix second"
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {unit} {state.activation_point}")
        point = state.point(slot=now.slot, unix_time=now.unix_time)
        return DammV2Side(pool.amm, a_to_b=str(state.token_a_mint) == mint_in, now=now.unix_time, point=point)

    def _swap(self, pool: DammV2Accounts, trade: Trade) -> Instruction:
        order = Swap2(trade.amount_in, trade.amount_out)
        if trade.exact_out:
            order = Swap2(trade.amount_out, trade.amount_in, SwapMode.EXACT_OUT)
        return swap(order, pool.address, pool.state, trade.owner, trade.source, trade.destination)


VENUE: Final = MeteoraDammV2
