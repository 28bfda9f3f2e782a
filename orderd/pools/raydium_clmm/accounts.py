"""The accounts of a Raydium CLMM pool: its state, and its tick arrays of 60 ticks each.

Layouts: raydium-io/raydium-clmm, ``programs/amm/src/states`` of 2026. Anchor discriminators are the first 8 bytes of
sha256("account:<name>"). ``orderd.pools.raydium_clmm.tick_arrays`` finds the tick arrays that a swap crosses.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Annotated, Final

from orderd.pools.raydium_clmm.maths.dynamic_fee import DynamicFeeState
from orderd.pools.raydium_clmm.maths.limit_orders import NO_ORDERS, LimitOrders
from orderd.pools.raydium_clmm.maths.pool import FEE_ON_TOKEN_1, ClmmPool, ClmmTick
from orderd.solana.programs.layout import (
    I32,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    U1024,
    Key,
    LayoutError,
    Record,
    raw,
)
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError, check_reserved

TICKS_PER_ARRAY: Final = 60


class PoolStatus(IntFlag):
    """Bits of PoolState.status; each disables a function."""

    OPEN_POSITION_DISABLED = 1
    DECREASE_LIQUIDITY_DISABLED = 2
    COLLECT_FEE_DISABLED = 4
    COLLECT_REWARD_DISABLED = 8
    SWAP_DISABLED = 16
    LIMIT_ORDER_DISABLED = 32


@dataclass(frozen=True, slots=True)
class AmmConfig(Record):
    """Fee rates (millionths) that many pools share, 117 bytes."""

    DISCRIMINATOR = bytes.fromhex("daf42168cbcb2b6f")
    bump: U8
    index: U16
    owner: Key
    protocol_fee_rate: U32
    trade_fee_rate: U32
    tick_spacing: U16
    fund_fee_rate: U32
    padding_1: U32
    fund_owner: Key
    padding_2: Annotated[bytes, raw(24)] = bytes(24)


@dataclass(frozen=True, slots=True)
class RewardInfo(Record):
    """A reward that liquidity earns besides fees; unused if ``token_mint`` is the default key."""

    reward_state: U8
    open_time: U64
    end_time: U64
    last_update_time: U64
    emissions_per_second_x64: U128
    reward_total_emissioned: U64
    reward_claimed: U64
    token_mint: Key
    token_vault: Key
    authority: Key
    reward_growth_global_x64: U128


@dataclass(frozen=True, slots=True)
class DynamicFeeInfo(Record):
    """Parameters and state of the dynamic fee, 80 bytes; all zero if the pool has none.

    ``reduction_factor`` in ten-thousandths, ``control`` in hundred-thousandths, periods in seconds.
    """

    filter_period: U16 = 0
    decay_period: U16 = 0
    reduction_factor: U16 = 0
    control: U32 = 0
    max_accumulator: U32 = 0
    group_reference: I32 = 0
    volatility_reference: U32 = 0
    accumulator: U32 = 0
    last_update: U64 = 0
    padding: Annotated[bytes, raw(46)] = bytes(46)

    def to_maths(self, tick_spacing: int) -> DynamicFeeState | None:
        """The dynamic fee for the maths; None if the pool has none. Raises UnsupportedPoolError if reserved bytes are
        in use."""
        check_reserved(self, "padding")
        if self == NO_DYNAMIC_FEE:
            return None
        return DynamicFeeState(
            tick_spacing=tick_spacing,
            filter_period=self.filter_period,
            decay_period=self.decay_period,
            reduction_factor=self.reduction_factor,
            control=self.control,
            max_accumulator=self.max_accumulator,
            group_reference=self.group_reference,
            volatility_reference=self.volatility_reference,
            accumulator=self.accumulator,
            last_update=self.last_update,
        )


NO_DYNAMIC_FEE: Final = DynamicFeeInfo()


@dataclass(frozen=True, slots=True)
class PoolState(Record):
    """A pool, 1544 bytes. Prices and fee growths Q64.64, fees in base units, ``open_time`` in unix seconds.

    Older releases used ``counters_*``; the current one does not change them.
    """

    DISCRIMINATOR = bytes.fromhex("f7ede3f5d7c3de46")
    bump: U8
    amm_config: Key
    owner: Key
    mint_0: Key
    mint_1: Key
    vault_0: Key
    vault_1: Key
    observation: Key
    mint_0_decimals: U8
    mint_1_decimals: U8
    tick_spacing: U16
    liquidity: U128
    sqrt_price_x64: U128
    tick_current: I32
    padding_1: U32
    fee_growth_global_0_x64: U128
    fee_growth_global_1_x64: U128
    protocol_fees_0: U64
    protocol_fees_1: U64
    counters_1: Annotated[bytes, raw(64)]
    status: U8
    fee_on: U8
    padding_2: Annotated[bytes, raw(6)]
    reward_0: RewardInfo
    reward_1: RewardInfo
    reward_2: RewardInfo
    tick_array_bitmap: U1024
    counters_2: Annotated[bytes, raw(32)]
    fund_fees_0: U64
    fund_fees_1: U64
    open_time: U64
    recent_epoch: U64
    dynamic_fee: DynamicFeeInfo = NO_DYNAMIC_FEE
    padding_3: Annotated[bytes, raw(368)] = bytes(368)

    @property
    def seeds(self) -> list[bytes]:
        """The seeds of the pool's address, without the bump. The program signs for this address."""
        return [b"pool", *map(bytes, (self.amm_config, self.mint_0, self.mint_1))]

    def accepts_swaps(self, unix_time: int) -> bool:
        """Whether the program accepts swaps now; if not, it fails with NotApproved or RequireGtViolated."""
        return not self.status & PoolStatus.SWAP_DISABLED and unix_time > self.open_time

    def to_pool(self, config: AmmConfig, tick_arrays: Iterable["TickArrayState"]) -> ClmmPool:
        """The pool for the maths, with the liquidity of ``tick_arrays`` only, in any order.

        Raises UnsupportedPoolError for unknown flags, and if reserved bytes are in use.
        """
        if self.status & ~sum(PoolStatus):
            raise UnsupportedPoolError(Unsupported.UNKNOWN_FLAG)
        if self.fee_on > FEE_ON_TOKEN_1:
            raise UnsupportedPoolError(Unsupported.FEE_SIDE)
        check_reserved(self, "padding_1", "padding_2", "padding_3")
        arrays = {array.start_tick_index: array for array in tick_arrays}
        return ClmmPool(
            trade_fee_rate=config.trade_fee_rate,
            protocol_fee_rate=config.protocol_fee_rate,
            fund_fee_rate=config.fund_fee_rate,
            fee_on=self.fee_on,
            liquidity=self.liquidity,
            sqrt_price=self.sqrt_price_x64,
            tick_current=self.tick_current,
            fee_growth_global_0=self.fee_growth_global_0_x64,
            fee_growth_global_1=self.fee_growth_global_1_x64,
            protocol_fees_0=self.protocol_fees_0,
            protocol_fees_1=self.protocol_fees_1,
            fund_fees_0=self.fund_fees_0,
            fund_fees_1=self.fund_fees_1,
            ticks=tuple(tick for start in sorted(arrays) for tick in arrays[start].initialized_ticks()),
            dynamic_fee=self.dynamic_fee.to_maths(self.tick_spacing),
        )


