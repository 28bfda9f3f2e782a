"""Meteora DLMM's pools in the first block, from their snapshots."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.amm.fixed_point import Q64
from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_dlmm.accounts import LbPair, RewardInfo, StaticParameters, VariableParameters
from orderd.pools.meteora_dlmm.addresses import (
    bin_array_address,
    bump_of,
    oracle_address,
    pair_address,
    reserve_address,
)
from orderd.pools.meteora_dlmm.bin_array import BINS_PER_ARRAY, Bin, BinArray
from orderd.pools.meteora_dlmm.bitmap import INTERNAL, array_index
from orderd.pools.meteora_dlmm.maths.bin import DlmmBin, price_from_bin_id
from orderd.pools.meteora_dlmm.program import PROGRAM_ID
from orderd.pools.meteora_dlmm.simnet.oracle import Oracle
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import CHILLGUY, USDC, FirstAccounts, FirstPool, integers, snapshot
from orderd.simnet.genesis.renewal import Renewals
from orderd.solana.programs import token

REAL_DLMM_PAIR: Final = Pubkey.from_string("EtAdVRLFH22rjWh3mcUasKFF27WtHhsaCvK27tPFFWig")
SOL_USDC_BS4: Final = pair_address(token.NATIVE_MINT, USDC, 4, 10_000)
SOL_USDC_BS10: Final = pair_address(token.NATIVE_MINT, USDC, 10, 10_000)

PAIR_VERSION: Final = 1
BIN_ARRAY_VERSION: Final = 2
"""The versions on mainnet. They do not affect swaps: limit orders are filled in bin arrays of any version."""

NO_REWARD: Final = RewardInfo(Pubkey.default(), Pubkey.default(), Pubkey.default(), 0, 0, 0, 0, 0)
_ORACLE_OBSERVATIONS: Final = 100


def _sol_usdc(first: FirstAccounts, price: Fraction | None = None, *, name: str, pair: Pubkey) -> None:
    """The pool at the snapshot's price, or in the bin nearest to ``price``, in base units of USDC per lamport."""
    recorded = snapshot(PoolKind.METEORA_DLMM, f"constructed_sol_usdc_{name}")
    moved = recorded if price is None else _at(price, recorded)
    add(first, moved, token.NATIVE_MINT, USDC, pair, quiet_since=first.time)


def _at(price: Fraction, recorded: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with all bins moved to another price."""
    bin_step, active_id = int(recorded["bin_step"]), int(recorded["active_id"])
    moved = _nearest_bin(price, bin_step, recorded["parameters"]) - active_id
    bins = [
        each | {"bin_id": bin_id, "price": price_from_bin_id(bin_step, bin_id)}
        for each in recorded["bins"]
        for bin_id in [int(each["bin_id"]) + moved]
    ]
    reference = int(recorded["v_parameters"]["index_reference"]) + moved
    volatility = recorded["v_parameters"] | {"index_reference": reference}
    return recorded | {"active_id": active_id + moved, "bins": bins, "v_parameters": volatility}


def _nearest_bin(price: Fraction, bin_step: int, limits: dict[str, Any]) -> int:
    """The bin with the nearest price."""
    wanted = price.numerator * Q64 // price.denominator
    ids = range(int(limits["min_bin_id"]), int(limits["max_bin_id"]) + 1)
    above = ids[bisect_left(ids, wanted, key=partial(price_from_bin_id, bin_step))]
    return min(above, above - 1, key=lambda each: abs(price_from_bin_id(bin_step, each) - wanted))


def _real(first: FirstAccounts) -> None:
    recorded = snapshot(PoolKind.METEORA_DLMM, "real_chillguy_sol")
    add(first, recorded, CHILLGUY, token.NATIVE_MINT, REAL_DLMM_PAIR)


def add(
    first: FirstAccounts,
    recorded: dict[str, Any],
    mint_x: Pubkey,
    mint_y: Pubkey,
    pair: Pubkey,
    *,
    quiet_since: int | None = None,
) -> None:
    """Add a pair with its bin arrays, reserves and oracle.

    Its volatility counts from unix second ``quiet_since``, or from the snapshot's time.
    """
    parameters, volatility = integers(recorded["parameters"]), integers(recorded["v_parameters"])
    if quiet_since is not None:
        volatility["last_update_timestamp"] = quiet_since
    bin_step = int(recorded["bin_step"])
    bins = {int(each["bin_id"]): _bin(integers(each)) for each in recorded["bins"]}
    indices = sorted({array_index(bin_id) for bin_id in bins})
    state = LbPair(
        parameters=StaticParameters(**parameters),
        v_parameters=VariableParameters(padding=bytes(4), **volatility),
        bump_seed=0,
        bin_step_seed=bin_step,
        pair_type=int(recorded["pair_type"]),
        active_id=int(recorded["active_id"]),
        bin_step=bin_step,
        status=int(recorded["status"]),
        require_base_factor_seed=1,
        base_factor_seed=parameters["base_factor"],
        activation_type=0,
        creator_pool_on_off_control=0,
        mint_x=mint_x,
        mint_y=mint_y,
        reserve_x=reserve_address(pair, mint_x),
        reserve_y=reserve_address(pair, mint_y),
        protocol_fee_x=int(recorded["protocol_fee"]["amount_x"]),
        protocol_fee_y=int(recorded["protocol_fee"]["amount_y"]),
        padding_1=bytes(32),
        reward_0=NO_REWARD,
        reward_1=NO_REWARD,
        oracle=oracle_address(pair),
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
        version=PAIR_VERSION,
    )
    state = replace(state, bump_seed=bump_of(state))
    first.data(pair, PROGRAM_ID, state.encode())
    liquid: list[DlmmBin] = []
    for index in indices:
        array = BinArray(index, BIN_ARRAY_VERSION, bytes(7), pair)
        content = b"".join(
            bins.get(array.first_bin_id + position, Bin()).encode() for position in range(BINS_PER_ARRAY)
        )
        array = replace(array, bins=content)
        liquid += array.liquid_bins(bin_step)
        first.data(bin_array_address(pair, index), PROGRAM_ID, array.encode())
    first.data(state.oracle, PROGRAM_ID, Oracle.new(_ORACLE_OBSERVATIONS).encode())
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


def internal_bitmap(indices: Iterable[int]) -> int:
    """LbPair.bin_array_bitmap for these arrays, each within -512..511."""
    return sum(1 << (index + INTERNAL) for index in set(indices))


sol_usdc_bs4: Final = partial(_sol_usdc, name="bs4", pair=SOL_USDC_BS4)
sol_usdc_bs10: Final = partial(_sol_usdc, name="bs10", pair=SOL_USDC_BS10)


def _renewed_pair(pair: LbPair) -> LbPair:
    pair = replace(pair, require_base_factor_seed=1, version=PAIR_VERSION)
    return replace(pair, bump_seed=bump_of(pair))


RENEWALS: Final[Renewals] = {LbPair: _renewed_pair, BinArray: lambda array: replace(array, version=BIN_ARRAY_VERSION)}
POOLS: Final = (FirstPool(USDC, sol_usdc_bs4), FirstPool(USDC, sol_usdc_bs10), FirstPool(CHILLGUY, _real))
