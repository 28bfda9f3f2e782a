"""Meteora DLMM (lb_clmm): pools of price bins, 70 to a bin array account.

Layouts: MeteoraAg/dlmm-sdk, `idls/dlmm.json` (lb_clmm 0.12.0). Anchor discriminators are the first 8 bytes of
sha256("global:<instruction>") and sha256("account:<name>"). Which bin arrays a swap runs through is told by
`orderd.pools.meteora_dlmm.bitmap`.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm.maths.pool import (
    COLLECT_FEE_ON_Y_ONLY,
    FUNCTION_LIMIT_ORDER,
    DlmmBin,
    DlmmBins,
    DlmmParameters,
    DlmmPool,
    DlmmVolatility,
    price_from_bin_id,
)
from orderd.solana.programs import memo, token
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
    LayoutError,
    Record,
    Tail,
    raw,
)
from orderd.solana.programs.metas import readonly, signer, writable
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError

PROGRAM_ID: Final = Pubkey.from_string("LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo")

SWAP_UNITS: Final = 39_900
UNITS_A_BIN: Final = 5_300
"""Compute units of a swap within one bin, with its transfers and its event, and of each bin more, as measured on the
deployed program."""

MINT_X_OFFSET: Final = 88
MINT_Y_OFFSET: Final = 120

BINS_AN_ARRAY: Final = 70
PAIR_VERSION: Final = 1
BIN_ARRAY_VERSION: Final = 2
"""As mainnet has them. Swaps do not turn on them: limit orders in a bin array of any version are filled."""

ERRORS: Final = {
    6002: "InvalidInput",
    6003: "ExceededAmountSlippageTolerance",
    6004: "ExceededBinSlippageTolerance",
    6007: "ZeroLiquidity",
    6009: "BinArrayNotFound",
    6010: "InvalidTokenMint",
    6012: "PairInsufficientLiquidity",
    6018: "MathOverflow",
    6019: "TypeCastFailed",
    6027: "InvalidBinArray",
    6028: "NonContinuousBinArrays",
    6033: "MissingOracle",
    6036: "BitmapExtensionAccountIsNotProvided",
    6037: "CannotFindNonZeroLiquidityBinArrayId",
    6038: "BinIdOutOfBound",
    6039: "InsufficientOutAmount",
    6042: "PoolDisabled",
    6057: "NotExactAmountOut",
    6069: "NotSupportMint",
    6085: "UndeterminedError",
    6104: "InsufficientInAmount",
}

# Account indices of swap2 and swap_exact_out2; the bin arrays follow.
(
    LB_PAIR,
    BITMAP_EXTENSION,
    RESERVE_X,
    RESERVE_Y,
    USER_TOKEN_IN,
    USER_TOKEN_OUT,
    TOKEN_X_MINT,
    TOKEN_Y_MINT,
    ORACLE,
    HOST_FEE_IN,
    USER,
    TOKEN_X_PROGRAM,
    TOKEN_Y_PROGRAM,
    MEMO_PROGRAM,
    EVENT_AUTHORITY,
    PROGRAM,
    BIN_ARRAYS,
) = range(17)


class PairStatus(IntEnum):
    ENABLED = 0
    DISABLED = 1


class PairType(IntEnum):
    PERMISSIONLESS = 0
    PERMISSION = 1
    CUSTOMIZABLE_PERMISSIONLESS = 2
    PERMISSIONLESS_V2 = 3


class ActivationType(IntEnum):
    """What `activation_point` counts: slots, or unix seconds."""

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


NO_REWARD: Final = RewardInfo(Pubkey.default(), Pubkey.default(), Pubkey.default(), 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class LbPair(Record):
    """A pool, 904 bytes. `bin_step` in basis points; protocol fees in base units, waiting in the reserves."""

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
    def token_x_program(self) -> Pubkey:
        return token.TOKEN_2022_PROGRAM_ID if self.token_x_program_flag else token.PROGRAM_ID

    @property
    def token_y_program(self) -> Pubkey:
        return token.TOKEN_2022_PROGRAM_ID if self.token_y_program_flag else token.PROGRAM_ID

    @property
    def has_reward(self) -> bool:
        return Pubkey.default() != self.reward_0.mint or Pubkey.default() != self.reward_1.mint

    def is_open(self, *, slot: int, unix_time: int) -> bool:
        """Whether the activation point, in the pool's own clock, has come. Most pools have none (0)."""
        return (slot if self.activation_type == ActivationType.SLOT else unix_time) >= self.activation_point

    def check_flags(self) -> None:
        """Raises UnsupportedPoolError where a flag is set that is not known here."""
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

    def to_pool(self, bin_arrays: Iterable["BinArray"]) -> DlmmPool:
        """What the maths needs; only what lies in `bin_arrays` is there to trade with."""
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

    def after(self, pool: DlmmPool) -> "LbPair":
        """The account once a swap left `pool`; the bins are in the bin arrays."""
        return replace(
            self,
            v_parameters=replace(
                self.v_parameters,
                volatility_accumulator=pool.volatility.volatility_accumulator,
                volatility_reference=pool.volatility.volatility_reference,
                index_reference=pool.volatility.index_reference,
                last_update_timestamp=pool.volatility.last_update_timestamp,
            ),
            active_id=pool.active_id,
            protocol_fee_x=pool.protocol_fee_x,
            protocol_fee_y=pool.protocol_fee_y,
        )


