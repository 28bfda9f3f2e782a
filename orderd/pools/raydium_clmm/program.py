"""Raydium CLMM: pools of concentrated liquidity, 60 ticks to a tick array account.

Layouts: raydium-io/raydium-clmm, `programs/amm/src/{states,instructions/swap_v2.rs,error.rs}` of 2026. Anchor
discriminators are the first 8 bytes of sha256("global:<instruction>") and sha256("account:<name>"). Which tick arrays
a swap runs through is told by `orderd.pools.raydium_clmm.tick_arrays`.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from functools import lru_cache
from typing import Annotated, Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_clmm.maths.pool import FEE_ON_TOKEN_1, ClmmPool, ClmmTick
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
    Key,
    LayoutError,
    Record,
    Slot,
    raw,
)
from orderd.solana.programs.metas import readonly, signer, writable
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError

PROGRAM_ID: Final = Pubkey.from_string("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK")
DEVNET_PROGRAM_ID: Final = Pubkey.from_string("DRayAUgENGQBKVaX8owNhgzkEDyoHTGVEGHVJT1E9pfH")

SWAP_UNITS: Final = 53_900
UNITS_AN_ARRAY: Final = 12_850
UNITS_A_TICK: Final = 16_000
"""Compute units of a swap with its transfers that names one tick array, of each array more, and of each tick that is
crossed, as measured on the deployed program: 53.9k to 79.6k with up to three arrays, and no tick."""

MINT_0_OFFSET: Final = 73
MINT_1_OFFSET: Final = 105

TICKS_AN_ARRAY: Final = 60

ERRORS: Final = {
    6001: "NotApproved",
    6011: "InvalidTickArray",
    6013: "SqrtPriceLimitOverflow",
    6019: "LiquidityInsufficient",
    6022: "TooLittleOutputReceived",
    6023: "TooMuchInputPaid",
    6024: "ZeroAmountSpecified",
    6025: "InvalidInputPoolVault",
    6026: "TooSmallInputOrOutputAmount",
    6027: "NotEnoughTickArrayAccount",
    6028: "InvalidFirstTickArrayAccount",
    6040: "MissingTickArrayBitmapExtensionAccount",
    6041: "InsufficientLiquidityForDirection",
    6043: "CalculateOverflow",
}
"""As the release on mainnet in April 2026 numbers them; others do not, so an error is known by its name."""

# Account indices of swap_v2; the tick arrays follow, the bitmap extension before them where it is named.
(
    PAYER,
    AMM_CONFIG,
    POOL_STATE,
    INPUT_TOKEN_ACCOUNT,
    OUTPUT_TOKEN_ACCOUNT,
    INPUT_VAULT,
    OUTPUT_VAULT,
    OBSERVATION_STATE,
    TOKEN_PROGRAM,
    TOKEN_PROGRAM_2022,
    MEMO_PROGRAM,
    INPUT_VAULT_MINT,
    OUTPUT_VAULT_MINT,
    TICK_ARRAYS,
) = range(14)

Bool = Annotated[bool, Slot("?")]
I128 = Annotated[
    int,
    Slot(
        "16s",
        lambda data: int.from_bytes(data, "little", signed=True),
        lambda value: value.to_bytes(16, "little", signed=True),
    ),
]
_WRAP: Final = (1 << 128) - 1


class PoolStatus(IntFlag):
    """Bits of PoolState.status; each switches something off."""

    OPEN_POSITION_DISABLED = 1
    DECREASE_LIQUIDITY_DISABLED = 2
    COLLECT_FEE_DISABLED = 4
    COLLECT_REWARD_DISABLED = 8
    SWAP_DISABLED = 16
    LIMIT_ORDER_DISABLED = 32


@dataclass(frozen=True, slots=True)
class AmmConfig(Record):
    """The fee rates (millionths) many pools share, 117 bytes."""

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
    """One of the rewards that liquidity earns besides fees; none where `token_mint` is the default key."""

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


NO_DYNAMIC_FEE: Final = bytes(80)


@dataclass(frozen=True, slots=True)
class PoolState(Record):
    """A pool, 1544 bytes. Prices and fee growths Q64.64, fees in base units, `open_time` in unix seconds.

    What `counters_*` held, older releases counted and today's leave alone.
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
    dynamic_fee: Annotated[bytes, raw(80)] = NO_DYNAMIC_FEE
    padding_3: Annotated[bytes, raw(368)] = bytes(368)

    def accepts_swaps(self, unix_time: int) -> bool:
        """Whether the program would swap now; it refuses with NotApproved, or without a name, where this is False."""
        return not self.status & PoolStatus.SWAP_DISABLED and unix_time > self.open_time

    def to_pool(self, config: AmmConfig, tick_arrays: Iterable["TickArrayState"]) -> ClmmPool:
        """What the maths needs; only what lies in `tick_arrays`, given in any order, is there to trade with.

        Raises UnsupportedPoolError for a dynamic fee, a flag that is not known, and limit orders at any of the ticks.
        """
        if self.status & ~sum(PoolStatus):
            raise UnsupportedPoolError(Unsupported.UNKNOWN_FLAG)
        if self.dynamic_fee != NO_DYNAMIC_FEE:
            raise UnsupportedPoolError(Unsupported.DYNAMIC_FEE)
        if self.fee_on > FEE_ON_TOKEN_1:
            raise UnsupportedPoolError(Unsupported.FEE_SIDE)
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
        )

    def after(self, pool: ClmmPool, epoch: int) -> "PoolState":
        """The account once a swap left `pool`; the balances are in the vaults. Rewards are not accrued."""
        return replace(
            self,
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


@dataclass(frozen=True, slots=True)
class TickState(Record):
    """One tick, 168 bytes: liquidity that begins and ends there, and limit orders that wait there."""

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
_FOR_MATHS: Final = struct.Struct("<i16s16s88xQQ28x")
"""Of a TickState the tick, both liquidities and both amounts of orders; a quote reads hundreds of ticks."""


@dataclass(frozen=True, slots=True)
class TickArrayState(Record):
    """60 ticks, `tick_spacing` apart, from `start_tick_index` on, 10240 bytes. They stay bytes until asked for."""

    DISCRIMINATOR = bytes.fromhex("c09b55cd31f9812a")
    pool_id: Key
    start_tick_index: I32
    ticks: Annotated[bytes, raw(TICKS_AN_ARRAY * TICK_SIZE)] = bytes(TICKS_AN_ARRAY * TICK_SIZE)
    initialized_tick_count: U8 = 0
    recent_epoch: U64 = 0
    padding: Annotated[bytes, raw(107)] = bytes(107)

    def tick(self, tick: int, tick_spacing: int) -> TickState:
        """Raises LayoutError for a tick of another array or between the ticks."""
        start = self._start(tick, tick_spacing)
        return TickState.decode(self.ticks[start : start + TICK_SIZE])

    def with_tick(self, content: TickState, tick_spacing: int) -> "TickArrayState":
        """The array with this tick in its place; the count of initialised ticks is left alone."""
        start = self._start(content.tick, tick_spacing)
        return replace(self, ticks=self.ticks[:start] + content.encode() + self.ticks[start + TICK_SIZE :])

    def initialized_ticks(self) -> Iterator[ClmmTick]:
        """The ticks with liquidity, rising, for the maths. Raises UnsupportedPoolError where limit orders wait."""
        for tick, net, gross, orders, part_filled in _FOR_MATHS.iter_unpack(self.ticks):
            if orders or part_filled:
                raise UnsupportedPoolError(Unsupported.LIMIT_ORDERS)
            if any(gross):
                yield ClmmTick(tick, int.from_bytes(net, "little", signed=True))

    def crossed(
        self, tick: int, state: PoolState, *, fee_growth_0: int, fee_growth_1: int, epoch: int
    ) -> "TickArrayState":
        """The array once a swap crossed a tick of it, with the pool's fee growths (Q64.64) of that moment."""
        before = self.tick(tick, state.tick_spacing)
        content = replace(
            before,
            fee_growth_outside_0_x64=fee_growth_0 - before.fee_growth_outside_0_x64 & _WRAP,
            fee_growth_outside_1_x64=fee_growth_1 - before.fee_growth_outside_1_x64 & _WRAP,
            reward_growth_outside_0_x64=_flipped(before.reward_growth_outside_0_x64, state.reward_0),
            reward_growth_outside_1_x64=_flipped(before.reward_growth_outside_1_x64, state.reward_1),
            reward_growth_outside_2_x64=_flipped(before.reward_growth_outside_2_x64, state.reward_2),
        )
        return replace(self.with_tick(content, state.tick_spacing), recent_epoch=epoch)

    def _start(self, tick: int, tick_spacing: int) -> int:
        position, between = divmod(tick - self.start_tick_index, tick_spacing)
        if between or not 0 <= position < TICKS_AN_ARRAY:
            raise LayoutError(f"tick {tick} is not in tick array {self.start_tick_index}")
        return position * TICK_SIZE


def _flipped(growth_outside: int, reward: RewardInfo) -> int:
    if reward.token_mint == Pubkey.default():
        return growth_outside
    return reward.reward_growth_global_x64 - growth_outside & _WRAP


@dataclass(frozen=True, slots=True)
class TickArrayBitmapExtension(Record):
    """Which tick arrays exist outside the pool's own bitmap, 1832 bytes: 14 bitmaps of 512 arrays on either side.

    The first of either side is next to the pool's own; within each, bits rise with the arrays.
    """

    DISCRIMINATOR = bytes.fromhex("3c9624db61808b99")
    pool_id: Key
    positive: Annotated[bytes, raw(14 * 64)] = bytes(14 * 64)
    negative: Annotated[bytes, raw(14 * 64)] = bytes(14 * 64)


OBSERVATIONS: Final = 100
OBSERVATION_SECONDS: Final = 15
"""The program writes a new observation only when the last is at least this old."""


@dataclass(frozen=True, slots=True)
class Observation(Record):
    """Ticks, summed over seconds and wrapping; `block_timestamp` in unix seconds."""

    block_timestamp: U32
    tick_cumulative: I64
    padding: Annotated[bytes, raw(32)] = bytes(32)


OBSERVATION_SIZE: Final = 44


@dataclass(frozen=True, slots=True)
class ObservationState(Record):
    """A pool's price history, 4483 bytes: a ring of 100 observations, kept as bytes until one is asked for."""

    DISCRIMINATOR = bytes.fromhex("7aaec5358109a584")
    initialized: U8
    recent_epoch: U64
    index: U16
    pool: Key
    observations: Annotated[bytes, raw(OBSERVATIONS * OBSERVATION_SIZE)] = bytes(OBSERVATIONS * OBSERVATION_SIZE)
    padding: Annotated[bytes, raw(32)] = bytes(32)

    def observation(self, index: int) -> Observation:
        start = index * OBSERVATION_SIZE
        return Observation.decode(self.observations[start : start + OBSERVATION_SIZE])

    def updated(self, unix_time: int, tick: int) -> "ObservationState":
        """The state after a swap that left `tick`, as the program writes it; it does so only where the tick changed."""
        last = self.observation(self.index)
        if not self.initialized:
            return self._with(self.index, replace(last, block_timestamp=unix_time, tick_cumulative=0))
        elapsed = max(unix_time - last.block_timestamp, 0)
        if elapsed < OBSERVATION_SECONDS:
            return self
        index = (self.index + 1) % OBSERVATIONS
        total = _wrapped_i64(last.tick_cumulative + tick * elapsed)
        return self._with(index, replace(self.observation(index), block_timestamp=unix_time, tick_cumulative=total))

    def _with(self, index: int, observation: Observation) -> "ObservationState":
        start = index * OBSERVATION_SIZE
        ring = self.observations[:start] + observation.encode() + self.observations[start + OBSERVATION_SIZE :]
        return replace(self, initialized=1, index=index, observations=ring)


def _wrapped_i64(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


@dataclass(frozen=True, slots=True)
class SwapV2(Record):
    """Swap `amount` base units: exactly that in for at least the threshold out, or exactly that out for at most it in.

    A price limit (Q64.64; 0 is none) makes it legal to swap a part of the amount.
    """

    DISCRIMINATOR = bytes.fromhex("2b04ed0b1ac91e62")
    amount: U64
    other_amount_threshold: U64
    sqrt_price_limit_x64: U128 = 0
    is_base_input: Bool = True


def decode_instruction(data: bytes) -> SwapV2:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    if data.startswith(SwapV2.DISCRIMINATOR):
        return SwapV2.decode(data)
    raise LayoutError(f"no swap of Raydium CLMM: {data[:8].hex() or 'empty'}")


def config_address(index: int, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"amm_config", index.to_bytes(2, "big")], program_id)[0]


def pool_address(config: Pubkey, mint_0: Pubkey, mint_1: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    """Where the pool of two mints (in byte order) is."""
    return Pubkey.find_program_address([b"pool", bytes(config), bytes(mint_0), bytes(mint_1)], program_id)[0]


def vault_address(pool: Pubkey, mint: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_vault", bytes(pool), bytes(mint)], program_id)[0]


def observation_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"observation", bytes(pool)], program_id)[0]


@lru_cache(maxsize=4096)
def tick_array_address(pool: Pubkey, start_tick_index: int, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    seeds = [b"tick_array", bytes(pool), start_tick_index.to_bytes(4, "big", signed=True)]
    return Pubkey.find_program_address(seeds, program_id)[0]


@lru_cache(maxsize=512)
def bitmap_extension_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_tick_array_bitmap_extension", bytes(pool)], program_id)[0]


def swap(
    order: SwapV2,
    pool: Pubkey,
    state: PoolState,
    payer: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    zero_for_one: bool,
    tick_arrays: Sequence[int],
    names_bitmap_extension: bool,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Swap token 0 for token 1, or the other way, from `source` to `destination`; `payer` owns the source and signs.

    `tick_arrays` are start indices in the order the swap runs through them; the program refuses another order.
    """
    side_0, side_1 = (state.vault_0, state.mint_0), (state.vault_1, state.mint_1)
    paid, bought = (side_0, side_1) if zero_for_one else (side_1, side_0)
    accounts = [
        signer(payer),
        readonly(state.amm_config),
        writable(pool),
        writable(source),
        writable(destination),
        writable(paid[0]),
        writable(bought[0]),
        writable(state.observation),
        readonly(token.PROGRAM_ID),
        readonly(token.TOKEN_2022_PROGRAM_ID),
        readonly(memo.PROGRAM_ID),
        readonly(paid[1]),
        readonly(bought[1]),
    ]
    if names_bitmap_extension:
        accounts.append(writable(bitmap_extension_address(pool, program_id)))
    accounts += [writable(tick_array_address(pool, start, program_id)) for start in tick_arrays]
    return Instruction(program_id, order.encode(), accounts)
