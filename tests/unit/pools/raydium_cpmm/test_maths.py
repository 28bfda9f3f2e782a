"""Raydium CPMM maths: equal to the program bit for bit, and the invariants of swaps."""

from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orderd.amm.price import price_impact
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.pools.raydium_cpmm.maths.pool import (
    FEE_RATE_DENOMINATOR,
    CpmmPool,
    CpmmSwap,
    spot_price,
    swap_exact_in,
    swap_exact_out,
)
from tests.unit.amm.vectors import cases, load

DOCUMENT = load("raydium_cpmm.json")
CASES = cases(DOCUMENT)

POOL_FIELDS = {
    "vault_0": "token_0_vault_amount",
    "vault_1": "token_1_vault_amount",
    "protocol_fees_0": "protocol_fees_token_0",
    "protocol_fees_1": "protocol_fees_token_1",
    "fund_fees_0": "fund_fees_token_0",
    "fund_fees_1": "fund_fees_token_1",
    "creator_fees_0": "creator_fees_token_0",
    "creator_fees_1": "creator_fees_token_1",
}


def pool_of(account: dict[str, Any]) -> CpmmPool:
    state = account["pool_state"]
    return CpmmPool(
        **account["amm_config"],
        **{ours: state[theirs] for ours, theirs in POOL_FIELDS.items()},
        creator_fee_on=state["creator_fee_on"],
        enable_creator_fee=state["enable_creator_fee"],
    )


def swap_of(case: dict[str, Any]) -> CpmmSwap:
    swap = swap_exact_in if case["input"]["swap_mode"] == "exact_in" else swap_exact_out
    pool = pool_of(DOCUMENT["pools"][case["pool"]])
    return swap(pool, case["input"]["amount"], zero_for_one=case["input"]["direction"] == "zero_for_one")


def test_every_case_is_covered() -> None:
    assert (len(DOCUMENT["cases"]), len(CASES)) == (164, 155)


@pytest.mark.parametrize("case", [case for case in CASES if "error" in case.values[0]["expected"]])
def test_refuses_like_the_program(case: dict[str, Any]) -> None:
    with pytest.raises(SwapError) as refused:
        swap_of(case)
    assert refused.value.kind == case["expected"]["error"]


@pytest.mark.parametrize("case", [case for case in CASES if "error" not in case.values[0]["expected"]])
def test_answers_like_the_program(case: dict[str, Any]) -> None:
    expected = case["expected"]
    before = pool_of(DOCUMENT["pools"][case["pool"]])

    swap = swap_of(case)

    for name in ("amount_in", "amount_out", "trade_fee", "protocol_fee", "fund_fee", "creator_fee"):
        assert getattr(swap, name) == expected[name], name
    assert swap.creator_fee_on_input == (expected["creator_fee_token"] == "input")
    for ours, theirs in POOL_FIELDS.items():
        assert getattr(swap.pool, ours) == expected["end_state"][theirs], theirs
    assert (swap.pool.reserve_0, swap.pool.reserve_1) == tuple(expected["end_reserves"].values())
    for constant in {field.name for field in fields(CpmmPool)} - POOL_FIELDS.keys():
        assert getattr(swap.pool, constant) == getattr(before, constant), constant


def plain_pool(reserve_0: int = 1_000_000, reserve_1: int = 2_000_000, **changes: Any) -> CpmmPool:
    pool = CpmmPool(2_500, 120_000, 40_000, 500, reserve_0, reserve_1, 0, 0, 0, 0, 0, 0, 0, enable_creator_fee=False)
    return replace(pool, **changes)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_zero_amount_is_refused_by_its_side(amount: int) -> None:
    with pytest.raises(SwapError, match=r"zero_input: .* ask for a greater amount"):
        swap_exact_in(plain_pool(), amount, zero_for_one=True)
    with pytest.raises(SwapError, match=r"zero_output: .* use a greater amount"):
        swap_exact_out(plain_pool(), amount, zero_for_one=True)


@pytest.mark.parametrize("pool", [plain_pool(reserve_0=0), plain_pool(reserve_1=0)])
def test_an_empty_pool_has_no_swap_and_no_price(pool: CpmmPool) -> None:
    for attempt in (swap_exact_in, swap_exact_out):
        with pytest.raises(SwapError, match="insufficient_liquidity"):
            attempt(pool, 1_000, zero_for_one=True)
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        spot_price(pool, zero_for_one=True)


def test_an_input_the_vault_cannot_hold_is_refused() -> None:
    with pytest.raises(SwapError, match="vault_balance_overflow"):
        swap_exact_in(plain_pool(), U64_MAX, zero_for_one=True)


