"""Ticks and square-root prices of Raydium CLMM: tick t stands for the price 1.0001 ** t.

Formulas: raydium-io/raydium-clmm, ``programs/amm/src/libraries/tick_math.rs``. Square-root prices are Q64.64.
"""

from bisect import bisect_right
from functools import lru_cache
from typing import Final

from orderd.amm.fixed_point import Q64
from orderd.amm.swap import U128_MAX, SwapError, SwapErrorKind

MIN_TICK: Final = -443_636
MAX_TICK: Final = 443_636
MIN_SQRT_PRICE: Final = 4_295_048_016
MAX_SQRT_PRICE: Final = 79_226_673_521_066_979_257_578_248_091

_TICKS: Final = range(MIN_TICK, MAX_TICK + 1)

_FACTORS: Final = (
    0xFFFCB933BD6FB800,
    0xFFF97272373D4000,
    0xFFF2E50F5F657000,
    0xFFE5CACA7E10F000,
    0xFFCB9843D60F7000,
    0xFF973B41FA98E800,
    0xFF2EA16466C9B000,
    0xFE5DEE046A9A3800,
    0xFCBE86C7900BB000,
    0xF987A7253AC65800,
    0xF3392B0822BB6000,
    0xE7159475A2CAF000,
    0xD097F3BDFD2F2000,
    0xA9F746462D9F8000,
    0x70D869A156F31C00,
    0x31BE135F97ED3200,
    0x09AA508B5B85A500,
    0x005D6AF8DEDC582C,
    0x00002216E584F5FA,
)
"""Factor i is 1.0001 ** -(2 ** (i - 1)) in Q64.64, with the program's rounding, so that the last digits cannot be
recomputed."""


@lru_cache(maxsize=4096)
def sqrt_price_at_tick(tick: int) -> int:
    """The square-root price of a tick, Q64.64. Raises SwapError outside MIN_TICK..MAX_TICK."""
    if not MIN_TICK <= tick <= MAX_TICK:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    ratio = Q64
    for index, factor in enumerate(_FACTORS):
        if abs(tick) >> index & 1:
            ratio = ratio * factor >> 64
    return U128_MAX // ratio if tick > 0 else ratio


def tick_at_sqrt_price(sqrt_price: int) -> int:
    """The greatest tick whose square-root price is not above ``sqrt_price``.

    Raises SwapError outside MIN_SQRT_PRICE..MAX_SQRT_PRICE; the upper bound is excluded.
    """
    if not MIN_SQRT_PRICE <= sqrt_price < MAX_SQRT_PRICE:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return bisect_right(_TICKS, sqrt_price, key=sqrt_price_at_tick) - 1 + MIN_TICK
