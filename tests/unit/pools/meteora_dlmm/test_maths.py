"""Meteora DLMM maths: equal to the program bit for bit, and the invariants of swaps."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from orderd.amm.price import price_impact
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.pools.meteora_dlmm.maths.pool import (
    DlmmBin,
    DlmmBins,
    DlmmParameters,
    DlmmPool,
    DlmmSwap,
    DlmmVolatility,
    price_from_bin_id,
    spot_price,
    swap_exact_in,
    swap_exact_out,
)
from tests.unit.amm.vectors import cases, load

DOCUMENT = load("meteora_dlmm.json")
CASES = cases(DOCUMENT)
PRICES = load("meteora_dlmm_price.json")["cases"]


def bin_of(account: dict[str, Any]) -> DlmmBin:
    return DlmmBin(**account | {"limit_order_ask_side": bool(account.get("limit_order_ask_side"))})


def pool_of(account: dict[str, Any]) -> DlmmPool:
    parameters = {name: account["parameters"][name] for name in DlmmParameters.__slots__}
    return DlmmPool(
        parameters=DlmmParameters(**parameters),
        volatility=DlmmVolatility(**account["v_parameters"]),
        active_id=account["active_id"],
        bin_step=account["bin_step"],
        protocol_fee_x=account["protocol_fee"]["amount_x"],
        protocol_fee_y=account["protocol_fee"]["amount_y"],
        has_reward=account["has_reward"],
        bins=DlmmBins(bin_of(each) for each in account["bins"]),
    )


def swap_of(case: dict[str, Any]) -> DlmmSwap:
    given = case["input"]
    swap = swap_exact_in if given["swap_mode"] == "exact_in" else swap_exact_out
    pool = pool_of(DOCUMENT["pools"][case["pool"]])
    return swap(pool, given["amount"], swap_for_y=given["swap_for_y"], now=given["current_timestamp"])


def test_every_case_is_covered() -> None:
    assert (len(DOCUMENT["cases"]), len(CASES), len(PRICES)) == (166, 166, 231)


@pytest.mark.parametrize("case", PRICES, ids=lambda case: f"step {case['bin_step']} id {case['bin_id']}")
def test_the_price_of_a_bin_matches_the_program(case: dict[str, Any]) -> None:
    assert price_from_bin_id(case["bin_step"], case["bin_id"]) == case["price_q64"]


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
    assert swap.pool.active_id == end["active_id"]
    assert swap.pool.volatility == DlmmVolatility(**end["v_parameters"])
    assert (swap.pool.protocol_fee_x, swap.pool.protocol_fee_y) == tuple(end["protocol_fee"].values())
    assert {each.bin_id for each in swap.changed_bins} == {each["bin_id"] for each in end["changed_bins"]}
    for changed in end["changed_bins"]:
        for name, value in changed.items():
            assert getattr(swap.pool.bins[changed["bin_id"]], name) == value, (changed["bin_id"], name)
    assert swap.pool.bins == {**before.bins, **{each.bin_id: each for each in swap.changed_bins}}


NOW = 1_000_000


def plain_pool(bins: list[DlmmBin], **parameters: int) -> DlmmPool:
    """A pool at bin 0, where both tokens have equal value, with a 1 % base fee and no volatility."""
    fixed = DlmmParameters(
        base_factor=10_000,
        base_fee_power_factor=0,
        filter_period=30,
        decay_period=600,
        reduction_factor=5_000,
        variable_fee_control=0,
        max_volatility_accumulator=350_000,
        protocol_share=0,
        function_type=0,
        collect_fee_mode=0,
    )
    return DlmmPool(replace(fixed, **parameters), DlmmVolatility(0, 0, 0, NOW), 0, 100, 0, 0, False, DlmmBins(bins))


def bin_at(bin_id: int, amount_x: int = 0, amount_y: int = 0, **orders: Any) -> DlmmBin:
    return DlmmBin(bin_id, amount_x, amount_y, price_from_bin_id(100, bin_id), **orders)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_zero_amount_is_refused_by_its_side(amount: int) -> None:
    pool = plain_pool([bin_at(0, 1_000, 1_000)])
    with pytest.raises(SwapError, match="zero_input"):
        swap_exact_in(pool, amount, swap_for_y=True, now=NOW)
    with pytest.raises(SwapError, match="zero_output"):
        swap_exact_out(pool, amount, swap_for_y=True, now=NOW)


def test_a_bin_worth_more_than_64_bits_of_input_is_refused() -> None:
    pool = plain_pool([bin_at(-1_000, amount_y=U64_MAX)])
    with pytest.raises(SwapError, match="amount_in_exceeds_u64"):
        swap_exact_in(pool, 1_000, swap_for_y=True, now=NOW)


def test_an_output_that_costs_more_than_64_bits_of_input_is_refused() -> None:
    pool = plain_pool([bin_at(0, amount_y=U64_MAX // 2), bin_at(-1, amount_y=U64_MAX // 2)])
    with pytest.raises(SwapError, match="amount_in_exceeds_u64"):
        swap_exact_out(pool, U64_MAX // 2 * 2, swap_for_y=True, now=NOW)


def test_volatility_that_overflows_the_programs_32_bits_is_refused() -> None:
    pool = plain_pool([bin_at(0, 1_000, 1_000)], reduction_factor=10_000)
    pool = replace(pool, volatility=DlmmVolatility(500_000, 0, 0, NOW - 60))
    with pytest.raises(SwapError, match="math_overflow"):
        swap_exact_in(pool, 100, swap_for_y=True, now=NOW)


def test_limit_orders_are_ignored_if_the_pool_does_not_support_them() -> None:
    resting = bin_at(0, amount_y=1_000, open_order_amount=1_000)
    assert swap_exact_in(plain_pool([resting]), 1_500, swap_for_y=True, now=NOW).amount_out > 1_000
    for pool in (plain_pool([resting], function_type=1), replace(plain_pool([resting]), has_reward=True)):
        with pytest.raises(SwapError, match="insufficient_liquidity"):
            swap_exact_in(pool, 1_500, swap_for_y=True, now=NOW)


def test_a_filled_order_earns_half_of_its_share_of_the_fee() -> None:
    pool = plain_pool([bin_at(0, open_order_amount=10_000)])
    swap = swap_exact_in(pool, 1_010, swap_for_y=True, now=NOW)
    assert (swap.amount_out, swap.fee, swap.limit_order_fee, swap.protocol_fee, swap.mm_fee) == (999, 11, 5, 6, 0)
    after = swap.pool.bins[0]
    assert (after.limit_order_fee_bid_side, after.limit_order_fee_ask_side) == (5, 0)
    assert (after.amount_x, after.amount_y) == (0, 0)


def refusal_of(pool: DlmmPool, wanted: int, *, swap_for_y: bool) -> SwapErrorKind | None:
    """The reason why the pool does not pay exactly ``wanted``, or None."""
    try:
        swap = swap_exact_out(pool, wanted, swap_for_y=swap_for_y, now=NOW)
    except SwapError as error:
        return error.kind
    assert swap.amount_out == wanted
    return None


def test_an_exact_output_that_rounding_of_orders_leaves_short_is_refused() -> None:
    pool = replace(plain_pool([bin_at(3, amount_y=1_000, open_order_amount=1_000)]), active_id=3)
    among_orders = [refusal_of(pool, wanted, swap_for_y=True) for wanted in range(1_001, 2_000)]
    assert set(among_orders) == {None, SwapErrorKind.OUTPUT_FALLS_SHORT}
    whole_layers = [refusal_of(pool, wanted, swap_for_y=True) for wanted in (*range(1, 1_001), 2_000)]
    assert set(whole_layers) == {None}


def test_the_spot_price_is_output_per_input_in_either_direction() -> None:
    pool = replace(plain_pool([]), active_id=1)
    assert spot_price(pool, swap_for_y=True) == Fraction(price_from_bin_id(100, 1), 1 << 64)
    assert spot_price(pool, swap_for_y=True) * spot_price(pool, swap_for_y=False) == 1


@pytest.mark.parametrize("collect_fee_mode", [0, 1])
def test_price_impact_is_the_cost_of_crossed_bins(collect_fee_mode: int) -> None:
    bins = [bin_at(0, amount_y=10**9), bin_at(-1, amount_y=10**9)]
    pool = plain_pool(bins, collect_fee_mode=collect_fee_mode)
    spot = spot_price(pool, swap_for_y=True)
    within = swap_exact_in(pool, 10**8, swap_for_y=True, now=NOW)
    assert price_impact(within.net_in, within.gross_out, spot) < Fraction(1, 10**8)
    across = swap_exact_out(pool, 19 * 10**8, swap_for_y=True, now=NOW)
    assert Fraction(4, 1000) < price_impact(across.net_in, across.gross_out, spot) < Fraction(5, 1000)


def test_bins_are_used_from_the_nearest_across_gaps_in_both_directions() -> None:
    bins = DlmmBins([bin_at(5), bin_at(-7), bin_at(0), bin_at(-1)])
    assert [each.bin_id for each in bins.walk(0, downwards=True)] == [0, -1, -7]
    assert [each.bin_id for each in bins.walk(-3, downwards=True)] == [-7]
    assert [each.bin_id for each in bins.walk(-3, downwards=False)] == [-1, 0, 5]
    assert [each.bin_id for each in bins.walk(6, downwards=False)] == []
    assert (list(bins), len(bins)) == ([-7, -1, 0, 5], 4)


def test_changed_bins_do_not_modify_the_old_state() -> None:
    before = DlmmBins([bin_at(0), bin_at(1)])
    between = before.replace([bin_at(0, 10, 10)])
    after = between.replace([bin_at(1, 20, 20)])
    assert before == {0: bin_at(0), 1: bin_at(1)}
    assert between == {0: bin_at(0, 10, 10), 1: bin_at(1)}
    assert after == {0: bin_at(0, 10, 10), 1: bin_at(1, 20, 20)}
    with pytest.raises(KeyError):
        after[2]


tokens = st.integers(0, 10**10)


@st.composite
def pools(draw: st.DrawFn) -> DlmmPool:
    """Pools around bin 0: y below it, x above, and limit orders on their resting side."""
    bins = []
    for bin_id in draw(st.sets(st.integers(-12, 12), min_size=1)):
        ask = bin_id > 0 or (bin_id == 0 and draw(st.booleans()))
        orders: dict[str, Any] = {"limit_order_ask_side": ask}
        if draw(st.booleans()):
            processed = draw(tokens)
            orders |= {
                "open_order_amount": draw(tokens),
                "processed_order_remaining_amount": processed,
                "total_processing_order_amount": processed + draw(tokens),
            }
        x, y = draw(tokens) if bin_id >= 0 else 0, draw(tokens) if bin_id <= 0 else 0
        bins.append(bin_at(bin_id, x, y, **orders))
    return plain_pool(
        bins,
        base_factor=draw(st.integers(0, 50_000)),
        variable_fee_control=draw(st.integers(0, 100_000)),
        protocol_share=draw(st.integers(0, 2_500)),
        function_type=draw(st.integers(0, 2)),
        collect_fee_mode=draw(st.integers(0, 1)),
    )


amounts = st.integers(1, 10**11)


def try_exact_in(pool: DlmmPool, amount: int, swap_for_y: bool) -> DlmmSwap | None:
    try:
        return swap_exact_in(pool, amount, swap_for_y=swap_for_y, now=NOW)
    except SwapError:
        return None


@given(pools(), amounts, st.booleans())
def test_no_bins_value_ever_falls(pool: DlmmPool, amount: int, swap_for_y: bool) -> None:
    swap = try_exact_in(pool, amount, swap_for_y)
    assume(swap is not None)
    assert swap is not None
    for after in swap.changed_bins:
        before = pool.bins[after.bin_id]
        assert (after.amount_x - before.amount_x) * before.price + (after.amount_y - before.amount_y << 64) >= 0


@given(pools(), amounts, st.booleans())
def test_fees_and_amounts_add_up(pool: DlmmPool, amount: int, swap_for_y: bool) -> None:
    swap = try_exact_in(pool, amount, swap_for_y)
    assume(swap is not None)
    assert swap is not None
    assert swap.fee == swap.mm_fee + swap.protocol_fee + swap.limit_order_fee
    given_out = sum(
        pool.bins[after.bin_id].available(swap_for_y=swap_for_y, limit_orders=pool.supports_limit_orders)
        - after.available(swap_for_y=swap_for_y, limit_orders=pool.supports_limit_orders)
        for after in swap.changed_bins
    )
    assert given_out == swap.gross_out


@given(pools(), amounts, st.booleans())
def test_a_round_trip_never_gains(pool: DlmmPool, amount: int, swap_for_y: bool) -> None:
    there = try_exact_in(pool, amount, swap_for_y)
    assume(there is not None)
    assert there is not None
    back = try_exact_in(there.pool, there.amount_out, not swap_for_y)
    assert back is None or back.amount_out <= amount


@given(pools(), amounts, amounts, st.booleans())
def test_more_in_never_gives_less_out(pool: DlmmPool, amount: int, more: int, swap_for_y: bool) -> None:
    less, greater = try_exact_in(pool, amount, swap_for_y), try_exact_in(pool, amount + more, swap_for_y)
    assume(greater is not None)
    assert greater is not None
    assert less is None or less.amount_out <= greater.amount_out


@given(pools(), amounts, st.booleans())
def test_the_input_of_an_exact_output_buys_at_least_that(pool: DlmmPool, wanted: int, swap_for_y: bool) -> None:
    try:
        bought = swap_exact_out(pool, wanted, swap_for_y=swap_for_y, now=NOW)
    except SwapError:
        reject()
    assert bought.amount_out == wanted
    assert bought.fee == bought.mm_fee + bought.protocol_fee + bought.limit_order_fee
    again = swap_exact_in(pool, bought.amount_in, swap_for_y=swap_for_y, now=NOW)
    assert again.amount_out >= wanted


@given(pools(), amounts, st.booleans())
def test_an_exact_output_falls_short_only_among_limit_orders(pool: DlmmPool, wanted: int, swap_for_y: bool) -> None:
    pool = replace(pool, parameters=replace(pool.parameters, function_type=1))
    assert refusal_of(pool, wanted, swap_for_y=swap_for_y) in (None, SwapErrorKind.INSUFFICIENT_LIQUIDITY)
