"""Raydium's pools in the first block, each of wrapped SOL and another token."""

from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_amm_v4.program import AmmInfo, Fees, StateData
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_clmm.program import RewardInfo, TickArrayBitmapExtension, TickArrayState, TickState
from orderd.pools.raydium_clmm.tick_arrays import array_start, own_bitmap
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import DECIMALS, FirstAccounts, integers
from orderd.solana.programs import token
from orderd.solana.programs.token import Mint

_CREATE_POOL_FEE: Final = 150_000_000
_LP_DECIMALS: Final = 9
_LP_SUPPLY: Final = 10**12
_NO_REWARD: Final = RewardInfo(0, 0, 0, 0, 0, 0, 0, Pubkey.default(), Pubkey.default(), Pubkey.default(), 0)


def cpmm_sol_usdc(
    first: FirstAccounts, pool: Pubkey, config_index: int, usdc: Pubkey, lamports: int, held: int
) -> None:
    """A made-up pool with `lamports` and `held` base units of USDC.

    Its fee of 0.05 % is near what the DLMM pools take, so that the price decides which of them wins.
    """
    rates = {"trade_fee_rate": 500, "protocol_fee_rate": 120_000, "fund_fee_rate": 40_000, "creator_fee_rate": 0}
    _cpmm(first, pool, config_index, rates, usdc, (lamports, held), {})


def cpmm(first: FirstAccounts, snapshot: dict[str, Any], pool: Pubkey, mint_1: Pubkey) -> None:
    """A pool from its snapshot."""
    state = snapshot["pool_state"]
    fees = {
        f"{kind}_fees_{side}": int(state[f"{kind}_fees_token_{side}"])
        for kind in ("protocol", "fund", "creator")
        for side in (0, 1)
    }
    held = int(state["token_0_vault_amount"]), int(state["token_1_vault_amount"])
    _cpmm(first, pool, 0, integers(snapshot["amm_config"]), mint_1, held, fees)


def _cpmm(
    first: FirstAccounts,
    pool: Pubkey,
    config_index: int,
    rates: dict[str, Any],
    mint_1: Pubkey,
    held: tuple[int, int],
    fees: dict[str, Any],
) -> None:
    """A pool with its configuration, vaults and observations."""
    program = raydium_cpmm.PROGRAM_ID
    authority, bump = raydium_cpmm.authority_address()
    mint_0 = token.NATIVE_MINT
    no_fees: dict[str, Any] = {f"{kind}_fees_{side}": 0 for kind in ("protocol", "fund", "creator") for side in (0, 1)}
    config = raydium_cpmm.AmmConfig(
        bump=255,
        disable_create_pool=0,
        index=config_index,
        create_pool_fee=_CREATE_POOL_FEE,
        protocol_owner=POOL_CREATOR.pubkey(),
        fund_owner=POOL_CREATOR.pubkey(),
        **rates,
    )
    state = raydium_cpmm.PoolState(
        amm_config=raydium_cpmm.config_address(config_index),
        pool_creator=POOL_CREATOR.pubkey(),
        vault_0=raydium_cpmm.vault_address(pool, mint_0),
        vault_1=raydium_cpmm.vault_address(pool, mint_1),
        lp_mint=raydium_cpmm.lp_mint_address(pool),
        mint_0=mint_0,
        mint_1=mint_1,
        token_0_program=token.PROGRAM_ID,
        token_1_program=token.PROGRAM_ID,
        observation=raydium_cpmm.observation_address(pool),
        auth_bump=bump,
        status=0,
        lp_mint_decimals=_LP_DECIMALS,
        mint_0_decimals=DECIMALS[mint_0],
        mint_1_decimals=DECIMALS[mint_1],
        lp_supply=_LP_SUPPLY,
        open_time=0,
        recent_epoch=0,
        creator_fee_on=0,
        enable_creator_fee=0,
        padding_1=bytes(6),
        **(no_fees | fees),
    )
    first.data(state.amm_config, program, config.encode())
    first.data(pool, program, state.encode())
    first.data(state.observation, program, raydium_cpmm.ObservationState(0, 0, pool).encode())
    first.mint(state.lp_mint, Mint.new(_LP_DECIMALS, supply=_LP_SUPPLY, authority=authority))
    first.tokens(authority, mint_0, held[0], state.vault_0)
    first.tokens(authority, mint_1, held[1], state.vault_1)


