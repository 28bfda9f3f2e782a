"""Meteora DAMM v2 maths: equal to the program bit for bit, and the invariants of swaps."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from orderd.amm.price import price_impact
from orderd.amm.swap import SwapError
from orderd.amm.tick_math import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from orderd.pools.meteora_damm_v2.maths.base_fee import Moment, TimeSchedule
from orderd.pools.meteora_damm_v2.maths.dynamic_fee import DammV2DynamicFee
from orderd.pools.meteora_damm_v2.maths.pool import (
    DammV2Pool,
    DammV2Swap,
    spot_price,
    swap_exact_in,
    swap_exact_out,
    swap_partial_fill,
)
from tests.unit.amm.vectors import cases, load

DOCUMENT = load("meteora_damm_v2.json")
CASES = cases(DOCUMENT)


def schedule_of(*, base_fee_mode: int, **fields: int) -> TimeSchedule:
    return TimeSchedule(exponential=bool(base_fee_mode), **fields)


def pool_of(account: dict[str, Any]) -> DammV2Pool:
    fees = {
        "base_fee": schedule_of(**account["base_fee"]),
        "dynamic_fee": DammV2DynamicFee(
            **account["dynamic_fee"] | {"initialized": bool(account["dynamic_fee"]["initialized"])}
        ),
    }
    return DammV2Pool(**{name: account[name] for name in DammV2Pool.__slots__} | fees)


def swap_of(case: dict[str, Any]) -> DammV2Swap:
    given = case["input"]
    swap = swap_exact_in if given["swap_mode"] == "exact_in" else swap_exact_out
    return swap(
        pool_of(DOCUMENT["pools"][case["pool"]]),
        given["amount"],
        a_to_b=given["direction"] == "a_to_b",
        now=given["current_timestamp"],
        point=given["current_point"],
    )


def test_every_case_is_covered() -> None:
    assert (len(DOCUMENT["cases"]), len(CASES)) == (78, 77)


@pytest.mark.parametrize("case", [case for case in CASES if "error" in case.values[0]["expected"]])
def test_refuses_like_the_program(case: dict[str, Any]) -> None:
    with pytest.raises(SwapError) as refused:
        swap_of(case)
    assert refused.value.kind == case["expected"]["error"]


@pytest.mark.parametrize("case", [case for case in CASES if "error" not in case.values[0]["expected"]])
def test_answers_like_the_program(case: dict[str, Any]) -> None:
    expected, end = case["expected"], case["expected"]["end_state"]
    before = pool_of(DOCUMENT["pools"][case["pool"]])

    swap = swap_of(case)

    for name in expected.keys() - {"end_state"}:
        assert getattr(swap, name) == expected[name], name
    dynamic_fee = replace(before.dynamic_fee, **end["dynamic_fee"])
    assert swap.pool == replace(before, **end | {"dynamic_fee": dynamic_fee})


FLAT = 1 << 64
NOW = 1_000_000


def plain_pool(**changes: Any) -> DammV2Pool:
    """A pool at price 1 with a 0.25 % fee, no dynamic fee, and 10**12 of both tokens in range."""
    pool = DammV2Pool(
        base_fee=TimeSchedule(False, 2_500_000, 0, 0, 0),
        dynamic_fee=DammV2DynamicFee(False, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        protocol_fee_percent=20,
        compounding_fee_bps=0,
        collect_fee_mode=0,
        fee_version=0,
        activation_point=NOW,
        liquidity=10**12 << 64,
        sqrt_min_price=MIN_SQRT_PRICE,
        sqrt_max_price=MAX_SQRT_PRICE,
        sqrt_price=FLAT,
        token_a_amount=10**12,
        token_b_amount=10**12,
        protocol_a_fee=0,
        protocol_b_fee=0,
    )
    return replace(pool, **changes)


def buy(pool: DammV2Pool, amount_in: int, a_to_b: bool = True) -> DammV2Swap:
    return swap_exact_in(pool, amount_in, a_to_b=a_to_b, now=NOW, point=NOW)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_zero_amount_is_refused_by_its_side(amount: int) -> None:
    with pytest.raises(SwapError, match="zero_input"):
        buy(plain_pool(), amount)
    with pytest.raises(SwapError, match="zero_output"):
        swap_exact_out(plain_pool(), amount, a_to_b=True, now=NOW, point=NOW)


def test_an_amount_too_small_to_buy_a_unit_is_refused() -> None:
    with pytest.raises(SwapError, match="zero_output"):
        buy(plain_pool(), 1)


def test_an_output_that_costs_more_than_64_bits_of_input_is_refused() -> None:
    with pytest.raises(SwapError, match="amount_in_exceeds_u64"):
        swap_exact_out(
            plain_pool(base_fee=TimeSchedule(False, 0, 0, 0, 0)), 10**12 - 40_000, a_to_b=True, now=NOW, point=NOW
        )


def test_a_compounding_pool_cannot_pay_out_its_whole_reserve() -> None:
    pool = plain_pool(collect_fee_mode=2, compounding_fee_bps=5_000)
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        swap_exact_out(pool, 10**12, a_to_b=False, now=NOW, point=NOW)


def narrow_pool(**changes: Any) -> DammV2Pool:
    """A pool whose range ends 1 % above and below its price."""
    return plain_pool(sqrt_min_price=FLAT - FLAT // 100, sqrt_max_price=FLAT + FLAT // 100, **changes)


def fill(pool: DammV2Pool, amount_in: int, a_to_b: bool) -> DammV2Swap:
    return swap_partial_fill(pool, amount_in, a_to_b=a_to_b, now=NOW, point=NOW)


@pytest.mark.parametrize("a_to_b", [True, False])
@pytest.mark.parametrize("collect_fee_mode", [0, 1])
def test_a_partial_fill_pays_no_more_than_the_range_takes(collect_fee_mode: int, a_to_b: bool) -> None:
    pool = narrow_pool(collect_fee_mode=collect_fee_mode)

    swap = fill(pool, 10**12, a_to_b)

    assert swap.pool.sqrt_price == (pool.sqrt_min_price if a_to_b else pool.sqrt_max_price)
    assert swap.amount_in < 2 * 10**10
    assert swap.amount_in == swap.net_in + (swap.fee if swap.fee_on_input else 0)
    assert swap.fee == swap.claiming_fee + swap.protocol_fee
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        buy(pool, swap.amount_in + 10_000, a_to_b)
    assert fill(pool, swap.amount_in, a_to_b) == swap
    assert fill(pool, swap.amount_in - 10_000, a_to_b) == buy(pool, swap.amount_in - 10_000, a_to_b)


def test_a_partial_fill_of_a_compounding_pool_is_complete() -> None:
    """A compounding pool has no price range."""
    pool = narrow_pool(collect_fee_mode=2, compounding_fee_bps=5_000)
    assert fill(pool, 10**12, True) == buy(pool, 10**12, True)


def test_a_partial_fill_at_the_end_of_the_range_is_refused() -> None:
    with pytest.raises(SwapError, match="zero_output"):
        fill(plain_pool(sqrt_min_price=FLAT), 10**9, True)
    with pytest.raises(SwapError, match="zero_input"):
        fill(plain_pool(), 0, True)


def test_an_unknown_fee_rule_is_refused() -> None:
    with pytest.raises(SwapError, match="unsupported_fee_mode"):
        buy(plain_pool(fee_version=2), 10**6)


@pytest.mark.parametrize("shares", [{"protocol_fee_percent": 101}, {"compounding_fee_bps": 10_001}])
def test_fee_shares_above_100_percent_are_refused(shares: dict[str, int]) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        buy(plain_pool(**shares), 10**9)


@pytest.mark.parametrize(
    ("point", "numerator"),
    [(NOW - 1, 50_000_000), (NOW, 100_000_000), (NOW + 119, 95_000_000), (NOW + 10**9, 50_000_000)],
)
def test_a_scheduled_fee_falls_per_period_to_its_minimum(point: int, numerator: int) -> None:
    fee = TimeSchedule(False, 100_000_000, number_of_period=10, period_frequency=60, reduction_factor=5_000_000)
    assert fee.of_gross(1, Moment(True, point, NOW, FLAT)) == numerator


def test_the_spot_price_is_output_per_input_in_either_direction() -> None:
    pool = plain_pool(sqrt_price=FLAT * 2)
    assert spot_price(pool, a_to_b=True) == 4
    assert spot_price(pool, a_to_b=False) == Fraction(1, 4)


@pytest.mark.parametrize("a_to_b", [True, False])
@pytest.mark.parametrize("collect_fee_mode", [0, 1, 2])
def test_price_impact_excludes_fees(collect_fee_mode: int, a_to_b: bool) -> None:
    pool = plain_pool(collect_fee_mode=collect_fee_mode)
    swap = buy(pool, 10**9, a_to_b)
    impact = price_impact(swap.net_in, swap.gross_out, spot_price(pool, a_to_b=a_to_b))
    assert abs(impact - Fraction(swap.net_in, 10**12 + swap.net_in)) < Fraction(1, 10**8)


@st.composite
def pools(draw: st.DrawFn) -> DammV2Pool:
    collect_fee_mode = draw(st.integers(0, 2))
    return plain_pool(
        base_fee=TimeSchedule(False, draw(st.integers(0, 500_000_000)), 0, 0, 0),
        protocol_fee_percent=draw(st.integers(0, 50)),
        compounding_fee_bps=draw(st.integers(0, 10_000)) if collect_fee_mode == 2 else 0,
        collect_fee_mode=collect_fee_mode,
        fee_version=draw(st.integers(0, 1)),
        liquidity=draw(st.integers(10**8, 10**18)) << 64,
        sqrt_price=draw(st.integers(FLAT >> 20, FLAT << 20)),
        token_a_amount=draw(st.integers(10**6, 10**15)),
        token_b_amount=draw(st.integers(10**6, 10**15)),
    )


amounts = st.integers(1, 10**15)


def try_exact_in(pool: DammV2Pool, amount: int, a_to_b: bool) -> DammV2Swap | None:
    try:
        return buy(pool, amount, a_to_b)
    except SwapError:
        return None


@given(pools(), amounts, st.booleans())
def test_a_round_trip_never_gains_and_fees_add_up(pool: DammV2Pool, amount: int, a_to_b: bool) -> None:
    there = try_exact_in(pool, amount, a_to_b)
    assume(there is not None)
    assert there is not None
    assert there.fee == there.claiming_fee + there.compounding_fee + there.protocol_fee
    back = try_exact_in(there.pool, there.amount_out, not a_to_b)
    assert back is None or back.amount_out <= amount


@given(pools(), amounts, st.booleans())
def test_k_never_falls_in_a_compounding_pool(pool: DammV2Pool, amount: int, a_to_b: bool) -> None:
    pool = replace(pool, collect_fee_mode=2)
    swap = try_exact_in(pool, amount, a_to_b)
    assume(swap is not None)
    assert swap is not None
    assert swap.pool.token_a_amount * swap.pool.token_b_amount >= pool.token_a_amount * pool.token_b_amount


@given(pools(), amounts, amounts, st.booleans())
def test_more_in_never_gives_less_out(pool: DammV2Pool, amount: int, more: int, a_to_b: bool) -> None:
    less, greater = try_exact_in(pool, amount, a_to_b), try_exact_in(pool, amount + more, a_to_b)
    assume(greater is not None)
    assert greater is not None
    assert less is None or less.amount_out <= greater.amount_out


@given(pools(), amounts, st.booleans())
def test_the_input_of_an_exact_output_buys_at_least_that(pool: DammV2Pool, wanted: int, a_to_b: bool) -> None:
    try:
        bought = swap_exact_out(pool, wanted, a_to_b=a_to_b, now=NOW, point=NOW)
    except SwapError:
        reject()
    assert bought.amount_out == wanted
    again = try_exact_in(pool, bought.amount_in, a_to_b)
    assert again is not None
    assert again.amount_out >= wanted
