"""Raydium CLMM: liquidity concentrated between ticks, which a swap crosses in stretches, and limit orders at ticks.

Formulas: raydium-io/raydium-clmm, ``programs/amm/src/instructions/swap.rs`` of July 2026. Square-root prices and fee
growths are Q64.64, fee rates millionths, amounts base units, ``now`` is a unix second.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from operator import attrgetter
from typing import Final, NamedTuple

from orderd.amm.fixed_point import Q64
from orderd.amm.stretch import Stretch
from orderd.amm.swap import U64_MAX, U128_MAX, SwapError, SwapErrorKind
from orderd.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE, sqrt_price_at_tick, tick_at_sqrt_price
from orderd.domain.frozen import dataclass
from orderd.pools.raydium_clmm.maths.dynamic_fee import DynamicFeeState, FeeMeter
from orderd.pools.raydium_clmm.maths.limit_orders import (
    NO_ORDERS,
    LimitOrders,
    OrderPrice,
    match_exact_in,
    match_exact_out,
)
from orderd.pools.raydium_clmm.maths.step import FEE_RATE_DENOMINATOR, Step, step_exact_in, step_exact_out

MAX_STEPS: Final = 1_000
"""Limit of ticks and fee groups per swap. No transaction has enough compute units for more."""

FEE_ON_INPUT: Final = 0
FEE_ON_TOKEN_0: Final = 1
FEE_ON_TOKEN_1: Final = 2


@dataclass(frozen=True, slots=True)
class ClmmTick:
    """An initialized tick: the liquidity that crossing it upwards adds, and the limit orders at it.

    A tick without liquidity exists only for its orders; crossing it changes nothing.
    """

    tick: int
    liquidity_net: int
    orders: LimitOrders = NO_ORDERS
    has_liquidity: bool = True

    @property
    def is_initialized(self) -> bool:
        return self.has_liquidity or self.orders.waiting > 0


@dataclass(frozen=True, slots=True)
class ClmmPool:
    """A pool as PoolState, AmmConfig and its tick arrays store it. ``ticks`` are the initialized ones in ascending
    order."""

    trade_fee_rate: int
    protocol_fee_rate: int
    fund_fee_rate: int
    fee_on: int
    liquidity: int
    sqrt_price: int
    tick_current: int
    fee_growth_global_0: int
    fee_growth_global_1: int
    protocol_fees_0: int
    protocol_fees_1: int
    fund_fees_0: int
    fund_fees_1: int
    ticks: tuple[ClmmTick, ...]
    dynamic_fee: DynamicFeeState | None = None


class ClmmCrossing(NamedTuple):
    """A tick that a swap crossed, and the pool's fee growths at that moment, which update the tick's own growths."""

    tick: int
    fee_growth_global_0: int
    fee_growth_global_1: int


@dataclass(frozen=True, slots=True)
class ClmmSwap:
    """A swap's outcome in base units: ``amount_in`` is paid with all fees, ``amount_out`` received after them.

    ``protocol_fee`` and ``fund_fee`` are parts of ``fee``. ``crossings`` are in the order of the swap; ``filled`` are
    the ticks with limit orders that it reached, in their new state. ``steps`` counts ticks, fills and groups of a
    dynamic fee. ``partial_fill``: the price limit ended the swap before the whole amount was used. ``pool`` is the
    state after the swap.
    """

    amount_in: int
    amount_out: int
    fee: int
    protocol_fee: int
    fund_fee: int
    fee_on_input: bool
    crossings: tuple[ClmmCrossing, ...]
    filled: tuple[ClmmTick, ...]
    steps: int
    partial_fill: bool
    pool: ClmmPool

    @property
    def ticks_crossed(self) -> int:
        return len(self.crossings)

    @property
    def net_in(self) -> int:
        """The input that moved the price, after a fee on the input."""
        return self.amount_in - self.fee if self.fee_on_input else self.amount_in

    @property
    def gross_out(self) -> int:
        """The output of the price move, before a fee on the output."""
        return self.amount_out if self.fee_on_input else self.amount_out + self.fee


def swap_exact_in(
    pool: ClmmPool, amount_in: int, *, zero_for_one: bool, now: int, sqrt_price_limit: int | None = None
) -> ClmmSwap:
    """Swap exactly ``amount_in`` base units of token 0 (``zero_for_one``) or token 1, or less up to the price limit.

    Raises SwapError.
    """
    if amount_in <= 0:
        raise SwapError(SwapErrorKind.ZERO_INPUT)
    return _Walk(pool, amount_in, zero_for_one, sqrt_price_limit, now, exact_in=True).outcome()


def swap_exact_out(
    pool: ClmmPool, amount_out: int, *, zero_for_one: bool, now: int, sqrt_price_limit: int | None = None
) -> ClmmSwap:
    """Swap for exactly ``amount_out`` base units of token 1 (``zero_for_one``) or token 0, or less up to the price
    limit.

    Raises SwapError.
    """
    if amount_out <= 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    return _Walk(pool, amount_out, zero_for_one, sqrt_price_limit, now, exact_in=False).outcome()


def spot_price(pool: ClmmPool, *, zero_for_one: bool) -> Fraction:
    """Base units of output per base unit of input for an infinitely small swap without fees. Raises SwapError."""
    price = Fraction(sqrt_price_of(pool) ** 2, Q64 * Q64)
    return price if zero_for_one else 1 / price


def takes_fee_on_input(pool: ClmmPool, zero_for_one: bool) -> bool:
    """Whether the fee of a swap in this direction is taken from the input, otherwise from the output."""
    return pool.fee_on in (FEE_ON_INPUT, FEE_ON_TOKEN_0 if zero_for_one else FEE_ON_TOKEN_1)


def sqrt_price_of(pool: ClmmPool) -> int:
    """The square-root price, Q64.64. Raises SwapError if price and tick of the pool contradict each other.

    After a crossing downwards the price is at the upper end of its tick.
    """
    if not sqrt_price_at_tick(pool.tick_current) <= pool.sqrt_price <= sqrt_price_at_tick(pool.tick_current + 1):
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return pool.sqrt_price


def sqrt_price_ahead(tick: ClmmTick, sqrt_price: int, zero_for_one: bool) -> int:
    """The square-root price of the next tick. Raises SwapError if it is not ahead."""
    target = sqrt_price_at_tick(tick.tick)
    if target != sqrt_price and (target > sqrt_price) == zero_for_one:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return target


def liquidity_behind(tick: ClmmTick, liquidity: int, zero_for_one: bool) -> int:
    """The liquidity in range after crossing a tick. Raises SwapError if it is negative."""
    after = liquidity + (-tick.liquidity_net if zero_for_one else tick.liquidity_net)
    if after < 0:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return after


def ticks_ahead(pool: ClmmPool, zero_for_one: bool) -> Iterator[ClmmTick]:
    """The initialized ticks ahead of a swap in this direction, the nearest first."""
    above = bisect_right(pool.ticks, pool.tick_current, key=attrgetter("tick"))
    return reversed(pool.ticks[:above]) if zero_for_one else iter(pool.ticks[above:])


class _Walk:
    """A swap in progress: the current price and liquidity, and the sums so far."""

    def __init__(
        self,
        pool: ClmmPool,
        amount: int,
        zero_for_one: bool,
        sqrt_price_limit: int | None,
        now: int,
        *,
        exact_in: bool,
    ) -> None:
        if pool.trade_fee_rate >= FEE_RATE_DENOMINATOR:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        self.pool = pool
        self.left = amount
        self.exact_in = exact_in
        self.zero_for_one = zero_for_one
        self.limit = self._checked_limit(sqrt_price_limit)
        self.fee_on_input = takes_fee_on_input(pool, zero_for_one)
        self.fee_in_token_0 = self.fee_on_input == zero_for_one
        self.liquidity = pool.liquidity
        self.sqrt_price = sqrt_price_of(pool)
        self.tick_current = pool.tick_current
        self.meter = FeeMeter(pool.trade_fee_rate, pool.dynamic_fee, pool.tick_current, now, zero_for_one=zero_for_one)
        self.amount_in = 0
        self.amount_out = 0
        self.fee = 0
        self.protocol_fee = 0
        self.fund_fee = 0
        self.fee_growth = 0
        self.steps = 0
        self.crossings: list[ClmmCrossing] = []
        self.filled: list[ClmmTick] = []

    def _checked_limit(self, limit: int | None) -> int:
        if limit is None:
            return MIN_SQRT_PRICE + 1 if self.zero_for_one else MAX_SQRT_PRICE - 1
        ahead = MIN_SQRT_PRICE < limit < self.pool.sqrt_price
        if not self.zero_for_one:
            ahead = self.pool.sqrt_price < limit < MAX_SQRT_PRICE
        if not ahead:
            raise SwapError(SwapErrorKind.INVALID_PRICE_LIMIT)
        return limit

    def outcome(self) -> ClmmSwap:
        """Run the swap until the amount is used up or the price limit is reached. Raises SwapError."""
        for tick in ticks_ahead(self.pool, self.zero_for_one):
            self._go_to(tick)
            if not self.left or self.sqrt_price == self.limit:
                return self._settled()
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)

    # Steps

    def _go_to(self, tick: ClmmTick) -> None:
        """Move to this tick or the limit, whichever is nearer; one step per fee rate."""
        tick_price = sqrt_price_ahead(tick, self.sqrt_price, self.zero_for_one)
        target = max(tick_price, self.limit) if self.zero_for_one else min(tick_price, self.limit)
        swap_step = step_exact_in if self.exact_in else step_exact_out
        while True:
            rate = self.meter.rate()
            reach = self.meter.reach(target, self.liquidity)
            stretch = Stretch(self.liquidity << 64, self.sqrt_price, self.zero_for_one)
            step = swap_step(stretch, reach.sqrt_price, self.left, fee_rate=rate, fee_on_input=self.fee_on_input)
            self._gather(step)
            if step.sqrt_price == tick_price:
                self._arrive(tick, tick_price, rate)
            elif step.sqrt_price != self.sqrt_price:
                edge = reach.tick if step.sqrt_price == reach.sqrt_price else None
                self.tick_current = tick_at_sqrt_price(step.sqrt_price) if edge is None else edge
            self.sqrt_price = step.sqrt_price
            self.meter.moved(tick.tick if step.sqrt_price == tick_price else self.tick_current, is_even=reach.is_even)
            if not self.left or self.sqrt_price == target:
                return
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)

    def _gather(self, step: Step) -> None:
        protocol_fee = step.fee * self.pool.protocol_fee_rate // FEE_RATE_DENOMINATOR
        fund_fee = step.fee * self.pool.fund_fee_rate // FEE_RATE_DENOMINATOR
        earned = step.fee - protocol_fee - fund_fee
        if self.liquidity:
            self.fee_growth += earned * Q64 // self.liquidity
        else:  # Without liquidity, the fee on limit orders goes to the protocol.
            protocol_fee += earned
        paid = step.amount_in + (step.fee if self.fee_on_input else 0)
        self.left -= paid if self.exact_in else step.amount_out
        self.amount_in += paid
        self.amount_out += step.amount_out
        self.fee += step.fee
        self.protocol_fee += protocol_fee
        self.fund_fee += fund_fee

    def _arrive(self, tick: ClmmTick, sqrt_price: int, rate: int) -> None:
        """Fill the tick's orders as far as the amount suffices, and cross the tick if none are left."""
        self.steps += 1
        orders = tick.orders
        if self.left and orders.waiting:
            price = OrderPrice.at(sqrt_price, zero_for_one=self.zero_for_one)
            match = match_exact_in if self.exact_in else match_exact_out
            matched = match(orders, price, self.left, rate=rate, fee_on_input=self.fee_on_input)
            self._gather(Step(sqrt_price, matched.amount_in, matched.amount_out, matched.fee))
            orders = matched.orders
            self.steps += 1
        if tick.orders.waiting:
            self.filled.append(replace(tick, orders=orders))
        self.tick_current = tick.tick - (self.zero_for_one != bool(orders.waiting))
        if tick.has_liquidity and not orders.waiting:
            self.liquidity = liquidity_behind(tick, self.liquidity, self.zero_for_one)
            self.crossings.append(ClmmCrossing(tick.tick, *self._fee_growths()))

    def _fee_growths(self) -> tuple[int, int]:
        """The pool's fee growths in token 0 and token 1 as of now."""
        growth_0, growth_1 = self.pool.fee_growth_global_0, self.pool.fee_growth_global_1
        if self.fee_in_token_0:
            return growth_0 + self.fee_growth & U128_MAX, growth_1
        return growth_0, growth_1 + self.fee_growth & U128_MAX

    def _settled(self) -> ClmmSwap:
        """The result, with the pool's state after the swap. Raises SwapError."""
        if self.amount_in == 0:
            raise SwapError(SwapErrorKind.ZERO_INPUT)
        if self.amount_out == 0:
            raise SwapError(SwapErrorKind.ZERO_OUTPUT)
        if self.amount_in > U64_MAX:
            raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
        pool, in_0 = self.pool, self.fee_in_token_0
        fee_growth_global_0, fee_growth_global_1 = self._fee_growths()
        end = ClmmPool(
            trade_fee_rate=pool.trade_fee_rate,
            protocol_fee_rate=pool.protocol_fee_rate,
            fund_fee_rate=pool.fund_fee_rate,
            fee_on=pool.fee_on,
            liquidity=self.liquidity,
            sqrt_price=self.sqrt_price,
            tick_current=self.tick_current,
            fee_growth_global_0=fee_growth_global_0,
            fee_growth_global_1=fee_growth_global_1,
            protocol_fees_0=pool.protocol_fees_0 + (self.protocol_fee if in_0 else 0),
            protocol_fees_1=pool.protocol_fees_1 + (0 if in_0 else self.protocol_fee),
            fund_fees_0=pool.fund_fees_0 + (self.fund_fee if in_0 else 0),
            fund_fees_1=pool.fund_fees_1 + (0 if in_0 else self.fund_fee),
            ticks=self._ticks_after(),
            dynamic_fee=self.meter.dynamic,
        )
        return ClmmSwap(
            amount_in=self.amount_in,
            amount_out=self.amount_out,
            fee=self.fee,
            protocol_fee=self.protocol_fee,
            fund_fee=self.fund_fee,
            fee_on_input=self.fee_on_input,
            crossings=tuple(self.crossings),
            filled=tuple(self.filled),
            steps=self.steps,
            partial_fill=self.left > 0,
            pool=end,
        )

    def _ticks_after(self) -> tuple[ClmmTick, ...]:
        if not self.filled:
            return self.pool.ticks
        filled = {each.tick: each if each.orders.waiting else replace(each, orders=NO_ORDERS) for each in self.filled}
        ticks = (filled.get(tick.tick, tick) for tick in self.pool.ticks)
        return tuple(tick for tick in ticks if tick.is_initialized)