def clmm(first: FirstAccounts, snapshot: dict[str, Any], pool: Pubkey, config_index: int, mint_1: Pubkey) -> None:
    """A pool with its configuration, tick arrays, bitmap extension, vaults and observations.

    What lies beyond the snapshot's ticks is not there: a swap that runs so far is refused.
    """
    program, mint_0 = raydium_clmm.PROGRAM_ID, token.NATIVE_MINT
    given, rates = integers(snapshot["pool_state"]), integers(snapshot["amm_config"])
    spacing = rates["tick_spacing"]
    config = raydium_clmm.AmmConfig(
        bump=255,
        index=config_index,
        owner=POOL_CREATOR.pubkey(),
        padding_1=0,
        fund_owner=POOL_CREATOR.pubkey(),
        **rates,
    )
    arrays = _tick_arrays(pool, snapshot, spacing)
    state = raydium_clmm.PoolState(
        bump=255,
        amm_config=raydium_clmm.config_address(config_index),
        owner=POOL_CREATOR.pubkey(),
        mint_0=mint_0,
        mint_1=mint_1,
        vault_0=raydium_clmm.vault_address(pool, mint_0),
        vault_1=raydium_clmm.vault_address(pool, mint_1),
        observation=raydium_clmm.observation_address(pool),
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
    first.data(state.amm_config, program, config.encode())
    first.data(pool, program, state.encode())
    for start, array in arrays.items():
        first.data(raydium_clmm.tick_array_address(pool, start), program, array.encode())
    extension = TickArrayBitmapExtension(pool)
    first.data(raydium_clmm.bitmap_extension_address(pool), program, extension.encode())
    observations = raydium_clmm.ObservationState(0, 0, 0, pool)
    first.data(state.observation, program, observations.encode())
    first.tokens(pool, mint_0, given["token_0_vault_amount"], state.vault_0)
    first.tokens(pool, mint_1, given["token_1_vault_amount"], state.vault_1)


def _tick_arrays(pool: Pubkey, snapshot: dict[str, Any], spacing: int) -> dict[int, TickArrayState]:
    """The tick arrays by their start index."""
    ticks: dict[int, list[TickState]] = {}
    for each in snapshot["ticks"]:
        tick = TickState(**integers(each))
        ticks.setdefault(array_start(tick.tick, spacing), []).append(tick)
    arrays = {}
    for start, held in ticks.items():
        array = TickArrayState(pool, start, initialized_tick_count=len(held))
        for tick in held:
            array = array.with_tick(tick, spacing)
        arrays[start] = array
    return arrays


def amm_v4(first: FirstAccounts, snapshot: dict[str, Any], pool: Pubkey, mint_pc: Pubkey) -> None:
    """A pool with its vaults. Of the order book it once traded on there is nothing but the addresses."""
    key = {name: Pubkey.from_string(address) for name, address in snapshot["addresses"].items()}
    authority, nonce = raydium_amm_v4.authority_address()
    fee = int(snapshot["swap_fee_numerator"]), int(snapshot["swap_fee_denominator"])
    state_data = StateData(
        need_take_pnl_coin=int(snapshot["need_take_pnl_coin"]),
        need_take_pnl_pc=int(snapshot["need_take_pnl_pc"]),
        total_pnl_pc=0,
        total_pnl_coin=0,
        pool_open_time=0,
        padding=bytes(16),
        orderbook_to_init_time=0,
        swap_coin_in_amount=0,
        swap_pc_out_amount=0,
        swap_acc_pc_fee=0,
        swap_pc_in_amount=0,
        swap_coin_out_amount=0,
        swap_acc_coin_fee=0,
    )
    state = AmmInfo(
        status=int(snapshot["status"]),
        nonce=nonce,
        order_num=0,
        depth=0,
        coin_decimals=int(snapshot["coin_decimals"]),
        pc_decimals=int(snapshot["pc_decimals"]),
        state=0,
        reset_flag=0,
        min_size=0,
        vol_max_cut_ratio=0,
        amount_wave=0,
        coin_lot_size=0,
        pc_lot_size=0,
        min_price_multiplier=0,
        max_price_multiplier=0,
        sys_decimal_value=0,
        fees=Fees(5, 10_000, *fee, 12, 100, *fee),
        state_data=state_data,
        coin_mint=token.NATIVE_MINT,
        pc_mint=mint_pc,
        padding_1=bytes(64),
        amm_owner=POOL_CREATOR.pubkey(),
        lp_amount=_LP_SUPPLY,
        client_order_id=0,
        recent_epoch=0,
        padding_2=0,
        **key,
    )
    first.data(pool, raydium_amm_v4.PROGRAM_ID, state.encode())
    first.mint(state.lp_mint, Mint.new(_LP_DECIMALS, supply=_LP_SUPPLY, authority=authority))
    first.tokens(authority, token.NATIVE_MINT, int(snapshot["coin_vault_amount"]), state.coin_vault)
    first.tokens(authority, mint_pc, int(snapshot["pc_vault_amount"]), state.pc_vault)