@dataclass(frozen=True, slots=True)
class Bin(Record):
    """One bin, 144 bytes; `price` in Q64.64 (0 until first used), amounts in base units."""

    amount_x: U64 = 0
    amount_y: U64 = 0
    price: U128 = 0
    liquidity_supply: U128 = 0
    fulfilled_order_amount_x: U64 = 0
    fulfilled_order_amount_y: U64 = 0
    limit_order_fee_ask_side: U64 = 0
    limit_order_fee_bid_side: U64 = 0
    fee_amount_x_per_token_stored: U128 = 0
    fee_amount_y_per_token_stored: U128 = 0
    open_order_amount: U64 = 0
    total_processing_order_amount: U64 = 0
    processed_order_remaining_amount: U64 = 0
    order_age: U32 = 0
    limit_order_ask_side: U8 = 0
    padding: Annotated[bytes, raw(3)] = bytes(3)


BIN_SIZE: Final = 144
_SWAPPED_FIELDS: Final = struct.Struct("<QQ16s16xQQQQ32xQQQIB3x")
"""The part of a Bin that swaps read, for all 70 of an array at once."""
_SUPPLY_AND_ORDERS: Final = struct.Struct("<32x16s64xQ8xQ8x")


@dataclass(frozen=True, slots=True)
class BinArray(Record):
    """70 bins from bin `index * 70` on, 10136 bytes. The bins stay bytes until they are asked for."""

    DISCRIMINATOR = bytes.fromhex("5c8e5cdc059446b5")
    index: I64
    version: U8
    padding: Annotated[bytes, raw(7)]
    lb_pair: Key
    bins: Annotated[bytes, raw(BINS_AN_ARRAY * BIN_SIZE)] = bytes(BINS_AN_ARRAY * BIN_SIZE)

    @property
    def first_bin_id(self) -> int:
        return self.index * BINS_AN_ARRAY

    @property
    def is_empty(self) -> bool:
        """Whether no bin has a share of liquidity or an order left; what waits to be claimed does not count."""
        content = _SUPPLY_AND_ORDERS.iter_unpack(self.bins)
        return not any(opened or remaining or any(supply) for supply, opened, remaining in content)

    def bin(self, bin_id: int) -> Bin:
        """Raises LayoutError for a bin of another array."""
        start = self._start(bin_id)
        return Bin.decode(self.bins[start : start + BIN_SIZE])

    def with_bin(self, bin_id: int, content: Bin) -> "BinArray":
        start = self._start(bin_id)
        return replace(self, bins=self.bins[:start] + content.encode() + self.bins[start + BIN_SIZE :])

    def liquid_bins(self, bin_step: int) -> tuple[DlmmBin, ...]:
        """The bins that hold anything, for the maths."""
        return _liquid_bins(self.bins, self.first_bin_id, bin_step)

    def after(self, changed: Iterable[DlmmBin]) -> "BinArray":
        """The account once a swap changed these bins of it; bins of other arrays are passed over."""
        array = self
        for each in changed:
            if each.bin_id // BINS_AN_ARRAY != self.index:
                continue
            content = replace(
                array.bin(each.bin_id),
                amount_x=each.amount_x,
                amount_y=each.amount_y,
                price=each.price,
                fulfilled_order_amount_x=each.fulfilled_order_amount_x,
                fulfilled_order_amount_y=each.fulfilled_order_amount_y,
                limit_order_fee_ask_side=each.limit_order_fee_ask_side,
                limit_order_fee_bid_side=each.limit_order_fee_bid_side,
                open_order_amount=each.open_order_amount,
                total_processing_order_amount=each.total_processing_order_amount,
                processed_order_remaining_amount=each.processed_order_remaining_amount,
                order_age=each.order_age,
            )
            array = array.with_bin(each.bin_id, content)
        return array

    def _start(self, bin_id: int) -> int:
        if not 0 <= bin_id - self.first_bin_id < BINS_AN_ARRAY:
            raise LayoutError(f"bin {bin_id} is not in bin array {self.index}")
        return (bin_id - self.first_bin_id) * BIN_SIZE


