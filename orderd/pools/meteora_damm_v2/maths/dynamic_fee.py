"""The dynamic fee of Meteora DAMM v2, which depends on volatility.

Formulas: MeteoraAg/damm-v2, ``programs/cp-amm/src/state/fee.rs``. Fee numerators are billionths, ``reduction_factor``
basis points, square-root prices Q64.64.
"""

from typing import Self

from orderd.amm.fixed_point import Q64
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.amm.volatility import BASIS_POINTS, decayed_reference, variable_fee
from orderd.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class DammV2DynamicFee:
    """The dynamic fee as the pool stores it. Price distances count 10,000 per bin of ``bin_step`` basis points."""

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
        """The dynamic fee in billionths, from the volatility accumulator after the previous swap."""
        if not self.initialized:
            return 0
        return variable_fee(self.variable_fee_control, self.volatility_accumulator, self.bin_step)

    def after_swap(self, sqrt_price: int, end_sqrt_price: int, now: int) -> Self:
        """The state once a swap has moved the price from ``sqrt_price`` to ``end_sqrt_price`` at unix second
        ``now``."""
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
        """The distance of two prices in bins. Doubled, because a step of the square root is two steps of the price."""
        low, high = sorted((sqrt_price, other))
        if not (low and self.bin_step_u128):
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return 2 * (((high << 64) // low - Q64) // self.bin_step_u128)