def test_no_input_buys_an_output_with_a_fee_of_100_percent() -> None:
    pool = plain_pool(trade_fee_rate=FEE_RATE_DENOMINATOR)
    with pytest.raises(SwapError, match="amount_in_exceeds_u64"):
        swap_exact_out(pool, 1, zero_for_one=True)


def test_a_pool_without_fees_follows_the_bare_curve() -> None:
    pool = plain_pool(trade_fee_rate=0, enable_creator_fee=True, creator_fee_rate=0)
    assert swap_exact_in(pool, 1_000_000, zero_for_one=True).amount_out == 1_000_000
    assert swap_exact_out(pool, 1_000_000, zero_for_one=True).amount_in == 1_000_000


def test_the_spot_price_is_output_per_input_in_either_direction() -> None:
    assert spot_price(plain_pool(), zero_for_one=True) == 2
    assert spot_price(plain_pool(), zero_for_one=False) == Fraction(1, 2)


@pytest.mark.parametrize("creator_fee_on", [0, 1, 2])
def test_price_impact_excludes_fees(creator_fee_on: int) -> None:
    pool = plain_pool(10**12, 10**12, creator_fee_on=creator_fee_on, enable_creator_fee=True, creator_fee_rate=100_000)
    swap = swap_exact_in(pool, 10**12, zero_for_one=True)
    impact = price_impact(swap.net_in, swap.gross_out, spot_price(pool, zero_for_one=True))
    exact = Fraction(swap.net_in, 10**12 + swap.net_in)
    assert abs(impact - exact) < Fraction(1, 10**11)


def test_price_impact_is_never_negative() -> None:
    assert price_impact(0, 0, Fraction(2)) == 0
    assert price_impact(10, 21, Fraction(2)) == 0
    assert price_impact(10, 0, Fraction(2)) == 1


fees = st.integers(0, 250_000)
pools = st.builds(
    CpmmPool,
    trade_fee_rate=fees,
    protocol_fee_rate=st.integers(0, 500_000),
    fund_fee_rate=st.integers(0, 500_000),
    creator_fee_rate=fees,
    vault_0=st.integers(10**6, 10**18),
    vault_1=st.integers(10**6, 10**18),
    protocol_fees_0=st.integers(0, 10**5),
    protocol_fees_1=st.integers(0, 10**5),
    fund_fees_0=st.integers(0, 10**5),
    fund_fees_1=st.integers(0, 10**5),
    creator_fees_0=st.integers(0, 10**5),
    creator_fees_1=st.integers(0, 10**5),
    creator_fee_on=st.sampled_from([0, 1, 2]),
    enable_creator_fee=st.booleans(),
)
amounts = st.integers(1, 10**18)


def try_exact_in(pool: CpmmPool, amount: int, zero_for_one: bool) -> CpmmSwap | None:
    try:
        return swap_exact_in(pool, amount, zero_for_one=zero_for_one)
    except SwapError as refused:
        if refused.kind != SwapErrorKind.ZERO_OUTPUT:
            raise
        return None


def k(pool: CpmmPool) -> int:
    return pool.reserve_0 * pool.reserve_1


@given(pools, amounts, st.booleans())
def test_k_never_falls(pool: CpmmPool, amount: int, zero_for_one: bool) -> None:
    swap = try_exact_in(pool, amount, zero_for_one)
    assume(swap is not None)
    assert swap is not None
    assert k(swap.pool) >= k(pool)


@given(pools, amounts, st.booleans())
def test_a_round_trip_never_gains(pool: CpmmPool, amount: int, zero_for_one: bool) -> None:
    there = try_exact_in(pool, amount, zero_for_one)
    assume(there is not None)
    assert there is not None
    back = try_exact_in(there.pool, there.amount_out, not zero_for_one)
    assert back is None or back.amount_out <= amount


@given(pools, amounts, amounts, st.booleans())
def test_more_in_never_gives_less_out(pool: CpmmPool, amount: int, more: int, zero_for_one: bool) -> None:
    less = try_exact_in(pool, amount, zero_for_one)
    greater = try_exact_in(pool, amount + more, zero_for_one)
    assert (greater.amount_out if greater else 0) >= (less.amount_out if less else 0)


@given(pools, st.data(), st.booleans())
def test_the_input_of_an_exact_output_buys_at_least_that(
    pool: CpmmPool, data: st.DataObject, zero_for_one: bool
) -> None:
    reserve_out = pool.reserve_1 if zero_for_one else pool.reserve_0
    wanted = data.draw(st.integers(1, reserve_out // 2))
    bought = swap_exact_out(pool, wanted, zero_for_one=zero_for_one)
    assert bought.amount_out == wanted
    assert swap_exact_in(pool, bought.amount_in, zero_for_one=zero_for_one).amount_out >= wanted
    assert k(bought.pool) >= k(pool)
