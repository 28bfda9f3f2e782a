"""The account of a Meteora DAMM v2 pool.

Layouts: MeteoraAg/damm-v2, ``programs/cp-amm/src/state``, release 0.2. Anchor discriminators are the first 8 bytes of
sha256("account:<name>"). Other programs use the same discriminator for their pools, so the program id must be checked.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from solders.pubkey import Pubkey

from orderd.amm.swap import U32_MAX
from orderd.pools.meteora_damm_v2.maths.base_fee import (
    BaseFeeSchedule,
    MarketCapSchedule,
    RateLimiterSchedule,
    TimeSchedule,
)
from orderd.pools.meteora_damm_v2.maths.dynamic_fee import DammV2DynamicFee
from orderd.pools.meteora_damm_v2.maths.pool import (
    COLLECT_FEE_COMPOUNDING,
    DammV2Pool,
    balances_of,
)
from orderd.solana.programs import token
from orderd.solana.programs.layout import (
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Key,
    Record,
    raw,
)
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError, check_reserved


class PoolStatus(IntEnum):
    ENABLED = 0
    DISABLED = 1


class ActivationType(IntEnum):
    """The unit of ``activation_point`` and of the fee schedule's periods: slots, or unix seconds."""

    SLOT = 0
    TIMESTAMP = 1


class BaseFeeMode(IntEnum):
    """What the base fee depends on: time, the amount of the swap (rate limiter), or the price (market cap)."""

    TIME_LINEAR = 0
    TIME_EXPONENTIAL = 1
    RATE_LIMITER = 2
    MARKET_CAP_LINEAR = 3
    MARKET_CAP_EXPONENTIAL = 4


_NEWEST_FEE_VERSION: Final = 1
LAYOUT_WITH_BALANCES: Final = 1
"""The first layout that stores the balances. The next swap updates pools of an older layout."""


@dataclass(frozen=True, slots=True)
class BaseFee(Record):
    """The base fee, 40 bytes. The fields have the names of the schedules over time.

    In other modes ``period_frequency`` holds two numbers of 32 bits, the lower half first: for a market cap schedule
    sqrt_price_step_bps and scheduler_expiration_duration, for a rate limiter max_limiter_duration and max_fee_bps. For
    a rate limiter ``number_of_period`` is fee_increment_bps, and ``reduction_factor`` is reference_amount.
    """

    cliff_fee_numerator: U64
    base_fee_mode: U8
    padding_0: Annotated[bytes, raw(5)]
    number_of_period: U16
    period_frequency: U64
    reduction_factor: U64
    padding_1: U64 = 0

    def to_maths(self, init_sqrt_price: int) -> BaseFeeSchedule:
        """The schedule of this fee. Raises UnsupportedPoolError for an unknown mode."""
        try:
            mode = BaseFeeMode(self.base_fee_mode)
        except ValueError:
            raise UnsupportedPoolError(Unsupported.FEE_MODE) from None
        cliff, periods, reduction = self.cliff_fee_numerator, self.number_of_period, self.reduction_factor
        low, high = self.period_frequency & U32_MAX, self.period_frequency >> 32
        match mode:
            case BaseFeeMode.TIME_LINEAR | BaseFeeMode.TIME_EXPONENTIAL:
                exponential = mode == BaseFeeMode.TIME_EXPONENTIAL
                return TimeSchedule(exponential, cliff, periods, self.period_frequency, reduction)
            case BaseFeeMode.RATE_LIMITER:
                return RateLimiterSchedule(cliff, periods, low, high, reduction)
        exponential = mode == BaseFeeMode.MARKET_CAP_EXPONENTIAL
        return MarketCapSchedule(exponential, cliff, periods, low, high, reduction, init_sqrt_price)


@dataclass(frozen=True, slots=True)
class DynamicFee(Record):
    """The dynamic fee, which depends on volatility, 96 bytes; all zero if the pool has none."""

    initialized: U8
    padding: Annotated[bytes, raw(7)]
    max_volatility_accumulator: U32
    variable_fee_control: U32
    bin_step: U16
    filter_period: U16
    decay_period: U16
    reduction_factor: U16
    last_update_timestamp: U64
    bin_step_u128: U128
    sqrt_price_reference: U128
    volatility_accumulator: U128
    volatility_reference: U128


@dataclass(frozen=True, slots=True)
class PoolFees(Record):
    """The fees of a pool, 160 bytes. ``compounding_fee_bps`` in basis points."""

    base_fee: BaseFee
    protocol_fee_percent: U8
    padding_0: U8
    referral_fee_percent: U8
    padding_1: Annotated[bytes, raw(3)]
    compounding_fee_bps: U16
    dynamic_fee: DynamicFee
    init_sqrt_price: U128


@dataclass(frozen=True, slots=True)
class PoolMetrics(Record):
    """All fees taken since the pool's creation, in base units."""

    total_lp_a_fee: U128
    total_lp_b_fee: U128
    total_protocol_a_fee: U64
    total_protocol_b_fee: U64
    padding_0: Annotated[bytes, raw(16)]
    total_position: U64
    padding_1: U64


