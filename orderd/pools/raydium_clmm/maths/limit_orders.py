"""Limit orders at a tick of a Raydium CLMM pool: a swap that reaches the tick's price fills them.

Formulas: raydium-io/raydium-clmm, ``programs/amm/src/states/tick_array.rs`` of July 2026. Rounding of an order's price
always favours the order. Amounts are base units of the token that the orders sell, fee rates millionths.
"""

from typing import Final, NamedTuple

from orderd.amm.fixed_point import Q64
from orderd.amm.swap import U64_MAX, U128_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.pools.raydium_clmm.maths.step import FEE_RATE_DENOMINATOR, fee_in, fee_on_top


class LimitOrders(NamedTuple):
    """The orders at a tick: those that are untouched, and the rest of those that a swap has partly filled.

    A swap fills the partly filled orders first. When it continues with the untouched ones, all of these become partly
    filled, and ``phase`` is incremented. ``unfilled_ratio`` (Q64.64) is the remaining fraction of the partly filled
    orders.
    """

    phase: int = 0
    untouched: int = 0
    part_filled: int = 0
    unfilled_ratio: int = 0

    @property
    def waiting(self) -> int:
        return self.untouched + self.part_filled

    def less(self, amount: int) -> "LimitOrders":
        """The orders after they have sold ``amount``, which is at most ``waiting``."""
        phase, untouched, part_filled, ratio = self
        first = min(part_filled, amount)
        if first:
            ratio = ratio * (part_filled - first) // part_filled
            part_filled -= first
        if more := amount - first:
            ratio = Q64 * (untouched - more) // untouched
            return LimitOrders(min(phase + 1, U64_MAX), 0, untouched - more, ratio)
        return LimitOrders(phase, untouched, part_filled, ratio)


NO_ORDERS: Final = LimitOrders()


class Match(NamedTuple):
    """The amounts that a swap paid to orders and received from them, its fee, and the orders after it."""

    amount_in: int
    amount_out: int
    fee: int
    orders: LimitOrders


class OrderPrice(NamedTuple):
    """The price that the orders of a tick receive: the tick's price as a fraction, rounded in favour of the orders."""

    numerator: int
    denominator: int

    @classmethod
    def at(cls, sqrt_price: int, *, zero_for_one: bool) -> "OrderPrice":
        """The price at a tick, as output per input of a swap in this direction. Raises SwapError."""
        price = sqrt_price * sqrt_price >> 64 if zero_for_one else ceil_div(sqrt_price * sqrt_price, Q64)
        if not 0 < price <= U128_MAX:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return cls(price, Q64) if zero_for_one else cls(Q64, price)

    def output(self, amount_in: int) -> int:
        return amount_in * self.numerator // self.denominator

    def input(self, amount_out: int) -> int:
        """The input for an output, rounded up. Raises SwapError if it exceeds u64."""
        amount_in = ceil_div(amount_out * self.denominator, self.numerator)
        if amount_in > U64_MAX:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return amount_in


def match_exact_in(orders: LimitOrders, price: OrderPrice, remaining: int, *, rate: int, fee_on_input: bool) -> Match:
    """Spend up to ``remaining``, fee included. Raises SwapError."""
    fee = fee_in(remaining, rate) if fee_on_input else 0
    amount_in = remaining - fee
    gross_out = price.output(amount_in)
    if gross_out > orders.waiting:
        gross_out = orders.waiting
        amount_in = price.input(gross_out)
        fee = fee_on_top(amount_in, rate) if fee_on_input else 0
    return _matched(orders, amount_in, gross_out, fee, rate, fee_on_input=fee_on_input)


def match_exact_out(orders: LimitOrders, price: OrderPrice, remaining: int, *, rate: int, fee_on_input: bool) -> Match:
    """Buy up to ``remaining``, after the fee. Raises SwapError."""
    gross_out = min(remaining, orders.waiting)
    if not fee_on_input:
        whole = ceil_div(gross_out * FEE_RATE_DENOMINATOR, FEE_RATE_DENOMINATOR - rate)
        gross_out = min(whole, orders.waiting)
    amount_in = price.input(gross_out)
    fee = fee_on_top(amount_in, rate) if fee_on_input else 0
    return _matched(orders, amount_in, gross_out, fee, rate, fee_on_input=fee_on_input)


def _matched(orders: LimitOrders, amount_in: int, gross_out: int, fee: int, rate: int, *, fee_on_input: bool) -> Match:
    left = orders.less(gross_out)
    if fee_on_input:
        return Match(amount_in, gross_out, fee, left)
    fee = fee_in(gross_out, rate)
    return Match(amount_in, gross_out - fee, fee, left)
