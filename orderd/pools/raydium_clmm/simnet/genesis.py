"""Raydium CLMM's pools in the first block, both of wrapped SOL and USDC."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import isqrt
from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.amm.stretch import Stretch
from orderd.amm.tick_math import sqrt_price_at_tick, tick_at_sqrt_price
from orderd.domain.pool_kind import PoolKind
from orderd.pools.raydium_clmm.accounts import (
    TICKS_PER_ARRAY,
    AmmConfig,
    PoolState,
    RewardInfo,
    TickArrayBitmapExtension,
    TickArrayState,
    TickState,
)
from orderd.pools.raydium_clmm.addresses import (
    bitmap_extension_address,
    config_address,
    config_bump,
    observation_address,
    pool_address,
    pool_bump,
    tick_array_address,
    vault_address,
)
from orderd.pools.raydium_clmm.program import PROGRAM_ID
from orderd.pools.raydium_clmm.simnet.observation import ObservationState
from orderd.pools.raydium_clmm.tick_arrays import OWN, array_start
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import DECIMALS, USDC, FirstAccounts, FirstPool, integers, snapshot
from orderd.simnet.genesis.renewal import Renewals
from orderd.solana.programs import token

_4BPS_CONFIG: Final = 8
_25BPS_CONFIG: Final = 1
SOL_USDC_CLMM_4BPS: Final = pool_address(config_address(_4BPS_CONFIG), token.NATIVE_MINT, USDC)
"""The real pool, at its real address: 3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv."""
SOL_USDC_CLMM_25BPS: Final = pool_address(config_address(_25BPS_CONFIG), token.NATIVE_MINT, USDC)
_NO_REWARD: Final = RewardInfo(0, 0, 0, 0, 0, 0, 0, Pubkey.default(), Pubkey.default(), Pubkey.default(), 0)


def add(first: FirstAccounts, recorded: dict[str, Any], pool: Pubkey, config_index: int) -> None:
    """Add a pool from its snapshot, with its configuration, tick arrays, bitmap extension, vaults and observations.

    There are no ticks beyond the snapshot's: a swap that runs so far is refused.
    """
    mint_0, mint_1 = token.NATIVE_MINT, USDC
    given, rates = integers(recorded["pool_state"]), integers(recorded["amm_config"])
    spacing = rates["tick_spacing"]
    config = AmmConfig(
        bump=config_bump(config_index),
        index=config_index,
        owner=POOL_CREATOR.pubkey(),
        padding_1=0,
        fund_owner=POOL_CREATOR.pubkey(),
        **rates,
    )
    arrays = _tick_arrays(pool, recorded, spacing)
    state = PoolState(
        bump=0,
        amm_config=config_address(config_index),
        owner=POOL_CREATOR.pubkey(),
        mint_0=mint_0,
        mint_1=mint_1,
        vault_0=vault_address(pool, mint_0),
        vault_1=vault_address(pool, mint_1),
        observation=observation_address(pool),
        mint_0_decimals=DECIMALS[mint_0],
        mint_1_decimals=DECIMALS[mint_1],
        tick_spacing=spacing,
        liquidity=given["liquidity"],
        sqrt_price_x64=given["sqrt_price_x64"],
        tick_current=given["tick_current"],
        padding_1=0,
        fee_growth_global_0_x64=given["fee_growth_global_0_x64"],
        fee_growth_global_1_x64=given["fee_growth_global_1_x64"],
        protocol_fees_0=given["protocol_fees_token_0"],
        protocol_fees_1=given["protocol_fees_token_1"],
        counters_1=bytes(64),
        status=0,
        fee_on=0,
        padding_2=bytes(6),
        reward_0=_NO_REWARD,
        reward_1=_NO_REWARD,
        reward_2=_NO_REWARD,
        tick_array_bitmap=own_bitmap(arrays, spacing),
        counters_2=bytes(32),
        fund_fees_0=0,
        fund_fees_1=0,
        open_time=0,
        recent_epoch=0,
    )
    first.data(state.amm_config, PROGRAM_ID, config.encode())
    state = replace(state, bump=pool_bump(state))
    first.data(pool, PROGRAM_ID, state.encode())
    for start, array in arrays.items():
        first.data(tick_array_address(pool, start), PROGRAM_ID, array.encode())
    extension = TickArrayBitmapExtension(pool)
    first.data(bitmap_extension_address(pool), PROGRAM_ID, extension.encode())
    observations = ObservationState(0, 0, 0, pool)
    first.data(state.observation, PROGRAM_ID, observations.encode())
    first.tokens(pool, mint_0, given["token_0_vault_amount"], state.vault_0)
    first.tokens(pool, mint_1, given["token_1_vault_amount"], state.vault_1)


def _tick_arrays(pool: Pubkey, recorded: dict[str, Any], spacing: int) -> dict[int, TickArrayState]:
    """The tick arrays by their start index."""
    ticks: dict[int, list[TickState]] = {}
    for each in recorded["ticks"]:
        tick = TickState(**integers(each))
        ticks.setdefault(array_start(tick.tick, spacing), []).append(tick)
    arrays = {}
    for start, held in ticks.items():
        array = TickArrayState(pool, start, initialized_tick_count=len(held))
        for tick in held:
            array = array.with_tick(tick, spacing)
        arrays[start] = array
    return arrays


def own_bitmap(starts: Iterable[int], tick_spacing: int) -> int:
    """PoolState.tick_array_bitmap for arrays with these start indices, which must be within its range."""
    width = TICKS_PER_ARRAY * tick_spacing
    return sum(1 << start // width + OWN for start in set(starts))


def _sol_usdc(
    first: FirstAccounts, price: Fraction | None = None, *, name: str, pool: Pubkey, config_index: int
) -> None:
    """The pool at the snapshot's price, or at ``price``, in base units of USDC per lamport."""
    recorded = snapshot(PoolKind.RAYDIUM_CLMM, name)
    add(first, recorded if price is None else _at(price, recorded), pool, config_index)


