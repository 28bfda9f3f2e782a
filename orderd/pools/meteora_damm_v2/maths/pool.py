"""Meteora DAMM v2 (cp-amm): constant product within one price range, or over plain balances in compounding pools.

Formulas: MeteoraAg/damm-v2, ``programs/cp-amm/src/{state/pool.rs,liquidity_handler,math/fee_math.rs}``. Fee numerators
are billionths, square-root prices and liquidity Q64.64, amounts base units.
"""

from fractions import Fraction
from math import isqrt
from typing import Final, NamedTuple

from orderd.amm.fixed_point import Q64
from orderd.amm.stretch import Stretch
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.amm.volatility import BASIS_POINTS, fee_in, fee_on_top
from orderd.domain.frozen import dataclass
from orderd.pools.meteora_damm_v2.maths.base_fee import BaseFeeSchedule, Moment, RateLimiterSchedule
from orderd.pools.meteora_damm_v2.maths.dynamic_fee import DammV2DynamicFee

COLLECT_FEE_ON_OUTPUT: Final = 0
COLLECT_FEE_COMPOUNDING: Final = 2
"""The fee is taken in token b, as in mode 1, and a part of it is added to the reserves."""

_MAX_FEE_NUMERATOR: Final = (500_000_000, 990_000_000)
"""Highest fee, by ``fee_version``."""


@dataclass(frozen=True, slots=True)
class DammV2Pool:
    """A pool as its account stores it. ``token_*_amount`` are the balances without fees."""

    base_fee: BaseFeeSchedule
    dynamic_fee: DammV2DynamicFee
    protocol_fee_percent: int
    compounding_fee_bps: int
    collect_fee_mode: int
    fee_version: int
    activation_point: int
    liquidity: int
    sqrt_min_price: int
    sqrt_max_price: int
    sqrt_price: int
    token_a_amount: int
    token_b_amount: int
    protocol_a_fee: int
    protocol_b_fee: int


@dataclass(frozen=True, slots=True)
class DammV2Swap:
    """A swap's outcome in base units: ``amount_in`` is paid with all fees, ``amount_out`` received after them.

    ``fee`` is ``claiming_fee`` (claimed by liquidity providers) + ``compounding_fee`` (added to the reserves) +
    ``protocol_fee``. ``pool`` is the state after the swap.
    """

    amount_in: int
    amount_out: int
    fee: int
    claiming_fee: int
    compounding_fee: int
    protocol_fee: int
    fee_on_input: bool
    fee_numerator: int
    pool: DammV2Pool

    @property
    def net_in(self) -> int:
        """The input that reached the curve, after a fee on the input."""
        return self.amount_in - self.fee if self.fee_on_input else self.amount_in

    @property
    def gross_out(self) -> int:
        """The output of the curve, before a fee on the output."""
        return self.amount_out if self.fee_on_input else self.amount_out + self.fee


def swap_exact_in(pool: DammV2Pool, amount_in: int, *, a_to_b: bool, now: int, point: int) -> DammV2Swap:
    """Swap exactly ``amount_in`` base units of a (``a_to_b``) or b, at unix second ``now``, activation point ``point``.

    ``point`` is a unix second or a slot, depending on the pool's activation type. Raises SwapError.
    """
    if amount_in <= 0:
        raise SwapError(SwapErrorKind.ZERO_INPUT)
    fee_on_input, rate = takes_fee_on_input(pool, a_to_b), rate_of_gross(pool, amount_in, a_to_b, point)
    fee = fee_in(amount_in, rate) if fee_on_input else 0
    move = _move_by_input(pool, amount_in - fee, a_to_b)
    amount_out = move.amount_out
    if not fee_on_input:
        fee = fee_in(amount_out, rate)
        amount_out -= fee
    if amount_out == 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    return _settle(pool, move, amount_in, amount_out, fee, rate, fee_on_input, a_to_b, now)


def swap_partial_fill(pool: DammV2Pool, amount_in: int, *, a_to_b: bool, now: int, point: int) -> DammV2Swap:
    """As ``swap_exact_in``, but if the price range ends before the amount is used up, the rest is not paid.

    Raises SwapError.
    """
    fee_on_input, rate = takes_fee_on_input(pool, a_to_b), rate_of_gross(pool, amount_in, a_to_b, point)
    net_in = amount_in - fee_in(amount_in, rate) if fee_on_input else amount_in
    edge = pool.sqrt_min_price if a_to_b else pool.sqrt_max_price
    stretch = stretch_of(pool, a_to_b)
    most = stretch.amount_in(edge)
    if pool.collect_fee_mode == COLLECT_FEE_COMPOUNDING or net_in < most:
        return swap_exact_in(pool, amount_in, a_to_b=a_to_b, now=now, point=point)
    if net_in > most:
        amount_in = most
        if fee_on_input:
            rate = rate_of_net(pool, most, a_to_b, point)
            amount_in += fee_on_top(most, rate)
    gross_out = stretch.amount_out(edge)
    fee = amount_in - most if fee_on_input else fee_in(gross_out, rate)
    amount_out = gross_out if fee_on_input else gross_out - fee
    if amount_out == 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    move = _Move(most, gross_out, edge)
    return _settle(pool, move, amount_in, amount_out, fee, rate, fee_on_input, a_to_b, now)


