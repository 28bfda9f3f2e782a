"""A stretch of constant liquidity: converts amounts to moves of the square-root price, and back.

Formulas: raydium-io/raydium-clmm, ``programs/amm/src/libraries/{sqrt_price_math,liquidity_math}.rs``;
MeteoraAg/damm-v2, ``programs/cp-amm/src/curve.rs`` has the same ones. All rounding favours the pool.
"""

from typing import NamedTuple

from orderd.amm.swap import SwapError, SwapErrorKind, ceil_div


class Stretch(NamedTuple):
    """The liquidity in range, the current square-root price, and the direction.

    ``liquidity`` and ``sqrt_price`` (of token 1 per token 0) are Q64.64, amounts are base units.
    """

    liquidity: int
    sqrt_price: int
    zero_for_one: bool

    def amount_in(self, target: int) -> int:
        """The input that moves the price to ``target``, rounded up."""
        liquidity, sqrt_price, zero_for_one = self
        if zero_for_one:
            return ceil_div(liquidity * (sqrt_price - target), sqrt_price * target)
        return ceil_div(liquidity * (target - sqrt_price), 1 << 128)

    def amount_out(self, target: int) -> int:
        """The output of a move of the price to ``target``, rounded down."""
        liquidity, sqrt_price, zero_for_one = self
        if zero_for_one:
            return liquidity * (sqrt_price - target) >> 128
        return liquidity * (target - sqrt_price) // (sqrt_price * target)

    def after_input(self, amount: int) -> int:
        """The square-root price after an input, rounded so that it never moves too far."""
        liquidity, sqrt_price, zero_for_one = self
        if zero_for_one:
            return ceil_div(liquidity * sqrt_price, liquidity + amount * sqrt_price)
        return sqrt_price + (amount << 128) // liquidity

    def after_output(self, amount: int) -> int:
        """The square-root price after an output, rounded so that it always moves far enough.

        Raises SwapError if the stretch has less of token 0 at any price.
        """
        liquidity, sqrt_price, zero_for_one = self
        if zero_for_one:
            return sqrt_price - ceil_div(amount << 128, liquidity)
        left = liquidity - amount * sqrt_price
        if left <= 0:
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return ceil_div(liquidity * sqrt_price, left)