@lru_cache(maxsize=256)
def _liquid_bins(bins: bytes, first_bin_id: int, bin_step: int) -> tuple[DlmmBin, ...]:
    """Kept by content: from one slot to the next few arrays of a pool change."""
    found = []
    for bin_id, fields in enumerate(_SWAPPED_FIELDS.iter_unpack(bins), first_bin_id):
        x, y, price, done_x, done_y, ask_fee, bid_fee, opened, total, remaining, age, ask_side = fields
        if x or y or opened or remaining:
            found.append(
                DlmmBin(
                    bin_id=bin_id,
                    amount_x=x,
                    amount_y=y,
                    price=int.from_bytes(price, "little") or price_from_bin_id(bin_step, bin_id),
                    open_order_amount=opened,
                    total_processing_order_amount=total,
                    processed_order_remaining_amount=remaining,
                    limit_order_ask_side=bool(ask_side),
                    order_age=age,
                    fulfilled_order_amount_x=done_x,
                    fulfilled_order_amount_y=done_y,
                    limit_order_fee_ask_side=ask_fee,
                    limit_order_fee_bid_side=bid_fee,
                )
            )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class BitmapExtension(Record):
    """Which bin arrays exist outside -512..511: bit i stands for array 512 + i, and for -513 - i."""

    DISCRIMINATOR = bytes.fromhex("506f7c7137ed1205")
    lb_pair: Key
    positive: U6144 = 0
    negative: U6144 = 0


@dataclass(frozen=True, slots=True)
class Oracle(Record):
    """A pool's history of active bins; swaps must name it."""

    DISCRIMINATOR = bytes.fromhex("8bc283b38cb3e5f4")
    index: U64
    active_size: U64
    length: U64
    observations: Tail = b""


NO_SLICES: Final = bytes(4)
"""RemainingAccountsInfo without slices: no account is there for a transfer hook."""


@dataclass(frozen=True, slots=True)
class Swap2(Record):
    """Swap exactly `amount_in` base units for at least `min_amount_out`."""

    DISCRIMINATOR = bytes.fromhex("414b3f4ceb5b5b88")
    amount_in: U64
    min_amount_out: U64
    remaining_accounts_info: Tail = NO_SLICES


@dataclass(frozen=True, slots=True)
class SwapExactOut2(Record):
    """Swap at most `max_in_amount` base units for exactly `out_amount`."""

    DISCRIMINATOR = bytes.fromhex("2bd7f784893cf351")
    max_in_amount: U64
    out_amount: U64
    remaining_accounts_info: Tail = NO_SLICES


def decode_instruction(data: bytes) -> Swap2 | SwapExactOut2:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    for kind in (Swap2, SwapExactOut2):
        if data.startswith(kind.DISCRIMINATOR):
            return kind.decode(data)
    raise LayoutError(f"no swap of Meteora DLMM: {data[:8].hex() or 'empty'}")


EVENT_AUTHORITY_ADDRESS: Final = Pubkey.find_program_address([b"__event_authority"], PROGRAM_ID)[0]


@lru_cache(maxsize=4096)
def bin_array_address(lb_pair: Pubkey, index: int) -> Pubkey:
    seeds = [b"bin_array", bytes(lb_pair), index.to_bytes(8, "little", signed=True)]
    return Pubkey.find_program_address(seeds, PROGRAM_ID)[0]


@lru_cache(maxsize=512)
def bitmap_extension_address(lb_pair: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([b"bitmap", bytes(lb_pair)], PROGRAM_ID)[0]


def reserve_address(lb_pair: Pubkey, mint: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([bytes(lb_pair), bytes(mint)], PROGRAM_ID)[0]


def oracle_address(lb_pair: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([b"oracle", bytes(lb_pair)], PROGRAM_ID)[0]


def pair_address(mint_x: Pubkey, mint_y: Pubkey, bin_step: int, base_factor: int) -> Pubkey:
    """Where a permissionless pool usually is; there are other schemes too, so read the address, do not derive it."""
    low, high = sorted((bytes(mint_x), bytes(mint_y)))
    seeds = [low, high, bin_step.to_bytes(2, "little"), base_factor.to_bytes(2, "little")]
    return Pubkey.find_program_address(seeds, PROGRAM_ID)[0]


def swap(
    order: Swap2 | SwapExactOut2,
    lb_pair: Pubkey,
    state: LbPair,
    user: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    bin_arrays: Sequence[int],
    has_bitmap_extension: bool,
) -> Instruction:
    """Swap between `source` and `destination`; the direction follows from the accounts' mints. `user` signs.

    `bin_arrays` are indices in the order the swap runs through them; the program refuses another order.
    """
    extension = writable(bitmap_extension_address(lb_pair)) if has_bitmap_extension else readonly(PROGRAM_ID)
    accounts = [
        writable(lb_pair),
        extension,
        writable(state.reserve_x),
        writable(state.reserve_y),
        writable(source),
        writable(destination),
        readonly(state.mint_x),
        readonly(state.mint_y),
        writable(state.oracle),
        readonly(PROGRAM_ID),  # no host fee account
        signer(user),
        readonly(state.token_x_program),
        readonly(state.token_y_program),
        readonly(memo.PROGRAM_ID),
        readonly(EVENT_AUTHORITY_ADDRESS),
        readonly(PROGRAM_ID),
        *(writable(bin_array_address(lb_pair, index)) for index in bin_arrays),
    ]
    return Instruction(PROGRAM_ID, order.encode(), accounts)
