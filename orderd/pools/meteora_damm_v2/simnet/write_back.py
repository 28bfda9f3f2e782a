"""The state that the program writes to a Meteora DAMM v2 pool's account after a swap."""

from dataclasses import replace

from orderd.pools.meteora_damm_v2.accounts import LAYOUT_WITH_BALANCES, Pool
from orderd.pools.meteora_damm_v2.maths.pool import DammV2Swap


def pool_after(pool: Pool, swap: DammV2Swap, *, a_to_b: bool) -> Pool:
    """The account after the swap."""
    end, metrics = swap.pool, pool.metrics
    in_a = swap.fee_on_input == a_to_b
    growth = (swap.claiming_fee << 128) // pool.liquidity
    if in_a:
        lp_fee, protocol_fee = metrics.total_lp_a_fee, metrics.total_protocol_a_fee
        metrics = replace(
            metrics,
            total_lp_a_fee=lp_fee + swap.claiming_fee,
            total_protocol_a_fee=protocol_fee + swap.protocol_fee,
        )
    else:
        lp_fee, protocol_fee = metrics.total_lp_b_fee, metrics.total_protocol_b_fee
        metrics = replace(
            metrics,
            total_lp_b_fee=lp_fee + swap.claiming_fee,
            total_protocol_b_fee=protocol_fee + swap.protocol_fee,
        )
    dynamic_fee = replace(
        pool.fees.dynamic_fee,
        last_update_timestamp=end.dynamic_fee.last_update_timestamp,
        sqrt_price_reference=end.dynamic_fee.sqrt_price_reference,
        volatility_accumulator=end.dynamic_fee.volatility_accumulator,
        volatility_reference=end.dynamic_fee.volatility_reference,
    )
    return replace(
        pool,
        fees=replace(pool.fees, dynamic_fee=dynamic_fee),
        sqrt_price=end.sqrt_price,
        protocol_a_fee=end.protocol_a_fee,
        protocol_b_fee=end.protocol_b_fee,
        fee_a_per_liquidity=pool.fee_a_per_liquidity + (growth if in_a else 0),
        fee_b_per_liquidity=pool.fee_b_per_liquidity + (0 if in_a else growth),
        metrics=metrics,
        token_a_amount=end.token_a_amount,
        token_b_amount=end.token_b_amount,
        layout_version=LAYOUT_WITH_BALANCES,
    )
