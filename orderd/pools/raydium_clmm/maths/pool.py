"""Raydium CLMM: liquidity concentrated between ticks, crossed one stretch after the other.

Formulas: raydium-io/raydium-clmm, `programs/amm/src/instructions/swap.rs`. Square-root prices and fee growths are
Q64.64, fee rates millionths, amounts base units. Pools with a dynamic fee or with limit orders are not covered.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter
from typing import Final, NamedTuple

from orderd.amm.fixed_point import Q64
from orderd.amm.stretch import Stretch
from orderd.amm.swap import U64_MAX, U128_MAX, SwapError, SwapErrorKind
from orderd.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE, sqrt_price_at_tick, tick_at_sqrt_price
from orderd.pools.raydium_clmm.maths.step import FEE_RATE_DENOMINATOR, Step, step_exact_in, step_exact_out

FEE_ON_INPUT: Final = 0
FEE_ON_TOKEN_0: Final = 1
FEE_ON_TOKEN_1: Final = 2


@dataclass(frozen=True, slots=True)
class ClmmTick:
    """An initialised tick: what crossing it upwards adds to the liquidity in range."""

    tick: int
    liquidity_net: int


@dataclass(frozen=True, slots=True)
class ClmmPool:
    """A pool as PoolState, AmmConfig and its tick arrays hold it. `ticks` are the initialised ones, in rising order."""

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


class ClmmCrossing(NamedTuple):
    """A tick that a swap crossed, and the pool's fee growths when it did: what the tick's own growths turn on."""

    tick: int
    fee_growth_global_0: int
    fee_growth_global_1: int


@dataclass(frozen=True, slots=True)
class ClmmSwap:
    """A swap's outcome in base units: `amount_in` is paid with all fees, `amount_out` received after them.

    `protocol_fee` and `fund_fee` are parts of `fee`. `crossings` are in the order of the walk. `partial_fill` tells
    that the price limit ended the swap before the whole amount was swapped. `pool` is the state after the swap.
    """

    amount_in: int
    amount_out: int
    fee: int
    protocol_fee: int
    fund_fee: int
    fee_on_input: bool
    crossings: tuple[ClmmCrossing, ...]
    partial_fill: bool
    pool: ClmmPool

    @property
    def ticks_crossed(self) -> int:
        return len(self.crossings)

    @property
    def net_in(self) -> int:
        """What of the input moved the price."""
        return self.amount_in - self.fee if self.fee_on_input else self.amount_in

    @property
    def gross_out(self) -> int:
        """What the move of the price set free, before a fee on the output."""
        return self.amount_out if self.fee_on_input else self.amount_out + self.fee


def swap_exact_in(
    pool: ClmmPool, amount_in: int, *, zero_for_one: bool, sqrt_price_limit: int | None = None
) -> ClmmSwap:
    """Swap exactly `amount_in` base units of token 0 (`zero_for_one`) or token 1, or less up to the price limit.

    Raises SwapError.
    """
    if amount_in <= 0:
        raise SwapError(SwapErrorKind.ZERO_INPUT)
    walk = _Walk(pool, zero_for_one, sqrt_price_limit)
    left = amount_in
    while left and not walk.at_limit:
        step = walk.advance(left, exact_in=True)
        left -= step.amount_in + (step.fee if walk.fee_on_input else 0)
    return walk.settle(partial_fill=left > 0)


def swap_exact_out(
    pool: ClmmPool, amount_out: int, *, zero_for_one: bool, sqrt_price_limit: int | None = None
) -> ClmmSwap:
    """Swap for exactly `amount_out` base units of token 1 (`zero_for_one`) or token 0, or less up to the price limit.

    Raises SwapError.
    """
    if amount_out <= 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    walk = _Walk(pool, zero_for_one, sqrt_price_limit)
    left = amount_out
    while left and not walk.at_limit:
        left -= walk.advance(left, exact_in=False).amount_out
    return walk.settle(partial_fill=left > 0)


def spot_price(pool: ClmmPool, *, zero_for_one: bool) -> Fraction:
    """Base units of output per base unit of input for an infinitely small swap without fees. Raises SwapError."""
    price = Fraction(sqrt_price_of(pool) ** 2, Q64 * Q64)
    return price if zero_for_one else 1 / price


def takes_fee_on_input(pool: ClmmPool, zero_for_one: bool) -> bool:
    """Whether the fee of a swap in this direction is taken from what is paid, else from what it gives."""
    return pool.fee_on in (FEE_ON_INPUT, FEE_ON_TOKEN_0 if zero_for_one else FEE_ON_TOKEN_1)


def sqrt_price_of(pool: ClmmPool) -> int:
    """Where the price stands, Q64.64. Raises SwapError where the pool's own numbers contradict each other.

    After a crossing downwards it stands at the very end of its tick.
    """
    if not sqrt_price_at_tick(pool.tick_current) <= pool.sqrt_price <= sqrt_price_at_tick(pool.tick_current + 1):
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return pool.sqrt_price


def sqrt_price_ahead(tick: ClmmTick, sqrt_price: int, zero_for_one: bool) -> int:
    """The square-root price of a tick that comes next. Raises SwapError for one that lies behind: out of order."""
    target = sqrt_price_at_tick(tick.tick)
    if target != sqrt_price and (target > sqrt_price) == zero_for_one:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return target


def liquidity_behind(tick: ClmmTick, liquidity: int, zero_for_one: bool) -> int:
    """The liquidity in range once the tick is crossed. Raises SwapError where it takes more than there is."""
    after = liquidity + (-tick.liquidity_net if zero_for_one else tick.liquidity_net)
    if after < 0:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return after


def ticks_ahead(pool: ClmmPool, zero_for_one: bool) -> Iterator[ClmmTick]:
    """The initialised ticks that a swap in this direction meets, the nearest first."""
    above = bisect_right(pool.ticks, pool.tick_current, key=attrgetter("tick"))
    return reversed(pool.ticks[:above]) if zero_for_one else iter(pool.ticks[above:])


class _Walk:
    """One swap on its way through the ticks: the price and liquidity where it stands, and what it gathered so far."""

    def __init__(self, pool: ClmmPool, zero_for_one: bool, sqrt_price_limit: int | None) -> None:
        if pool.trade_fee_rate >= FEE_RATE_DENOMINATOR:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        self.pool = pool
        self.zero_for_one = zero_for_one
        self.limit = self._checked_limit(sqrt_price_limit)
        self.fee_on_input = takes_fee_on_input(pool, zero_for_one)
        self.fee_in_token_0 = self.fee_on_input == zero_for_one
        self.liquidity = pool.liquidity
        self.sqrt_price = sqrt_price_of(pool)
        self.tick_current = pool.tick_current
        self.ahead = ticks_ahead(pool, zero_for_one)
        self.next_tick = next(self.ahead, None)
        self.amount_in = 0
        self.amount_out = 0
        self.fee = 0
        self.protocol_fee = 0
        self.fund_fee = 0
        self.fee_growth = 0
        self.crossings: list[ClmmCrossing] = []

    def _checked_limit(self, limit: int | None) -> int:
        if limit is None:
            return MIN_SQRT_PRICE + 1 if self.zero_for_one else MAX_SQRT_PRICE - 1
        ahead = MIN_SQRT_PRICE < limit < self.pool.sqrt_price
        if not self.zero_for_one:
            ahead = self.pool.sqrt_price < limit < MAX_SQRT_PRICE
        if not ahead:
            raise SwapError(SwapErrorKind.INVALID_PRICE_LIMIT)
        return limit

    @property
    def at_limit(self) -> bool:
        """Whether the price may not go further."""
        return self.sqrt_price == self.limit

    def advance(self, left: int, *, exact_in: bool) -> Step:
        """Go on towards the next tick or the limit, whichever is nearer, as far as `left` lasts."""
        if self.next_tick is None:
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        tick_price = sqrt_price_ahead(self.next_tick, self.sqrt_price, self.zero_for_one)
        target = max(tick_price, self.limit) if self.zero_for_one else min(tick_price, self.limit)
        stretch = Stretch(self.liquidity << 64, self.sqrt_price, self.zero_for_one)
        swap_step = step_exact_in if exact_in else step_exact_out
        step = swap_step(stretch, target, left, fee_rate=self.pool.trade_fee_rate, fee_on_input=self.fee_on_input)
        self._gather(step)
        if step.sqrt_price == tick_price:
            self._cross(self.next_tick)
        elif step.sqrt_price != self.sqrt_price:
            self.tick_current = tick_at_sqrt_price(step.sqrt_price)
        self.sqrt_price = step.sqrt_price
        return step

    def _gather(self, step: Step) -> None:
        protocol_fee = step.fee * self.pool.protocol_fee_rate // FEE_RATE_DENOMINATOR
        fund_fee = step.fee * self.pool.fund_fee_rate // FEE_RATE_DENOMINATOR
        if step.fee:  # There is no fee, and nobody to earn it, where there is no liquidity.
            self.fee_growth += (step.fee - protocol_fee - fund_fee) * Q64 // self.liquidity
        self.amount_in += step.amount_in + (step.fee if self.fee_on_input else 0)
        self.amount_out += step.amount_out
        self.fee += step.fee
        self.protocol_fee += protocol_fee
        self.fund_fee += fund_fee

    def _cross(self, tick: ClmmTick) -> None:
        self.liquidity = liquidity_behind(tick, self.liquidity, self.zero_for_one)
        self.tick_current = tick.tick - 1 if self.zero_for_one else tick.tick
        self.crossings.append(ClmmCrossing(tick.tick, *self._fee_growths()))
        self.next_tick = next(self.ahead, None)

    def _fee_growths(self) -> tuple[int, int]:
        """The pool's fee growths in token 0 and token 1 as of now."""
        growth_0, growth_1 = self.pool.fee_growth_global_0, self.pool.fee_growth_global_1
        if self.fee_in_token_0:
            return growth_0 + self.fee_growth & U128_MAX, growth_1
        return growth_0, growth_1 + self.fee_growth & U128_MAX

    def settle(self, *, partial_fill: bool) -> ClmmSwap:
        """The outcome, with the pool as the swap leaves it. Raises SwapError."""
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
            ticks=pool.ticks,
        )
        return ClmmSwap(
            amount_in=self.amount_in,
            amount_out=self.amount_out,
            fee=self.fee,
            protocol_fee=self.protocol_fee,
            fund_fee=self.fund_fee,
            fee_on_input=self.fee_on_input,
            crossings=tuple(self.crossings),
            partial_fill=partial_fill,
            pool=end,
        )
