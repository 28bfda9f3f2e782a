"""Raydium CLMM's dynamic fee: it rises with each group of ticks that the price enters, and decays with time.

A group is ``tick_spacing`` ticks. Formulas: raydium-io/raydium-clmm, ``programs/amm/src/states/pool_fee.rs`` and
``instructions/swap.rs`` of July 2026. Fee rates are millionths, times are in seconds.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from orderd.amm.swap import SwapError, SwapErrorKind, ceil_div
from orderd.amm.tick_math import MAX_TICK, MIN_TICK, sqrt_price_at_tick

MAX_FEE_RATE: Final = 100_000
"""Maximum of base and dynamic fee together."""

_PER_GROUP: Final = 10_000
"""What a group adds to the accumulator; also the denominator of ``reduction_factor``."""
_CONTROL: Final = 100_000


@dataclass(frozen=True, slots=True)
class DynamicFeeState:
    """Parameters and state: how far recent swaps moved the price (``accumulator``), from which group, and when."""

    tick_spacing: int
    filter_period: int
    decay_period: int
    reduction_factor: int
    control: int
    max_accumulator: int
    group_reference: int
    volatility_reference: int
    accumulator: int
    last_update: int

    def at(self, now: int, group: int) -> Self:
        """The state at the start of a swap in this group."""
        elapsed = max(now - self.last_update, 0)
        if elapsed < self.filter_period:
            return self
        decayed = self.accumulator * self.reduction_factor // _PER_GROUP if elapsed < self.decay_period else 0
        return replace(self, group_reference=group, volatility_reference=decayed, last_update=now)

    def in_group(self, group: int) -> Self:
        """The state after the price has entered this group."""
        moved = self.volatility_reference + abs(self.group_reference - group) * _PER_GROUP
        accumulator = min(moved, self.max_accumulator)
        return self if accumulator == self.accumulator else replace(self, accumulator=accumulator)

    @property
    def is_at_its_highest(self) -> bool:
        return self.accumulator == self.max_accumulator

    def rate_with(self, base_rate: int) -> int:
        """The rate of base and dynamic fee together."""
        moved = self.accumulator * self.tick_spacing
        return min(base_rate + ceil_div(self.control * moved * moved, _CONTROL * _PER_GROUP * _PER_GROUP), MAX_FEE_RATE)


class Reach(NamedTuple):
    """The square-root price (Q64.64) up to which a fee rate is valid; ``tick`` is its tick if it is a group's edge.

    ``is_even``: the rate does not change on the way to the next initialized tick.
    """

    sqrt_price: int
    tick: int | None
    is_even: bool


class FeeMeter:
    """The fee rate of a swap as it moves from group to group; constant without a dynamic fee. Raises SwapError."""

    def __init__(
        self, base_rate: int, dynamic: DynamicFeeState | None, tick: int, now: int, *, zero_for_one: bool
    ) -> None:
        self.dynamic = dynamic
        self._base_rate = base_rate
        self._zero_for_one = zero_for_one
        if dynamic is not None:
            if dynamic.tick_spacing <= 0:
                raise SwapError(SwapErrorKind.MATH_OVERFLOW)
            self._group = tick // dynamic.tick_spacing
            self.dynamic = dynamic.at(now, self._group)

    def rate(self) -> int:
        """The rate in the current group."""
        if self.dynamic is None:
            return self._base_rate
        self.dynamic = self.dynamic.in_group(self._group)
        return self.dynamic.rate_with(self._base_rate)

    def reach(self, target: int, liquidity: int) -> Reach:
        """How far the rate is valid on the way to ``target``. Without liquidity, groups are skipped."""
        dynamic = self.dynamic
        if dynamic is None or dynamic.is_at_its_highest or not liquidity:
            return Reach(target, None, True)
        edge = (self._group + (not self._zero_for_one)) * dynamic.tick_spacing
        edge = min(max(edge, MIN_TICK), MAX_TICK)
        sqrt_price = sqrt_price_at_tick(edge)
        if target > sqrt_price if self._zero_for_one else target < sqrt_price:
            return Reach(target, None, False)
        return Reach(sqrt_price, edge, False)

    def moved(self, tick: int, *, is_even: bool) -> None:
        """Move to the next group. ``tick`` is the tick of the new price, or the initialized tick if it is reached."""
        dynamic = self.dynamic
        if dynamic is None:
            return
        if is_even:
            at_edge = not self._zero_for_one and tick % dynamic.tick_spacing == 0
            self._group = tick // dynamic.tick_spacing - at_edge
            self.dynamic = dynamic.in_group(self._group)
        self._group += -1 if self._zero_for_one else 1
