"""The base fee of Meteora DAMM v2: it may fall with time or with a rising price, or rise with the amount.

Formulas: MeteoraAg/damm-v2, ``programs/cp-amm/src/base_fee/``. Fee numerators are billionths, square-root prices
Q64.64, amounts base units. A point is a unix second or a slot, depending on the pool's activation type.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Final, NamedTuple, Protocol

from orderd.amm.fixed_point import Q64, pow_q64
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div, less_fee
from orderd.amm.volatility import BASIS_POINTS, FEE_PRECISION, fee_in, fee_on_top

_BILLIONTHS_PER_BASIS_POINT: Final = FEE_PRECISION // BASIS_POINTS


class Moment(NamedTuple):
    """What a base fee depends on besides the amount: the swap's direction and time, and the pool's price."""

    a_to_b: bool
    point: int
    activation_point: int
    sqrt_price: int


class BaseFeeSchedule(Protocol):
    """The fee rate of a swap, by the amount with the fee (gross) or without it (net). Raises SwapError."""

    def of_gross(self, amount: int, moment: Moment) -> int: ...
    def of_net(self, amount: int, moment: Moment) -> int: ...


@dataclass(frozen=True, slots=True)
class TimeSchedule:
    """The fee starts at the cliff and falls once per period; with a period of 0 it is constant.

    ``period_frequency`` is in points. ``reduction_factor`` is in billionths per period or, on an ``exponential``
    schedule, in basis points of the current fee.
    """

    exponential: bool
    cliff_fee_numerator: int
    number_of_period: int
    period_frequency: int
    reduction_factor: int

    def of_gross(self, amount: int, moment: Moment) -> int:  # noqa: ARG002  (the rate does not depend on the amount)
        if self.period_frequency == 0:
            return self.cliff_fee_numerator
        periods = self.number_of_period
        if moment.point >= moment.activation_point:
            periods = min((moment.point - moment.activation_point) // self.period_frequency, periods)
        return _reduced(self.cliff_fee_numerator, self.reduction_factor, periods, exponential=self.exponential)

    of_net = of_gross


@dataclass(frozen=True, slots=True)
class MarketCapSchedule:
    """The fee falls from the cliff once per step that the square-root price has risen since the pool began.

    A step is ``sqrt_price_step_bps`` of the initial square-root price. Once ``scheduler_expiration_duration`` points
    have passed, the fee is the lowest. ``reduction_factor`` as in ``TimeSchedule``, per step.
    """

    exponential: bool
    cliff_fee_numerator: int
    number_of_period: int
    sqrt_price_step_bps: int
    scheduler_expiration_duration: int
    reduction_factor: int
    init_sqrt_price: int

    def of_gross(self, amount: int, moment: Moment) -> int:  # noqa: ARG002  (the rate does not depend on the amount)
        steps = self.number_of_period
        if 0 <= moment.point - moment.activation_point <= self.scheduler_expiration_duration:
            steps = min(self._risen(moment.sqrt_price), steps)
        return _reduced(self.cliff_fee_numerator, self.reduction_factor, steps, exponential=self.exponential)

    of_net = of_gross

    def _risen(self, sqrt_price: int) -> int:
        if sqrt_price <= self.init_sqrt_price:
            return 0
        if not (self.init_sqrt_price and self.sqrt_price_step_bps):
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        risen = (sqrt_price - self.init_sqrt_price) * BASIS_POINTS // self.init_sqrt_price
        return risen // self.sqrt_price_step_bps


@dataclass(frozen=True, slots=True)
class RateLimiterSchedule:
    """For ``max_limiter_duration`` points after activation, each further ``reference_amount`` of a purchase pays more.

    A purchase is a swap of token b for token a. Its first reference amount pays the cliff, each next one
    ``fee_increment_bps`` more, up to ``max_fee_bps``; the rate of a swap is what that makes on average, rounded up.
    """

    cliff_fee_numerator: int
    fee_increment_bps: int
    max_limiter_duration: int
    max_fee_bps: int
    reference_amount: int

    def applies(self, moment: Moment) -> bool:
        """Whether the rate depends on the amount."""
        is_limited = self.reference_amount or self.max_limiter_duration or self.max_fee_bps or self.fee_increment_bps
        passed = moment.point - moment.activation_point
        return bool(is_limited) and not moment.a_to_b and 0 <= passed <= self.max_limiter_duration

    def of_gross(self, amount: int, moment: Moment) -> int:
        return self._of_gross(amount) if self.applies(moment) else self.cliff_fee_numerator

    def of_net(self, amount: int, moment: Moment) -> int:
        if not self.applies(moment) or amount <= self._left_of(self.reference_amount):
            return self.cliff_fee_numerator
        gross = self._gross_of(amount)
        return ceil_div((gross - amount) * FEE_PRECISION, gross)

    def marginal_rates(self, cap: int) -> list[int]:
        """What the first, the second and each further reference amount pays; all beyond pays the last of them.

        The list ends where a rate reaches ``cap``. An account may hold a maximum that takes millions of increments.
        """
        increments = self._most_increments()
        increment = self.fee_increment_bps * _BILLIONTHS_PER_BASIS_POINT
        most = min(increments, max(cap - self.cliff_fee_numerator, 0) // increment)
        rising = [self.cliff_fee_numerator + increment * step for step in range(most + 1)]
        return [*rising, min(self.max_fee_bps * _BILLIONTHS_PER_BASIS_POINT, cap)]

    def _most_increments(self) -> int:
        """How many increments the fee can rise by without exceeding the maximum. Raises SwapError."""
        if not (self.fee_increment_bps and self.reference_amount):
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        room = less_fee(self.max_fee_bps * _BILLIONTHS_PER_BASIS_POINT, self.cliff_fee_numerator)
        return room // (self.fee_increment_bps * _BILLIONTHS_PER_BASIS_POINT)

    def _of_gross(self, amount: int) -> int:
        if amount <= self.reference_amount:
            return self.cliff_fee_numerator
        cliff, increment = self.cliff_fee_numerator, self.fee_increment_bps * _BILLIONTHS_PER_BASIS_POINT
        most = self._most_increments()
        further, rest = divmod(amount - self.reference_amount, self.reference_amount)
        last_rate = cliff + increment * (further + 1)
        if further >= most:
            rest += (further - most) * self.reference_amount
            further, last_rate = most, self.max_fee_bps * _BILLIONTHS_PER_BASIS_POINT
        full = cliff * (further + 1) + increment * further * (further + 1) // 2
        fee = ceil_div(self.reference_amount * full + rest * last_rate, FEE_PRECISION)
        return ceil_div(fee * FEE_PRECISION, amount)

    def _left_of(self, gross: int) -> int:
        return less_fee(gross, fee_in(gross, self._of_gross(gross)))

    def _gross_of(self, net: int) -> int:
        """The amount that leaves ``net``, which is more than the first reference amount leaves. Raises SwapError."""
        rising = (self._most_increments() + 1) * self.reference_amount
        highest = min(rising, U64_MAX)
        left = self._left_of(highest)
        if net == left:
            return highest
        if net > left:
            if rising > U64_MAX:
                raise SwapError(SwapErrorKind.MATH_OVERFLOW)
            return highest + net - left + fee_on_top(net - left, self.max_fee_bps * _BILLIONTHS_PER_BASIS_POINT)
        # What n whole reference amounts leave is quadratic in n; as there are amounts that leave more, it has a root.
        increment, reference = self.fee_increment_bps * _BILLIONTHS_PER_BASIS_POINT, self.reference_amount
        linear = (2 * FEE_PRECISION + increment - 2 * self.cliff_fee_numerator) * reference
        root = isqrt(linear * linear - 8 * increment * net * FEE_PRECISION * reference)
        whole = (linear - root) // (2 * increment)
        rest = less_fee(net, self._left_of(whole))
        last_rate = self.cliff_fee_numerator + increment * (whole // reference)
        return whole + rest + fee_on_top(rest, last_rate)


def _reduced(cliff: int, reduction_factor: int, periods: int, *, exponential: bool) -> int:
    """The fee after so many reductions. Raises SwapError if nothing would be left, or less."""
    if not exponential:
        return less_fee(cliff, reduction_factor * periods)
    kept = Q64 - reduction_factor * Q64 // BASIS_POINTS
    return cliff * pow_q64(kept, periods) >> 64
