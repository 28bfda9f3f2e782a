"""One step of a Raydium CLMM swap: along a stretch of constant liquidity, up to a target price.

Formulas: raydium-io/raydium-clmm, ``programs/amm/src/libraries/swap_math.rs``. Fee rates are millionths, amounts base
units.
"""

from typing import Final, NamedTuple

from orderd.amm.stretch import Stretch
from orderd.amm.swap import U64_MAX, ceil_div

FEE_RATE_DENOMINATOR: Final = 1_000_000


class Step(NamedTuple):
    """The new square-root price, and the amounts without ``fee``, which is taken from either side."""

    sqrt_price: int
    amount_in: int
    amount_out: int
    fee: int


def step_exact_in(stretch: Stretch, target: int, remaining: int, *, fee_rate: int, fee_on_input: bool) -> Step:
    """Spend up to ``remaining`` (fee included) on the way to the ``target`` price."""
    net = remaining
    if fee_on_input:
        net = remaining * (FEE_RATE_DENOMINATOR - fee_rate) // FEE_RATE_DENOMINATOR
    amount_in = stretch.amount_in(target)
    if net >= amount_in <= U64_MAX:
        sqrt_price = target
    else:
        sqrt_price = stretch.after_input(net)
        amount_in = stretch.amount_in(sqrt_price)
    amount_out = stretch.amount_out(sqrt_price)
    reached = sqrt_price == target
    if fee_on_input:
        fee = fee_on_top(amount_in, fee_rate) if reached else remaining - amount_in
        return Step(sqrt_price, amount_in, amount_out, fee)
    fee = fee_in(amount_out, fee_rate)
    return Step(sqrt_price, amount_in if reached else remaining, amount_out - fee, fee)


def step_exact_out(stretch: Stretch, target: int, remaining: int, *, fee_rate: int, fee_on_input: bool) -> Step:
    """Buy up to ``remaining`` (after the fee) on the way to the ``target`` price."""
    gross = remaining
    if not fee_on_input:
        gross = ceil_div(remaining * FEE_RATE_DENOMINATOR, FEE_RATE_DENOMINATOR - fee_rate)
    amount_out = stretch.amount_out(target)
    if gross >= amount_out <= U64_MAX:
        sqrt_price = target
    else:
        sqrt_price = stretch.after_output(gross)
        amount_out = stretch.amount_out(sqrt_price)
    amount_in = stretch.amount_in(sqrt_price)
    if fee_on_input:
        return Step(sqrt_price, amount_in, min(amount_out, remaining), fee_on_top(amount_in, fee_rate))
    net_out = min(amount_out - fee_in(amount_out, fee_rate), remaining)
    return Step(sqrt_price, amount_in, net_out, amount_out - net_out)


def fee_in(gross: int, rate: int) -> int:
    return ceil_div(gross * rate, FEE_RATE_DENOMINATOR)


def fee_on_top(net: int, rate: int) -> int:
    return ceil_div(net * rate, FEE_RATE_DENOMINATOR - rate)