@dataclass(frozen=True, slots=True)
class Pool(Record):
    """A pool, 1112 bytes. Prices and liquidity in Q64.64, fees per liquidity in Q128.128, amounts in base units."""

    DISCRIMINATOR = bytes.fromhex("f19a6d0411b16dbc")
    fees: PoolFees
    token_a_mint: Key
    token_b_mint: Key
    token_a_vault: Key
    token_b_vault: Key
    whitelisted_vault: Key
    padding_0: Annotated[bytes, raw(32)]
    liquidity: U128
    padding_1: U128
    protocol_a_fee: U64
    protocol_b_fee: U64
    dead_liquidity_fee_checkpoint: U64
    padding_2: U64
    sqrt_min_price: U128
    sqrt_max_price: U128
    sqrt_price: U128
    activation_point: U64
    activation_type: U8
    pool_status: U8
    token_a_flag: U8
    token_b_flag: U8
    collect_fee_mode: U8
    pool_type: U8
    fee_version: U8
    padding_3: U8
    fee_a_per_liquidity: U256
    fee_b_per_liquidity: U256
    permanent_lock_liquidity: U128
    metrics: PoolMetrics
    creator: Key
    token_a_amount: U64
    token_b_amount: U64
    layout_version: U8
    padding_4: Annotated[bytes, raw(31)]
    reward_infos: Annotated[bytes, raw(2 * 192)] = bytes(2 * 192)

    @property
    def token_a_program(self) -> Pubkey:
        return token.TOKEN_2022_PROGRAM_ID if self.token_a_flag else token.PROGRAM_ID

    @property
    def token_b_program(self) -> Pubkey:
        return token.TOKEN_2022_PROGRAM_ID if self.token_b_flag else token.PROGRAM_ID

    def point(self, *, slot: int, unix_time: int) -> int:
        """The current time in the unit of ``activation_point``: the ``point`` of a swap."""
        return slot if self.activation_type == ActivationType.SLOT else unix_time

    def accepts_swaps(self, *, slot: int, unix_time: int) -> bool:
        """Whether the program accepts swaps now; if not, it fails with PoolDisabled.

        Before the activation point only the pool's whitelisted vault may buy.
        """
        is_active = self.point(slot=slot, unix_time=unix_time) >= self.activation_point
        return self.pool_status == PoolStatus.ENABLED and is_active

    def to_pool(self) -> DammV2Pool:
        """The pool for the maths. Raises UnsupportedPoolError for unknown fee schedules and flags, and SwapError if the
        balances depend on a price that is not in the range."""
        if self.pool_status > PoolStatus.DISABLED or self.activation_type > ActivationType.TIMESTAMP:
            raise UnsupportedPoolError(Unsupported.UNKNOWN_FLAG)
        check_reserved(self, "padding_3", "padding_4")
        check_reserved(self.fees.dynamic_fee, "padding")
        self._check_fees()
        token_a_amount, token_b_amount = self._balances()
        dynamic = self.fees.dynamic_fee
        return DammV2Pool(
            base_fee=self.fees.base_fee.to_maths(self.fees.init_sqrt_price),
            dynamic_fee=DammV2DynamicFee(
                initialized=bool(dynamic.initialized),
                max_volatility_accumulator=dynamic.max_volatility_accumulator,
                variable_fee_control=dynamic.variable_fee_control,
                bin_step=dynamic.bin_step,
                filter_period=dynamic.filter_period,
                decay_period=dynamic.decay_period,
                reduction_factor=dynamic.reduction_factor,
                last_update_timestamp=dynamic.last_update_timestamp,
                bin_step_u128=dynamic.bin_step_u128,
                sqrt_price_reference=dynamic.sqrt_price_reference,
                volatility_accumulator=dynamic.volatility_accumulator,
                volatility_reference=dynamic.volatility_reference,
            ),
            protocol_fee_percent=self.fees.protocol_fee_percent,
            compounding_fee_bps=self.fees.compounding_fee_bps,
            collect_fee_mode=self.collect_fee_mode,
            fee_version=self.fee_version,
            activation_point=self.activation_point,
            liquidity=self.liquidity,
            sqrt_min_price=self.sqrt_min_price,
            sqrt_max_price=self.sqrt_max_price,
            sqrt_price=self.sqrt_price,
            token_a_amount=token_a_amount,
            token_b_amount=token_b_amount,
            protocol_a_fee=self.protocol_a_fee,
            protocol_b_fee=self.protocol_b_fee,
        )

    def _check_fees(self) -> None:
        if self.fee_version > _NEWEST_FEE_VERSION:
            raise UnsupportedPoolError(Unsupported.FEE_MODE)
        if self.collect_fee_mode > COLLECT_FEE_COMPOUNDING:
            raise UnsupportedPoolError(Unsupported.FEE_SIDE)

    def _balances(self) -> tuple[int, int]:
        """The balances of the liquidity; computed from price and range if the account does not store them."""
        if self.layout_version >= LAYOUT_WITH_BALANCES:
            return self.token_a_amount, self.token_b_amount
        return balances_of(self.liquidity, self.sqrt_min_price, self.sqrt_price, self.sqrt_max_price)
