"""The state that the program writes to a Raydium CPMM pool's account after a swap."""

from dataclasses import replace

from orderd.pools.raydium_cpmm.accounts import PoolState
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool


def pool_after(state: PoolState, pool: CpmmPool, epoch: int) -> PoolState:
    """The pool's account after a swap; ``pool`` is the state after it. Balances are in the vaults."""
    return replace(
        state,
        protocol_fees_0=pool.protocol_fees_0,
        protocol_fees_1=pool.protocol_fees_1,
        fund_fees_0=pool.fund_fees_0,
        fund_fees_1=pool.fund_fees_1,
        creator_fees_0=pool.creator_fees_0,
        creator_fees_1=pool.creator_fees_1,
        recent_epoch=epoch,
    )
