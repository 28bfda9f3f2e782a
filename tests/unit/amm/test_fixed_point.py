"""Powers in Q64.64, within the limits of the format."""

import pytest

from orderd.amm.fixed_point import Q64, pow_q64
from orderd.amm.swap import SwapError


@pytest.mark.parametrize("base", [Q64 // 3, Q64, 3 * Q64])
def test_the_power_of_zero_is_one(base: int) -> None:
    assert pow_q64(base, 0) == Q64


def test_a_base_below_one_shrinks() -> None:
    assert pow_q64(Q64 // 2, 10) == Q64 >> 10


def test_a_negative_exponent_inverts() -> None:
    assert pow_q64(Q64 // 2, -10) == ((1 << 128) - 1) // (Q64 >> 10)


@pytest.mark.parametrize("exponent", [1 << 19, -(1 << 19)])
def test_an_exponent_beyond_19_bits_is_refused(exponent: int) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        pow_q64(Q64, exponent)


@pytest.mark.parametrize("exponent", [500_000, -500_000])
def test_a_result_the_format_cannot_hold_is_refused(exponent: int) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        pow_q64(2 * Q64, exponent)
