"""One step of a Raydium CLMM swap equals the official implementation, with fees on either side."""

from typing import Any

import pytest

from orderd.amm.stretch import Stretch
from orderd.amm.swap import SwapError
from orderd.pools.raydium_clmm.maths.step import Step, step_exact_in, step_exact_out
from tests.unit.amm.vectors import load

CASES = load("raydium_clmm_swap_step.json")["cases"]


def test_every_case_is_covered() -> None:
    assert len(CASES) == 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case["input"].values())))
def test_a_step_matches_the_program(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    swap_step = step_exact_in if given["is_base_input"] else step_exact_out
    step = swap_step(
        Stretch(given["liquidity"] << 64, given["sqrt_price_current_x64"], given["zero_for_one"]),
        given["sqrt_price_target_x64"],
        given["amount_remaining"],
        fee_rate=given["fee_rate"],
        fee_on_input=given["is_fee_on_input"],
    )
    assert step == Step(
        sqrt_price=expected["sqrt_price_next_x64"],
        amount_in=expected["amount_in"],
        amount_out=expected["amount_out"],
        fee=expected["fee_amount"],
    )


def test_no_step_pays_more_than_the_liquidity() -> None:
    stretch = Stretch(1_000 << 64, 1 << 64, zero_for_one=False)
    assert stretch.after_output(999) == 1_000 << 64
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        stretch.after_output(1_000)
