"""Which part of an order one transaction executes."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.domain.order import Floor, OrderKind, TimeInForce
from orderd.domain.parts import first_part, largest_part, least_part, part_of
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of

TOKENS = registry_of("simnet").pair("SOL", "USDC")
SOL = 10**9


def terms(amount_in: int = SOL, **others: Any) -> OrderTerms:
    return OrderTerms(*TOKENS, amount_in=amount_in, slippage_bps=50, **others)


def test_a_part_is_sold_at_once_at_the_price_of_the_whole_or_better() -> None:
    whole = terms(10 * SOL, kind=OrderKind.TWAP, slices=4, max_cost_bps=100, floor=Floor.FIRST)
    assert part_of(whole, SOL) == terms(SOL, max_cost_bps=100, floor=Floor.FIRST)
    limited = part_of(terms(10 * SOL, kind=OrderKind.LIMIT, limit_price="105", partial=True), 3 * SOL)
    assert (limited.amount, limited.kind, limited.limit_price) == (3 * SOL, OrderKind.LIMIT, "105")
    assert limited.time_in_force is TimeInForce.FOK
    assert not limited.is_family


def test_the_first_part_of_a_twap_is_one_execution_and_of_others_the_whole() -> None:
    assert first_part(terms()) == terms()
    assert first_part(terms(10 * SOL, kind=OrderKind.TWAP, slices=4)) == terms(25 * SOL // 10)
    assert first_part(terms(3, kind=OrderKind.TWAP, slices=4)).amount == 1


def test_a_partial_order_is_compared_with_the_output_of_a_part() -> None:
    assert least_part(terms(10 * SOL)).amount == 10 * SOL
    assert least_part(terms(10 * SOL, kind=OrderKind.TWAP, slices=4)).amount == 25 * SOL // 10
    assert least_part(terms(3, kind=OrderKind.TWAP, slices=4)).amount == 1
    assert least_part(terms(10 * SOL + 1, partial=True, min_fill_bps=1_000)).amount == SOL + 1


@given(least=st.integers(1, 10**12), more=st.integers(0, 10**12), limit=st.integers(0, 3 * 10**12))
@example(least=1, more=10**12, limit=10**11)
def test_the_largest_part_that_meets_the_limit_is_found_within_a_thousandth(least: int, more: int, limit: int) -> None:
    most = least + more
    found = largest_part(least, most, lambda amount: amount <= limit)

    if limit < least:
        assert found is None
    else:
        assert found is not None
        assert found <= min(limit, most) <= found + max(more >> 10, 1)


@pytest.mark.parametrize(("limit", "asked"), [(10**12, 1), (1, 2)])
def test_only_the_bounds_are_quoted_if_they_decide(limit: int, asked: int) -> None:
    amounts: list[int] = []

    def is_paid(amount: int) -> bool:
        amounts.append(amount)
        return amount <= limit

    largest_part(10, 10**9, is_paid)
    assert len(amounts) == asked
