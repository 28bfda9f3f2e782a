"""Q64.64 numbers: 64 bits before the point and 64 after it, as Meteora's programs store prices."""

from typing import Final

from orderd.amm.swap import U128_MAX, SwapError, SwapErrorKind

Q64: Final = 1 << 64
_EXPONENT_LIMIT: Final = 1 << 19


def pow_q64(base: int, exponent: int) -> int:
    """``base ** exponent`` in Q64.64, rounded at each step as the programs round.

    A base of one or more is inverted first and the result inverted back, so that all products fit in 128 bits. Formula:
    MeteoraAg/dlmm-sdk, ``commons/src/math/u64x64_math.rs``. Raises SwapError if the result does not fit in Q64.64.
    """
    if base < 0 or abs(exponent) >= _EXPONENT_LIMIT:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    if exponent == 0:
        return Q64
    invert = exponent < 0
    square = base
    if base >= Q64:
        square = U128_MAX // base
        invert = not invert
    result = Q64
    bits = abs(exponent)
    while bits:
        if bits & 1:
            result = result * square >> 64
        square = square * square >> 64
        bits >>= 1
    if result == 0:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return U128_MAX // result if invert else result
