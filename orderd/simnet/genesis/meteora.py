"""Meteora's pools in the first block, from their snapshots."""

from dataclasses import replace
from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_damm_v2.program import BaseFee, DynamicFee, Pool, PoolFees, PoolMetrics
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.meteora_dlmm.bitmap import array_index, internal_bitmap
from orderd.pools.meteora_dlmm.maths.pool import DlmmBin
from orderd.pools.meteora_dlmm.program import Bin, BinArray, LbPair, Oracle, StaticParameters, VariableParameters
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import FirstAccounts, integers

_ORACLE_OBSERVATIONS: Final = 100


def dlmm(
    first: FirstAccounts,
    snapshot: dict[str, Any],
    mint_x: Pubkey,
    mint_y: Pubkey,
    pair: Pubkey,
    *,
    quiet_since: int | None = None,
) -> None:
    """A pair with its bin arrays, reserves and oracle.

    Its volatility counts from unix second `quiet_since`, or from when the snapshot was taken.
    """
    program = meteora_dlmm.PROGRAM_ID
    parameters, volatility = integers(snapshot["parameters"]), integers(snapshot["v_parameters"])
    if quiet_since is not None:
        volatility["last_update_timestamp"] = quiet_since
    bin_step = int(snapshot["bin_step"])
    bins = {int(each["bin_id"]): _bin(integers(each)) for each in snapshot["bins"]}
    indices = sorted({array_index(bin_id) for bin_id in bins})
    state = LbPair(
        parameters=StaticParameters(**parameters),
        v_parameters=VariableParameters(padding=bytes(4), **volatility),
        bump_seed=255,
        bin_step_seed=bin_step,
        pair_type=int(snapshot["pair_type"]),
        active_id=int(snapshot["active_id"]),
        bin_step=bin_step,
        status=int(snapshot["status"]),
        require_base_factor_seed=0,
        base_factor_seed=parameters["base_factor"],
        activation_type=0,
        creator_pool_on_off_control=0,
        mint_x=mint_x,
        mint_y=mint_y,
        reserve_x=meteora_dlmm.reserve_address(pair, mint_x),
        reserve_y=meteora_dlmm.reserve_address(pair, mint_y),
        protocol_fee_x=int(snapshot["protocol_fee"]["amount_x"]),
        protocol_fee_y=int(snapshot["protocol_fee"]["amount_y"]),
        padding_1=bytes(32),
        reward_0=meteora_dlmm.NO_REWARD,
        reward_1=meteora_dlmm.NO_REWARD,
        oracle=meteora_dlmm.oracle_address(pair),
        bin_array_bitmap=internal_bitmap(indices),
        last_updated_at=first.time,
        padding_2=bytes(32),
        pre_activation_swap_address=Pubkey.default(),
        base_key=Pubkey.default(),
        activation_point=0,
        pre_activation_duration=0,
        padding_3=bytes(8),
        padding_4=0,
        creator=POOL_CREATOR.pubkey(),
        token_x_program_flag=0,
        token_y_program_flag=0,
        version=meteora_dlmm.PAIR_VERSION,
    )
    first.data(pair, program, state.encode())
    liquid: list[DlmmBin] = []
    for index in indices:
        array = BinArray(index, meteora_dlmm.BIN_ARRAY_VERSION, bytes(7), pair)
        content = b"".join(
            bins.get(array.first_bin_id + position, Bin()).encode() for position in range(meteora_dlmm.BINS_AN_ARRAY)
        )
        array = replace(array, bins=content)
        liquid += array.liquid_bins(bin_step)
        first.data(meteora_dlmm.bin_array_address(pair, index), program, array.encode())
    oracle = Oracle(0, 0, _ORACLE_OBSERVATIONS, bytes(32 * _ORACLE_OBSERVATIONS))
    first.data(state.oracle, program, oracle.encode())
    x, y = (sum(each.available(swap_for_y=gives_y, limit_orders=True) for each in liquid) for gives_y in (False, True))
    first.tokens(pair, mint_x, x + state.protocol_fee_x, state.reserve_x)
    first.tokens(pair, mint_y, y + state.protocol_fee_y, state.reserve_y)


