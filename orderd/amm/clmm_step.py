"""One step of a Raydium CLMM swap: along one stretch of constant liquidity, up to a target price.

Formulas: raydium-io/raydium-clmm, `programs/amm/src/libraries/{swap_math,sqrt_price_math,liquidity_math}.rs`.
Square-root prices are Q64.64 (of token 1 per token 0), fee rates millionths, amounts base units.
"""

from typing import Final, NamedTuple

from orderd.amm.fixed_point import Q64
from orderd.amm.swap import U64_MAX, ceil_div

FEE_RATE_DENOMINATOR: Final = 1_000_000


class Stretch(NamedTuple):
    """The liquidity in range, where the price stands in it, which way it goes, and what each step there costs."""

    liquidity: int
    sqrt_price: int
    zero_for_one: bool
    fee_rate: int
    fee_on_input: bool


class Step(NamedTuple):
    """Where the price went and what it took: `amount_in` and `amount_out` are without `fee`, on whichever side."""

    sqrt_price: int
    amount_in: int
    amount_out: int
    fee: int


def step_exact_in(stretch: Stretch, target: int, remaining: int) -> Step:
    """Spend up to `remaining` (fee included) on the way to the `target` price."""
    net = remaining
    if stretch.fee_on_input:
        net = remaining * (FEE_RATE_DENOMINATOR - stretch.fee_rate) // FEE_RATE_DENOMINATOR
    amount_in = _amount_in(stretch, target)
    if net >= amount_in <= U64_MAX:
        sqrt_price = target
    else:
        sqrt_price = _price_after_input(stretch, net)
        amount_in = _amount_in(stretch, sqrt_price)
    amount_out = _amount_out(stretch, sqrt_price)
    reached = sqrt_price == target
    if not stretch.fee_on_input:
        fee = ceil_div(amount_out * stretch.fee_rate, FEE_RATE_DENOMINATOR)
        return Step(sqrt_price, amount_in if reached else remaining, amount_out - fee, fee)
    fee = _fee_on_top(amount_in, stretch.fee_rate) if reached else remaining - amount_in
    return Step(sqrt_price, amount_in, amount_out, fee)


def step_exact_out(stretch: Stretch, target: int, remaining: int) -> Step:
    """Buy up to `remaining` (after the fee) on the way to the `target` price."""
    gross = remaining
    if not stretch.fee_on_input:
        gross = ceil_div(remaining * FEE_RATE_DENOMINATOR, FEE_RATE_DENOMINATOR - stretch.fee_rate)
    amount_out = _amount_out(stretch, target)
    if gross >= amount_out <= U64_MAX:
        sqrt_price = target
    else:
        sqrt_price = _price_after_output(stretch, gross)
        amount_out = _amount_out(stretch, sqrt_price)
    amount_in = _amount_in(stretch, sqrt_price)
    if stretch.fee_on_input:
        return Step(sqrt_price, amount_in, min(amount_out, remaining), _fee_on_top(amount_in, stretch.fee_rate))
    net_out = min(amount_out - ceil_div(amount_out * stretch.fee_rate, FEE_RATE_DENOMINATOR), remaining)
    return Step(sqrt_price, amount_in, net_out, amount_out - net_out)


def _fee_on_top(net: int, rate: int) -> int:
    return ceil_div(net * rate, FEE_RATE_DENOMINATOR - rate)


def _amount_in(stretch: Stretch, target: int) -> int:
    """What moves the price to `target`, rounded up."""
    liquidity, sqrt_price, zero_for_one, _, _ = stretch
    if zero_for_one:
        return ceil_div(ceil_div(liquidity * Q64 * (sqrt_price - target), sqrt_price), target)
    return ceil_div(liquidity * (target - sqrt_price), Q64)


def _amount_out(stretch: Stretch, target: int) -> int:
    """What the move of the price to `target` sets free, rounded down."""
    liquidity, sqrt_price, zero_for_one, _, _ = stretch
    if zero_for_one:
        return liquidity * (sqrt_price - target) // Q64
    return liquidity * Q64 * (target - sqrt_price) // target // sqrt_price


def _price_after_input(stretch: Stretch, amount: int) -> int:
    """Where an input moves the price, rounded so that it never moves too far."""
    liquidity, sqrt_price, zero_for_one, _, _ = stretch
    if zero_for_one:
        return ceil_div(liquidity * Q64 * sqrt_price, liquidity * Q64 + amount * sqrt_price)
    return sqrt_price + amount * Q64 // liquidity


def _price_after_output(stretch: Stretch, amount: int) -> int:
    """Where an output moves the price, rounded so that it always moves far enough."""
    liquidity, sqrt_price, zero_for_one, _, _ = stretch
    if zero_for_one:
        return sqrt_price - ceil_div(amount * Q64, liquidity)
    return ceil_div(liquidity * Q64 * sqrt_price, liquidity * Q64 - amount * sqrt_price)