@dataclass(frozen=True, slots=True)
class TickState(Record):
    """One tick, 168 bytes: the liquidity that begins or ends there, and the limit orders at its price."""

    tick: I32 = 0
    liquidity_net: I128 = 0
    liquidity_gross: U128 = 0
    fee_growth_outside_0_x64: U128 = 0
    fee_growth_outside_1_x64: U128 = 0
    reward_growth_outside_0_x64: U128 = 0
    reward_growth_outside_1_x64: U128 = 0
    reward_growth_outside_2_x64: U128 = 0
    order_phase: U64 = 0
    orders_amount: U64 = 0
    part_filled_orders_remaining: U64 = 0
    unfilled_ratio_x64: U128 = 0
    padding: Annotated[bytes, raw(12)] = bytes(12)


TICK_SIZE: Final = 168
_FOR_MATHS: Final = struct.Struct("<i16s16s80xQQQ16s12x")
"""The fields of a TickState that the maths uses: tick, liquidity and orders. A quote reads hundreds of ticks."""


@dataclass(frozen=True, slots=True)
class TickArrayState(Record):
    """60 ticks, ``tick_spacing`` apart, from ``start_tick_index`` on, 10240 bytes. Decoded on demand."""

    DISCRIMINATOR = bytes.fromhex("c09b55cd31f9812a")
    pool_id: Key
    start_tick_index: I32
    ticks: Annotated[bytes, raw(TICKS_PER_ARRAY * TICK_SIZE)] = bytes(TICKS_PER_ARRAY * TICK_SIZE)
    initialized_tick_count: U8 = 0
    recent_epoch: U64 = 0
    padding: Annotated[bytes, raw(107)] = bytes(107)

    def tick(self, tick: int, tick_spacing: int) -> TickState:
        """A tick of the array. Raises LayoutError if it is in another array or not a multiple of the spacing."""
        start = self._start(tick, tick_spacing)
        return TickState.decode(self.ticks[start : start + TICK_SIZE])

    def with_tick(self, content: TickState, tick_spacing: int) -> "TickArrayState":
        """The array with this tick replaced. The count of initialized ticks does not change."""
        start = self._start(content.tick, tick_spacing)
        return replace(self, ticks=self.ticks[:start] + content.encode() + self.ticks[start + TICK_SIZE :])

    def initialized_ticks(self) -> Iterator[ClmmTick]:
        """The ticks with liquidity or limit orders, in ascending order, for the maths."""
        for tick, net, gross, phase, untouched, part_filled, ratio in _FOR_MATHS.iter_unpack(self.ticks):
            has_liquidity = any(gross)
            orders = NO_ORDERS
            if untouched or part_filled:
                orders = LimitOrders(phase, untouched, part_filled, int.from_bytes(ratio, "little"))
            if has_liquidity or orders is not NO_ORDERS:
                yield ClmmTick(tick, int.from_bytes(net, "little", signed=True), orders, has_liquidity)

    def _start(self, tick: int, tick_spacing: int) -> int:
        position, between = divmod(tick - self.start_tick_index, tick_spacing)
        if between or not 0 <= position < TICKS_PER_ARRAY:
            raise LayoutError(f"tick {tick} is not in tick array {self.start_tick_index}")
        return position * TICK_SIZE


@dataclass(frozen=True, slots=True)
class TickArrayBitmapExtension(Record):
    """The initialized tick arrays outside the pool's own bitmap, 1832 bytes: 14 bitmaps of 512 arrays on either side.

    The first bitmap of a side is next to the pool's own; within a bitmap, bits ascend with the arrays.
    """

    DISCRIMINATOR = bytes.fromhex("3c9624db61808b99")
    pool_id: Key
    positive: Annotated[bytes, raw(14 * 64)] = bytes(14 * 64)
    negative: Annotated[bytes, raw(14 * 64)] = bytes(14 * 64)