def swap_exact_out(pool: DammV2Pool, amount_out: int, *, a_to_b: bool, now: int, point: int) -> DammV2Swap:
    """Swap for exactly ``amount_out`` base units of b (``a_to_b``) or a; ``now`` and ``point`` as in ``swap_exact_in``.

    Raises SwapError.
    """
    if amount_out <= 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    fee_on_input = takes_fee_on_input(pool, a_to_b)
    if fee_on_input:
        move = _move_by_output(pool, amount_out, a_to_b)
        rate = rate_of_net(pool, move.amount_in, a_to_b, point)
        fee = fee_on_top(move.amount_in, rate)
        amount_in = move.amount_in + fee
    else:
        rate = rate_of_net(pool, amount_out, a_to_b, point)
        fee = fee_on_top(amount_out, rate)
        move = _move_by_output(pool, amount_out + fee, a_to_b)
        amount_in = move.amount_in
    if amount_in > U64_MAX:
        raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
    return _settle(pool, move, amount_in, amount_out, fee, rate, fee_on_input, a_to_b, now)


def spot_price(pool: DammV2Pool, *, a_to_b: bool) -> Fraction:
    """Base units of output per base unit of input for an infinitely small swap without fees. Raises SwapError."""
    if not pool.sqrt_price:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    price = Fraction(pool.sqrt_price * pool.sqrt_price, Q64 * Q64)
    return price if a_to_b else 1 / price


class _Move(NamedTuple):
    """A move along the curve: the amounts without fees, and the square-root price at its end."""

    amount_in: int
    amount_out: int
    sqrt_price: int


def takes_fee_on_input(pool: DammV2Pool, a_to_b: bool) -> bool:
    """Whether the fee of a swap in this direction is taken from the input, otherwise from the output."""
    return pool.collect_fee_mode != COLLECT_FEE_ON_OUTPUT and not a_to_b


def rate_of_gross(pool: DammV2Pool, amount: int, a_to_b: bool, point: int) -> int:
    """Base and dynamic fee rate of a swap of ``amount`` including the fee, in billionths. Raises SwapError."""
    return _whole_rate(pool, pool.base_fee.of_gross(amount, _moment(pool, a_to_b, point)))


def rate_of_net(pool: DammV2Pool, amount: int, a_to_b: bool, point: int) -> int:
    """Base and dynamic fee rate of a swap of ``amount`` after the fee, in billionths. Raises SwapError."""
    return _whole_rate(pool, pool.base_fee.of_net(amount, _moment(pool, a_to_b, point)))


def marginal_rates(pool: DammV2Pool, a_to_b: bool, point: int) -> tuple[list[int], int]:
    """The rates of successive parts of an input, in billionths, and the size of each part.

    The last rate applies to the whole rest. Raises SwapError.
    """
    base, moment = pool.base_fee, _moment(pool, a_to_b, point)
    if isinstance(base, RateLimiterSchedule) and base.applies(moment):
        rates = base.marginal_rates(_highest_rate(pool))
        return [_whole_rate(pool, rate) for rate in rates], base.reference_amount
    return [_whole_rate(pool, base.of_gross(0, moment))], 0


def is_rate_limited(pool: DammV2Pool, *, a_to_b: bool, point: int) -> bool:
    """Whether the rate depends on the amount. The program then allows one swap in this pool per transaction."""
    return isinstance(pool.base_fee, RateLimiterSchedule) and pool.base_fee.applies(_moment(pool, a_to_b, point))


def _moment(pool: DammV2Pool, a_to_b: bool, point: int) -> Moment:
    return Moment(a_to_b, point, pool.activation_point, pool.sqrt_price)


def _whole_rate(pool: DammV2Pool, base: int) -> int:
    return min(base + pool.dynamic_fee.numerator, _highest_rate(pool))


def _highest_rate(pool: DammV2Pool) -> int:
    if pool.fee_version >= len(_MAX_FEE_NUMERATOR):
        raise SwapError(SwapErrorKind.UNSUPPORTED_FEE_MODE)
    return _MAX_FEE_NUMERATOR[pool.fee_version]


