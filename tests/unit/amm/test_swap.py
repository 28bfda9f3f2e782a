"""Common parts of swaps: explained refusals, and division that rounds up."""

import pytest

from orderd.amm.swap import SwapError, SwapErrorKind, ceil_div


@pytest.mark.parametrize("kind", SwapErrorKind)
def test_every_refusal_has_a_reason_and_advice(kind: SwapErrorKind) -> None:
    code, explanation = str(SwapError(kind)).split(": ")
    assert code == kind.value
    assert any(advice in explanation for advice in ("; use a", "; ask for", "; set it"))


@pytest.mark.parametrize(("dividend", "quotient"), [(0, 0), (1, 1), (9, 1), (10, 1), (11, 2)])
def test_division_rounds_up(dividend: int, quotient: int) -> None:
    assert ceil_div(dividend, 10) == quotient
