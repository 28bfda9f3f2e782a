"""The accounts of a CLMM pool of the reference vectors: state, configuration and tick arrays."""

from typing import Any

from solders.pubkey import Pubkey

from orderd.pools.raydium_clmm import accounts as clmm
from orderd.pools.raydium_clmm.program import PROGRAM_ID
from orderd.pools.raydium_clmm.simnet.genesis import own_bitmap
from orderd.pools.raydium_clmm.tick_arrays import array_start
from tests.unit.solana.records import blank, key

_SEEDS = [b"pool", *map(bytes, (key(5), key(1), key(2)))]  # of the configuration and the mints below
POOL, BUMP = Pubkey.find_program_address(_SEEDS, PROGRAM_ID)


def config_of(pool: dict[str, Any]) -> clmm.AmmConfig:
    return blank(clmm.AmmConfig, **pool["amm_config"])


def arrays_of(pool: dict[str, Any]) -> dict[int, clmm.TickArrayState]:
    """The tick arrays, by their start index."""
    spacing = pool["amm_config"]["tick_spacing"]
    arrays: dict[int, clmm.TickArrayState] = {}
    for tick in pool["ticks"]:
        start = array_start(tick["tick"], spacing)
        array = arrays.get(start) or clmm.TickArrayState(POOL, start)
        arrays[start] = array.with_tick(clmm.TickState(**tick), spacing)
    return arrays


def state_of(pool: dict[str, Any], **fields: Any) -> clmm.PoolState:
    given, spacing = pool["pool_state"], pool["amm_config"]["tick_spacing"]
    return blank(
        clmm.PoolState,
        bump=BUMP,
        mint_0=key(1),
        mint_1=key(2),
        vault_0=key(3),
        vault_1=key(4),
        amm_config=key(5),
        observation=key(6),
        mint_0_decimals=given["mint_decimals_0"],
        mint_1_decimals=given["mint_decimals_1"],
        tick_spacing=spacing,
        liquidity=given["liquidity"],
        sqrt_price_x64=given["sqrt_price_x64"],
        tick_current=given["tick_current"],
        fee_growth_global_0_x64=given["fee_growth_global_0_x64"],
        fee_growth_global_1_x64=given["fee_growth_global_1_x64"],
        protocol_fees_0=given["protocol_fees_token_0"],
        protocol_fees_1=given["protocol_fees_token_1"],
        tick_array_bitmap=own_bitmap(arrays_of(pool), spacing),
        **fields,
    )