def _at(price: Fraction, recorded: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with the same liquidity around another price: all ticks move by the same number.

    Only multiples of ``tick_spacing`` can hold liquidity, so the price may lie differently between two of them.
    """
    given, spacing = integers(recorded["pool_state"]), int(recorded["amm_config"]["tick_spacing"])
    sqrt_price = isqrt((price.numerator << 128) // price.denominator)
    tick = tick_at_sqrt_price(sqrt_price)
    moved = (tick - given["tick_current"] + spacing // 2) // spacing * spacing
    ticks = [integers(each) for each in recorded["ticks"]]
    ticks = [each | {"tick": each["tick"] + moved} for each in ticks]
    start, liquidity = given["tick_current"] + moved, given["liquidity"]
    for each in ticks:
        liquidity += each["liquidity_net"] * ((start < each["tick"] <= tick) - (tick < each["tick"] <= start))
    state = given | {"liquidity": liquidity, "sqrt_price_x64": sqrt_price, "tick_current": tick}
    for side, zero_for_one in enumerate((False, True)):
        fees = given[f"protocol_fees_token_{side}"]
        owed = _owed(liquidity, sqrt_price, tick, ticks, zero_for_one=zero_for_one)
        name = f"token_{side}_vault_amount"
        state[name] = max(given[name], owed + fees + 1)
    return recorded | {"pool_state": state, "ticks": ticks}


def _owed(liquidity: int, sqrt_price: int, tick: int, ticks: list[dict[str, int]], *, zero_for_one: bool) -> int:
    """The total output of the liquidity ahead in one direction."""
    owed = 0
    for each in reversed(ticks) if zero_for_one else ticks:
        if (each["tick"] <= tick) != zero_for_one:
            continue
        target = sqrt_price_at_tick(each["tick"])
        owed += Stretch(liquidity << 64, sqrt_price, zero_for_one).amount_out(target)
        liquidity += -each["liquidity_net"] if zero_for_one else each["liquidity_net"]
        sqrt_price = target
    return owed


sol_usdc_4bps: Final = partial(
    _sol_usdc, name="real_wsol_usdc_4bps", pool=SOL_USDC_CLMM_4BPS, config_index=_4BPS_CONFIG
)
sol_usdc_25bps: Final = partial(
    _sol_usdc, name="constructed_sol_usdc_25bps", pool=SOL_USDC_CLMM_25BPS, config_index=_25BPS_CONFIG
)

RENEWALS: Final[Renewals] = {
    AmmConfig: lambda config: replace(config, bump=config_bump(config.index)),
    PoolState: lambda state: replace(state, bump=pool_bump(state)),
}
POOLS: Final = (FirstPool(USDC, sol_usdc_4bps), FirstPool(USDC, sol_usdc_25bps))
