"""The fees of Meteora DAMM v2: a base fee that may fall on a schedule, and a dynamic fee that follows volatility.

Formulas: MeteoraAg/damm-v2, `programs/cp-amm/src/{state/fee.rs,base_fee/fee_time_scheduler.rs}`. Fee numerators are
billionths, `reduction_factor` (of the dynamic fee) basis points, square-root prices Q64.64.
"""

from dataclasses import dataclass
from typing import Final, Self

from orderd.amm.fixed_point import Q64, pow_q64
from orderd.amm.swap import SwapError, SwapErrorKind, less_fee
from orderd.amm.volatility import BASIS_POINTS, decayed_reference, variable_fee

LINEAR_SCHEDULE: Final = 0
EXPONENTIAL_SCHEDULE: Final = 1


@dataclass(frozen=True, slots=True)
class DammV2BaseFee:
    """The fee apart from volatility: it falls from the cliff once a period, where there are periods.

    A point is a unix second or a slot, whichever activates the pool; `period_frequency` is in points.
    `reduction_factor` is billionths a period on a linear schedule, basis points a period on an exponential one.
    """

    cliff_fee_numerator: int
    base_fee_mode: int
    number_of_period: int
    period_frequency: int
    reduction_factor: int

    def numerator(self, *, activation_point: int, point: int) -> int:
        """The base fee at `point`. Raises SwapError for modes other than the two schedules, and below nothing."""
        if self.base_fee_mode not in (LINEAR_SCHEDULE, EXPONENTIAL_SCHEDULE):
            raise SwapError(SwapErrorKind.UNSUPPORTED_FEE_MODE)
        if self.period_frequency == 0:
            return self.cliff_fee_numerator
        periods = self.number_of_period
        if point >= activation_point:
            periods = min((point - activation_point) // self.period_frequency, periods)
        if self.base_fee_mode == LINEAR_SCHEDULE:
            return less_fee(self.cliff_fee_numerator, self.reduction_factor * periods)
        kept = Q64 - self.reduction_factor * Q64 // BASIS_POINTS
        return self.cliff_fee_numerator * pow_q64(kept, periods) >> 64


@dataclass(frozen=True, slots=True)
class DammV2DynamicFee:
    """The volatility part, as the pool stores it. Price distances count 10,000 a bin of `bin_step` basis points."""

    initialized: bool
    max_volatility_accumulator: int
    variable_fee_control: int
    bin_step: int
    filter_period: int
    decay_period: int
    reduction_factor: int
    last_update_timestamp: int
    bin_step_u128: int
    sqrt_price_reference: int
    volatility_accumulator: int
    volatility_reference: int

    @property
    def numerator(self) -> int:
        """What volatility adds to the fee: by the accumulator that the swap before this one left."""
        if not self.initialized:
            return 0
        return variable_fee(self.variable_fee_control, self.volatility_accumulator, self.bin_step)

    def after_swap(self, sqrt_price: int, end_sqrt_price: int, now: int) -> Self:
        """The state once a swap has moved the price from `sqrt_price` to `end_sqrt_price` at unix second `now`."""
        if not self.initialized:
            return self
        sqrt_price_reference, volatility_reference = self.sqrt_price_reference, self.volatility_reference
        elapsed = now - self.last_update_timestamp
        if elapsed >= self.filter_period:
            sqrt_price_reference = sqrt_price
            volatility_reference = decayed_reference(
                self.volatility_accumulator, self.reduction_factor, elapsed, self.decay_period
            )
        distance = self._bins_between(sqrt_price_reference, end_sqrt_price)
        return type(self)(
            initialized=True,
            max_volatility_accumulator=self.max_volatility_accumulator,
            variable_fee_control=self.variable_fee_control,
            bin_step=self.bin_step,
            filter_period=self.filter_period,
            decay_period=self.decay_period,
            reduction_factor=self.reduction_factor,
            last_update_timestamp=now if self._bins_between(sqrt_price, end_sqrt_price) else self.last_update_timestamp,
            bin_step_u128=self.bin_step_u128,
            sqrt_price_reference=sqrt_price_reference,
            volatility_accumulator=min(volatility_reference + distance * BASIS_POINTS, self.max_volatility_accumulator),
            volatility_reference=volatility_reference,
        )

    def _bins_between(self, sqrt_price: int, other: int) -> int:
        """The distance of two prices in bins: a bin of price is half as much of its square root."""
        low, high = sorted((sqrt_price, other))
        if not (low and self.bin_step_u128):
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return 2 * (((high << 64) // low - Q64) // self.bin_step_u128)