def _bin(content: dict[str, int]) -> Bin:
    """A bin with its liquidity and, where the snapshot has one, an open limit order."""
    x, y, price = content["amount_x"], content["amount_y"], content["price"]
    return Bin(
        x,
        y,
        price,
        liquidity_supply=x * price + (y << 64),
        open_order_amount=content.get("open_order_amount", 0),
        limit_order_ask_side=content.get("limit_order_ask_side", 0),
    )


def damm_v2(
    first: FirstAccounts, snapshot: dict[str, Any], mint_a: Pubkey, mint_b: Pubkey, pool: Pubkey, *, quiet_since: int
) -> None:
    """A pool with its vaults; its volatility counts from unix second `quiet_since`."""
    dynamic = integers(snapshot["dynamic_fee"]) | {"last_update_timestamp": quiet_since}
    base = integers(snapshot["base_fee"])
    fees = PoolFees(
        base_fee=BaseFee(padding_0=bytes(5), **base),
        protocol_fee_percent=int(snapshot["protocol_fee_percent"]),
        padding_0=0,
        referral_fee_percent=int(snapshot["referral_fee_percent"]),
        padding_1=bytes(3),
        compounding_fee_bps=int(snapshot["compounding_fee_bps"]),
        dynamic_fee=DynamicFee(padding=bytes(7), **dynamic),
        init_sqrt_price=int(snapshot["init_sqrt_price"]),
    )
    vault_a, vault_b = meteora_damm_v2.vault_address(pool, mint_a), meteora_damm_v2.vault_address(pool, mint_b)
    state = Pool(
        fees=fees,
        token_a_mint=mint_a,
        token_b_mint=mint_b,
        token_a_vault=vault_a,
        token_b_vault=vault_b,
        whitelisted_vault=Pubkey.default(),
        padding_0=bytes(32),
        liquidity=int(snapshot["liquidity"]),
        padding_1=0,
        protocol_a_fee=int(snapshot["protocol_a_fee"]),
        protocol_b_fee=int(snapshot["protocol_b_fee"]),
        dead_liquidity_fee_checkpoint=0,
        padding_2=0,
        sqrt_min_price=int(snapshot["sqrt_min_price"]),
        sqrt_max_price=int(snapshot["sqrt_max_price"]),
        sqrt_price=int(snapshot["sqrt_price"]),
        activation_point=int(snapshot["activation_point"]),
        activation_type=int(snapshot["activation_type"]),
        pool_status=int(snapshot["pool_status"]),
        token_a_flag=0,
        token_b_flag=0,
        collect_fee_mode=int(snapshot["collect_fee_mode"]),
        pool_type=int(snapshot["pool_type"]),
        fee_version=int(snapshot["fee_version"]),
        padding_3=0,
        fee_a_per_liquidity=0,
        fee_b_per_liquidity=0,
        permanent_lock_liquidity=0,
        metrics=PoolMetrics(0, 0, 0, 0, bytes(16), 1, 0),
        creator=POOL_CREATOR.pubkey(),
        token_a_amount=int(snapshot["token_a_amount"]),
        token_b_amount=int(snapshot["token_b_amount"]),
        layout_version=int(snapshot["layout_version"]),
        padding_4=bytes(31),
    )
    first.data(pool, meteora_damm_v2.PROGRAM_ID, state.encode())
    authority = meteora_damm_v2.POOL_AUTHORITY_ADDRESS
    first.tokens(authority, mint_a, state.token_a_amount + state.protocol_a_fee, vault_a)
    first.tokens(authority, mint_b, state.token_b_amount + state.protocol_b_fee, vault_b)
