"""Which part of an order one transaction executes."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.domain.order import Floor, OrderKind, TimeInForce
from orderd.domain.parts import first_part, largest_part, least_part, minimum_of_part, part_of, rest_of
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of

TOKENS = registry_of("simnet").pair("SOL", "USDC")
SOL, USDC = 10**9, 10**6


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


@given(min_out=st.integers(1, 10**12), parts=st.lists(st.integers(1, 10**12), min_size=1, max_size=5))
@example(min_out=100, parts=[1, 1, 1])
def test_all_parts_together_get_the_orders_own_minimum(min_out: int, parts: list[int]) -> None:
    whole = terms(sum(parts), kind=OrderKind.TWAP, slices=len(parts), min_out=min_out)
    shares = [part_of(whole, part).min_out or 0 for part in parts]
    assert sum(shares) >= min_out
    for part, share in zip(parts, shares, strict=True):
        assert share - 1 < Fraction(min_out * part, whole.amount) <= share, "no more than its share, rounded up"


def test_a_part_of_a_limit_order_gets_its_limit_and_its_share_of_the_own_minimum() -> None:
    limited = {"kind": OrderKind.LIMIT, "limit_price": "105", "partial": True}
    assert minimum_of_part(terms(10 * SOL, **limited), 2 * SOL) == 210 * USDC
    assert minimum_of_part(terms(10 * SOL, min_out=1_040 * USDC, **limited), 2 * SOL) == 210 * USDC
    stricter = terms(10 * SOL, min_out=1_100 * USDC, **limited)
    assert minimum_of_part(stricter, 2 * SOL) == 220 * USDC
    assert minimum_of_part(rest_of(stricter, 4 * SOL), 2 * SOL) == 220 * USDC
    assert part_of(stricter, 2 * SOL).least == 220 * USDC
