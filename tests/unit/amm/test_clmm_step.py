"""One step of a Raydium CLMM swap gives what the official implementation gives, fees on either side."""

from typing import Any

import pytest

from orderd.amm.clmm_step import Step, Stretch, step_exact_in, step_exact_out
from tests.unit.amm.vectors import load

CASES = load("raydium_clmm_swap_step.json")["cases"]


def test_no_case_is_lost() -> None:
    assert len(CASES) == 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case["input"].values())))
def test_a_step_is_the_programs(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    stretch = Stretch(
        liquidity=given["liquidity"],
        sqrt_price=given["sqrt_price_current_x64"],
        zero_for_one=given["zero_for_one"],
        fee_rate=given["fee_rate"],
        fee_on_input=given["is_fee_on_input"],
    )
    step = step_exact_in if given["is_base_input"] else step_exact_out
    assert step(stretch, given["sqrt_price_target_x64"], given["amount_remaining"]) == Step(
        sqrt_price=expected["sqrt_price_next_x64"],
        amount_in=expected["amount_in"],
        amount_out=expected["amount_out"],
        fee=expected["fee_amount"],
    )
