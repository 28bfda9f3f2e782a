"""The accounts of a Meteora DLMM pool, apart from its bins.

Layouts: MeteoraAg/dlmm-sdk, ``idls/dlmm.json`` (lb_clmm 0.12.0). Anchor discriminators are the first 8 bytes of
sha256("account:<name>"). ``orderd.pools.meteora_dlmm.bitmap`` finds the bin arrays that a swap crosses.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.maths.pool import (
    COLLECT_FEE_ON_Y_ONLY,
    FUNCTION_LIMIT_ORDER,
    DlmmBins,
    DlmmParameters,
    DlmmPool,
    DlmmVolatility,
)
from orderd.solana.programs import token
from orderd.solana.programs.layout import (
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    U128,
    U1024,
    U6144,
    Key,
    Record,
    raw,
)
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError, check_reserved


class PairStatus(IntEnum):
    ENABLED = 0
    DISABLED = 1


class PairType(IntEnum):
    PERMISSIONLESS = 0
    PERMISSION = 1
    CUSTOMIZABLE_PERMISSIONLESS = 2
    PERMISSIONLESS_V2 = 3


class ActivationType(IntEnum):
    """The unit of ``activation_point``: slots, or unix seconds."""

    SLOT = 0
    TIMESTAMP = 1


@dataclass(frozen=True, slots=True)
class StaticParameters(Record):
    base_factor: U16
    filter_period: U16
    decay_period: U16
    reduction_factor: U16
    variable_fee_control: U32
    max_volatility_accumulator: U32
    min_bin_id: I32
    max_bin_id: I32
    protocol_share: U16
    base_fee_power_factor: U8
    function_type: U8
    collect_fee_mode: U8
    padding: Annotated[bytes, raw(3)] = bytes(3)


@dataclass(frozen=True, slots=True)
class VariableParameters(Record):
    volatility_accumulator: U32
    volatility_reference: U32
    index_reference: I32
    padding: Annotated[bytes, raw(4)]
    last_update_timestamp: I64
    padding_1: Annotated[bytes, raw(8)] = bytes(8)


@dataclass(frozen=True, slots=True)
class RewardInfo(Record):
    mint: Key
    vault: Key
    funder: Key
    reward_duration: U64
    reward_duration_end: U64
    reward_rate: U128
    last_update_time: U64
    cumulative_seconds_with_empty_liquidity_reward: U64


@dataclass(frozen=True, slots=True)
class LbPair(Record):
    """A pool, 904 bytes. ``bin_step`` in basis points; protocol fees in base units, which are in the reserves until
    they are collected."""

    DISCRIMINATOR = bytes.fromhex("210b3162b565b10d")
    parameters: StaticParameters
    v_parameters: VariableParameters
    bump_seed: U8
    bin_step_seed: U16
    pair_type: U8
    active_id: I32
    bin_step: U16
    status: U8
    require_base_factor_seed: U8
    base_factor_seed: U16
    activation_type: U8
    creator_pool_on_off_control: U8
    mint_x: Key
    mint_y: Key
    reserve_x: Key
    reserve_y: Key
    protocol_fee_x: U64
    protocol_fee_y: U64
    padding_1: Annotated[bytes, raw(32)]
    reward_0: RewardInfo
    reward_1: RewardInfo
    oracle: Key
    bin_array_bitmap: U1024
    last_updated_at: I64
    padding_2: Annotated[bytes, raw(32)]
    pre_activation_swap_address: Key
    base_key: Key
    activation_point: U64
    pre_activation_duration: U64
    padding_3: Annotated[bytes, raw(8)]
    padding_4: U64
    creator: Key
    token_x_program_flag: U8
    token_y_program_flag: U8
    version: U8
    reserved: Annotated[bytes, raw(21)] = bytes(21)

    @property
    def seeds(self) -> list[bytes]:
        """The seeds of the pool's address, without the bump. The program signs for this address."""
        mints = sorted((bytes(self.mint_x), bytes(self.mint_y)))
        bin_step = self.bin_step_seed.to_bytes(2, "little")
        match self.pair_type:
            case PairType.PERMISSIONLESS if self.require_base_factor_seed:
                return [*mints, bin_step, self.base_factor_seed.to_bytes(2, "little")]
            case PairType.PERMISSIONLESS:
                return [*mints, bin_step]
            case PairType.PERMISSION:
                return [bytes(self.base_key), *mints, bin_step]
            case _:
                return [bytes(self.base_key), *mints]

    @property
    def token_x_program(self) -> Pubkey:
        return token.TOKEN_2022_PROGRAM_ID if self.token_x_program_flag else token.PROGRAM_ID

    @property
    def token_y_program(self) -> Pubkey:
        return token.TOKEN_2022_PROGRAM_ID if self.token_y_program_flag else token.PROGRAM_ID

    @property
    def has_reward(self) -> bool:
        return Pubkey.default() != self.reward_0.mint or Pubkey.default() != self.reward_1.mint

    def is_open(self, *, slot: int, unix_time: int) -> bool:
        """Whether the activation point, in slots or unix seconds, is reached. Most pools have none (0)."""
        return (slot if self.activation_type == ActivationType.SLOT else unix_time) >= self.activation_point

    def check_flags(self) -> None:
        """Raises UnsupportedPoolError for flags that this code does not know."""
        static = self.parameters
        flags = (
            (self.status, PairStatus.DISABLED),
            (self.pair_type, PairType.PERMISSIONLESS_V2),
            (self.activation_type, ActivationType.TIMESTAMP),
            (static.function_type, FUNCTION_LIMIT_ORDER),
            (static.collect_fee_mode, COLLECT_FEE_ON_Y_ONLY),
        )
        if any(flag > last_known for flag, last_known in flags):
            raise UnsupportedPoolError(Unsupported.UNKNOWN_FLAG)
        check_reserved(self, "reserved")
        check_reserved(static, "padding")
        check_reserved(self.v_parameters, "padding", "padding_1")

    def to_pool(self, bin_arrays: Iterable["BinArray"]) -> DlmmPool:
        """The pool for the maths, with the liquidity of ``bin_arrays`` only."""
        static, variable = self.parameters, self.v_parameters
        return DlmmPool(
            parameters=DlmmParameters(
                base_factor=static.base_factor,
                base_fee_power_factor=static.base_fee_power_factor,
                filter_period=static.filter_period,
                decay_period=static.decay_period,
                reduction_factor=static.reduction_factor,
                variable_fee_control=static.variable_fee_control,
                max_volatility_accumulator=static.max_volatility_accumulator,
                protocol_share=static.protocol_share,
                function_type=static.function_type,
                collect_fee_mode=static.collect_fee_mode,
            ),
            volatility=DlmmVolatility(
                volatility_accumulator=variable.volatility_accumulator,
                volatility_reference=variable.volatility_reference,
                index_reference=variable.index_reference,
                last_update_timestamp=variable.last_update_timestamp,
            ),
            active_id=self.active_id,
            bin_step=self.bin_step,
            protocol_fee_x=self.protocol_fee_x,
            protocol_fee_y=self.protocol_fee_y,
            has_reward=self.has_reward,
            bins=DlmmBins(each for array in bin_arrays for each in array.liquid_bins(self.bin_step)),
        )


@dataclass(frozen=True, slots=True)
class BitmapExtension(Record):
    """The bin arrays with liquidity outside -512..511: bit i of ``positive`` stands for array 512 + i, of ``negative``
    for -513 - i."""

    DISCRIMINATOR = bytes.fromhex("506f7c7137ed1205")
    lb_pair: Key
    positive: U6144 = 0
    negative: U6144 = 0
