"""The state that the program writes to a Raydium CLMM pool's accounts after a swap."""

from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.pools.raydium_clmm.accounts import PoolState, RewardInfo, TickArrayState
from orderd.pools.raydium_clmm.maths.pool import ClmmPool, ClmmTick
from orderd.simnet.codec import replaced

_WRAP: Final = (1 << 128) - 1


def pool_after(state: PoolState, pool: ClmmPool, epoch: int) -> PoolState:
    """The pool's account after a swap; ``pool`` is the state after it. Balances are in the vaults. Rewards are not
    accrued."""
    dynamic = pool.dynamic_fee
    if dynamic is not None:
        fee = replace(
            state.dynamic_fee,
            group_reference=dynamic.group_reference,
            volatility_reference=dynamic.volatility_reference,
            accumulator=dynamic.accumulator,
            last_update=dynamic.last_update,
        )
        state = replace(state, dynamic_fee=fee)
    return replaced(
        state,
        liquidity=pool.liquidity,
        sqrt_price_x64=pool.sqrt_price,
        tick_current=pool.tick_current,
        fee_growth_global_0_x64=pool.fee_growth_global_0,
        fee_growth_global_1_x64=pool.fee_growth_global_1,
        protocol_fees_0=pool.protocol_fees_0,
        protocol_fees_1=pool.protocol_fees_1,
        fund_fees_0=pool.fund_fees_0,
        fund_fees_1=pool.fund_fees_1,
        recent_epoch=epoch,
    )


def crossed(
    array: TickArrayState, tick: int, state: PoolState, *, fee_growth_0: int, fee_growth_1: int, epoch: int
) -> TickArrayState:
    """The array after a swap crossed one of its ticks, at which the pool had these fee growths (Q64.64)."""
    before = array.tick(tick, state.tick_spacing)
    content = replace(
        before,
        fee_growth_outside_0_x64=fee_growth_0 - before.fee_growth_outside_0_x64 & _WRAP,
        fee_growth_outside_1_x64=fee_growth_1 - before.fee_growth_outside_1_x64 & _WRAP,
        reward_growth_outside_0_x64=_flipped(before.reward_growth_outside_0_x64, state.reward_0),
        reward_growth_outside_1_x64=_flipped(before.reward_growth_outside_1_x64, state.reward_1),
        reward_growth_outside_2_x64=_flipped(before.reward_growth_outside_2_x64, state.reward_2),
    )
    return replace(array.with_tick(content, state.tick_spacing), recent_epoch=epoch)


def filled(array: TickArrayState, tick: ClmmTick, state: PoolState, *, epoch: int) -> TickArrayState:
    """The array after a swap filled limit orders at one of its ticks; ``tick`` is the tick after the swap."""
    orders = tick.orders
    content = replace(
        array.tick(tick.tick, state.tick_spacing),
        order_phase=orders.phase,
        orders_amount=orders.untouched,
        part_filled_orders_remaining=orders.part_filled,
        unfilled_ratio_x64=orders.unfilled_ratio,
    )
    count = array.initialized_tick_count - (not tick.is_initialized)
    after = replace(array.with_tick(content, state.tick_spacing), initialized_tick_count=count)
    return replace(after, recent_epoch=epoch)


def _flipped(growth_outside: int, reward: RewardInfo) -> int:
    if reward.token_mint == Pubkey.default():
        return growth_outside
    return reward.reward_growth_global_x64 - growth_outside & _WRAP
