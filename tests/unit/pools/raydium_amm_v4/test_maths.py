"""Raydium AMM v4 maths: equal to the program bit for bit, and the invariants of swaps."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orderd.amm.price import price_impact
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.pools.raydium_amm_v4.maths.pool import AmmV4Pool, AmmV4Swap, spot_price, swap_exact_in, swap_exact_out
from tests.unit.amm.vectors import cases, load

DOCUMENT = load("raydium_amm_v4.json")
CASES = cases(DOCUMENT)


def pool_of(account: dict[str, Any]) -> AmmV4Pool:
    return AmmV4Pool(
        status=account["status"],
        swap_fee_numerator=account["swap_fee_numerator"],
        swap_fee_denominator=account["swap_fee_denominator"],
        need_take_pnl_coin=account["need_take_pnl_coin"],
        need_take_pnl_pc=account["need_take_pnl_pc"],
        coin_vault=account["coin_vault_amount"],
        pc_vault=account["pc_vault_amount"],
        open_orders_coin=account["open_orders_native_coin_total"],
        open_orders_pc=account["open_orders_native_pc_total"],
    )


def swap_of(case: dict[str, Any]) -> AmmV4Swap:
    swap = swap_exact_in if case["input"]["swap_mode"] == "exact_in" else swap_exact_out
    pool = pool_of(DOCUMENT["pools"][case["pool"]])
    return swap(pool, case["input"]["amount"], coin_to_pc=case["input"]["direction"] == "coin_to_pc")


def test_every_case_is_covered() -> None:
    assert (len(DOCUMENT["cases"]), len(CASES)) == (60, 60)


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

    assert (swap.amount_in, swap.amount_out, swap.fee) == (
        expected["amount_in"],
        expected["amount_out"],
        expected["fee"],
    )
    assert swap.pool == replace(before, coin_vault=end["coin_vault_amount"], pc_vault=end["pc_vault_amount"])


def plain_pool(coin: int = 1_000_000, pc: int = 2_000_000) -> AmmV4Pool:
    return AmmV4Pool(6, 25, 10_000, 0, 0, coin, pc, 0, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_zero_amount_is_refused_by_its_side(amount: int) -> None:
    with pytest.raises(SwapError, match="zero_input"):
        swap_exact_in(plain_pool(), amount, coin_to_pc=True)
    with pytest.raises(SwapError, match="zero_output"):
        swap_exact_out(plain_pool(), amount, coin_to_pc=True)


@pytest.mark.parametrize("pool", [plain_pool(coin=0), plain_pool(pc=0)])
def test_an_empty_pool_has_no_swap_and_no_price(pool: AmmV4Pool) -> None:
    for attempt in (swap_exact_in, swap_exact_out):
        with pytest.raises(SwapError, match="insufficient_liquidity"):
            attempt(pool, 1_000, coin_to_pc=True)
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        spot_price(pool, coin_to_pc=True)


def test_an_input_the_vault_cannot_hold_is_refused() -> None:
    with pytest.raises(SwapError, match="vault_balance_overflow"):
        swap_exact_in(plain_pool(), U64_MAX, coin_to_pc=False)


def test_an_output_that_costs_more_than_64_bits_of_input_is_refused() -> None:
    with pytest.raises(SwapError, match="amount_in_exceeds_u64"):
        swap_exact_out(plain_pool(coin=U64_MAX // 2), 1_999_999, coin_to_pc=True)


def test_funds_on_the_order_book_count_for_the_price_but_cannot_be_paid_out() -> None:
    pool = replace(plain_pool(pc=1_000), status=1, open_orders_pc=1_999_000)
    assert spot_price(pool, coin_to_pc=True) == 2
    assert swap_exact_out(pool, 1_000, coin_to_pc=True).pool.pc_vault == 0
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        swap_exact_out(pool, 1_001, coin_to_pc=True)


def test_the_spot_price_is_output_per_input_in_either_direction() -> None:
    assert spot_price(plain_pool(), coin_to_pc=True) == 2
    assert spot_price(plain_pool(), coin_to_pc=False) == Fraction(1, 2)


def test_price_impact_excludes_fees() -> None:
    pool = plain_pool(10**12, 10**12)
    swap = swap_exact_in(pool, 10**12, coin_to_pc=True)
    impact = price_impact(swap.net_in, swap.gross_out, spot_price(pool, coin_to_pc=True))
    assert abs(impact - Fraction(swap.net_in, 10**12 + swap.net_in)) < Fraction(1, 10**11)


balances = st.integers(10**6, 10**18)
pools = st.builds(
    AmmV4Pool,
    status=st.just(6),
    swap_fee_numerator=st.integers(0, 500),
    swap_fee_denominator=st.just(10_000),
    need_take_pnl_coin=st.integers(0, 10**5),
    need_take_pnl_pc=st.integers(0, 10**5),
    coin_vault=balances,
    pc_vault=balances,
    open_orders_coin=st.just(0),
    open_orders_pc=st.just(0),
)
amounts = st.integers(1, 10**18)


def try_exact_in(pool: AmmV4Pool, amount: int, coin_to_pc: bool) -> AmmV4Swap | None:
    try:
        return swap_exact_in(pool, amount, coin_to_pc=coin_to_pc)
    except SwapError as refused:
        if refused.kind != SwapErrorKind.ZERO_OUTPUT:
            raise
        return None


@given(pools, amounts, st.booleans())
def test_k_never_falls_and_a_round_trip_never_gains(pool: AmmV4Pool, amount: int, coin_to_pc: bool) -> None:
    there = try_exact_in(pool, amount, coin_to_pc)
    assume(there is not None)
    assert there is not None
    assert there.pool.reserve_coin * there.pool.reserve_pc >= pool.reserve_coin * pool.reserve_pc
    back = try_exact_in(there.pool, there.amount_out, not coin_to_pc)
    assert back is None or back.amount_out <= amount


@given(pools, amounts, amounts, st.booleans())
def test_more_in_never_gives_less_out(pool: AmmV4Pool, amount: int, more: int, coin_to_pc: bool) -> None:
    less, greater = try_exact_in(pool, amount, coin_to_pc), try_exact_in(pool, amount + more, coin_to_pc)
    assert (greater.amount_out if greater else 0) >= (less.amount_out if less else 0)


@given(pools, st.data(), st.booleans())
def test_the_input_of_an_exact_output_buys_at_least_that(
    pool: AmmV4Pool, data: st.DataObject, coin_to_pc: bool
) -> None:
    wanted = data.draw(st.integers(1, (pool.reserve_pc if coin_to_pc else pool.reserve_coin) // 2))
    bought = swap_exact_out(pool, wanted, coin_to_pc=coin_to_pc)
    assert bought.amount_out == wanted
    assert swap_exact_in(pool, bought.amount_in, coin_to_pc=coin_to_pc).amount_out >= wanted
