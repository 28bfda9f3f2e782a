"""Ticks and square-root prices of Raydium CLMM match the program, and are inverse."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.amm.swap import SwapError
from orderd.amm.tick_math import (
    MAX_SQRT_PRICE,
    MAX_TICK,
    MIN_SQRT_PRICE,
    MIN_TICK,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)
from tests.unit.amm.vectors import load

DOCUMENT = load("raydium_clmm_tick_math.json")
PRICES, TICKS = DOCUMENT["sqrt_price_at_tick"], DOCUMENT["tick_at_sqrt_price"]


def test_every_case_is_covered() -> None:
    assert (len(PRICES), len(TICKS)) == (60, 97)


@pytest.mark.parametrize("case", PRICES, ids=lambda case: f"tick {case['tick']}")
def test_the_price_of_a_tick_matches_the_program(case: dict[str, Any]) -> None:
    assert sqrt_price_at_tick(case["tick"]) == case["sqrt_price_x64"]


@pytest.mark.parametrize("case", TICKS, ids=lambda case: f"price {case['sqrt_price_x64']}")
def test_the_tick_of_a_price_matches_the_program(case: dict[str, Any]) -> None:
    assert tick_at_sqrt_price(case["sqrt_price_x64"]) == case["tick"]


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_a_tick_out_of_range_has_no_price(tick: int) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        sqrt_price_at_tick(tick)


@pytest.mark.parametrize("sqrt_price", [MIN_SQRT_PRICE - 1, MAX_SQRT_PRICE])
def test_a_price_out_of_range_has_no_tick(sqrt_price: int) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        tick_at_sqrt_price(sqrt_price)


@given(st.integers(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1))
def test_a_price_lies_between_its_tick_and_the_next(sqrt_price: int) -> None:
    tick = tick_at_sqrt_price(sqrt_price)
    assert sqrt_price_at_tick(tick) <= sqrt_price < sqrt_price_at_tick(tick + 1)