def _move_by_input(pool: DammV2Pool, amount_in: int, a_to_b: bool) -> _Move:
    if pool.collect_fee_mode == COLLECT_FEE_COMPOUNDING:
        reserve_in, reserve_out = reserves(pool, a_to_b)
        return _Move(amount_in, reserve_out * amount_in // (reserve_in + amount_in), pool.sqrt_price)
    stretch = stretch_of(pool, a_to_b)
    end = _in_range(pool, stretch.after_input(amount_in))
    return _Move(amount_in, stretch.amount_out(end), end)


def _move_by_output(pool: DammV2Pool, amount_out: int, a_to_b: bool) -> _Move:
    if pool.collect_fee_mode == COLLECT_FEE_COMPOUNDING:
        reserve_in, reserve_out = reserves(pool, a_to_b)
        if amount_out >= reserve_out:
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return _Move(ceil_div(reserve_in * amount_out, reserve_out - amount_out), amount_out, pool.sqrt_price)
    stretch = stretch_of(pool, a_to_b)
    end = _in_range(pool, stretch.after_output(amount_out))
    return _Move(stretch.amount_in(end), amount_out, end)


def reserves(pool: DammV2Pool, a_to_b: bool) -> tuple[int, int]:
    """The balances without fees of the token in and of the token out.

    Raises SwapError if one is empty.
    """
    if not (pool.token_a_amount and pool.token_b_amount):
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    return (pool.token_a_amount, pool.token_b_amount) if a_to_b else (pool.token_b_amount, pool.token_a_amount)


def stretch_of(pool: DammV2Pool, a_to_b: bool) -> Stretch:
    """The pool's only stretch of liquidity. Raises SwapError if it has no liquidity, or none at its price.

    A pool may have none, because its account remains when all liquidity is withdrawn.
    """
    if not pool.liquidity:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    _check_range(pool.sqrt_min_price, pool.sqrt_price, pool.sqrt_max_price)
    return Stretch(pool.liquidity, pool.sqrt_price, a_to_b)


def balances_of(liquidity: int, sqrt_min_price: int, sqrt_price: int, sqrt_max_price: int) -> tuple[int, int]:
    """The balances of token a and b that this liquidity takes at this price, rounded up. Raises SwapError if the price
    is not in the range."""
    _check_range(sqrt_min_price, sqrt_price, sqrt_max_price)
    above = Stretch(liquidity, sqrt_max_price, zero_for_one=True)
    below = Stretch(liquidity, sqrt_min_price, zero_for_one=False)
    return above.amount_in(sqrt_price), below.amount_in(sqrt_price)


def _check_range(sqrt_min_price: int, sqrt_price: int, sqrt_max_price: int) -> None:
    """Check what the program guarantees for all pools but compounding ones: a price, which is within the range."""
    if not 0 < sqrt_min_price <= sqrt_price <= sqrt_max_price:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)


def _in_range(pool: DammV2Pool, sqrt_price: int) -> int:
    if not pool.sqrt_min_price <= sqrt_price <= pool.sqrt_max_price:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    return sqrt_price


def _settle(
    pool: DammV2Pool,
    move: _Move,
    amount_in: int,
    amount_out: int,
    fee: int,
    fee_numerator: int,
    fee_on_input: bool,
    a_to_b: bool,
    now: int,
) -> DammV2Swap:
    """The result of a swap: divides the fee, and computes the pool's state after the move."""
    protocol_fee = fee * pool.protocol_fee_percent // 100
    compounding_fee = (fee - protocol_fee) * pool.compounding_fee_bps // BASIS_POINTS
    claiming_fee = fee - protocol_fee - compounding_fee
    if min(fee - protocol_fee, claiming_fee) < 0:  # Shares above 100 %: the program fails on the subtraction.
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    change_a, change_b = (move.amount_in, -move.amount_out) if a_to_b else (-move.amount_out, move.amount_in)
    token_a_amount = pool.token_a_amount + change_a
    token_b_amount = pool.token_b_amount + change_b + compounding_fee
    sqrt_price = move.sqrt_price
    if pool.collect_fee_mode == COLLECT_FEE_COMPOUNDING:
        sqrt_price = isqrt((token_b_amount << 128) // token_a_amount)
    fee_in_a = fee_on_input == a_to_b
    end = DammV2Pool(
        base_fee=pool.base_fee,
        dynamic_fee=pool.dynamic_fee.after_swap(pool.sqrt_price, sqrt_price, now),
        protocol_fee_percent=pool.protocol_fee_percent,
        compounding_fee_bps=pool.compounding_fee_bps,
        collect_fee_mode=pool.collect_fee_mode,
        fee_version=pool.fee_version,
        activation_point=pool.activation_point,
        liquidity=pool.liquidity,
        sqrt_min_price=pool.sqrt_min_price,
        sqrt_max_price=pool.sqrt_max_price,
        sqrt_price=sqrt_price,
        token_a_amount=token_a_amount,
        token_b_amount=token_b_amount,
        protocol_a_fee=pool.protocol_a_fee + (protocol_fee if fee_in_a else 0),
        protocol_b_fee=pool.protocol_b_fee + (0 if fee_in_a else protocol_fee),
    )
    return DammV2Swap(
        amount_in=amount_in,
        amount_out=amount_out,
        fee=fee,
        claiming_fee=claiming_fee,
        compounding_fee=compounding_fee,
        protocol_fee=protocol_fee,
        fee_on_input=fee_on_input,
        fee_numerator=fee_numerator,
        pool=end,
    )
