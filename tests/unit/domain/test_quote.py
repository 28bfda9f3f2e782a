"""Quotes and routes: what a route pays, costs and guarantees per leg."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest

from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import (
    Hop,
    QuoteRequest,
    Route,
    RoutingDecision,
    VenueQuote,
    best_of,
    first_hop_floor,
    second_hop_ceiling,
)
from orderd.domain.well_known import registry_of

RAYDIUM = VenueQuote(
    VenueName.RAYDIUM, "pool", PoolKind.RAYDIUM_CPMM, "in", "out", 1_000, 990, 3, "in", Decimal(5), 1, 40_000
)
METEORA = replace(RAYDIUM, venue=VenueName.METEORA, pool_kind=PoolKind.METEORA_DLMM)


def test_the_highest_amount_out_wins() -> None:
    richer = replace(METEORA, amount_out=991, price_impact_bps=Decimal(50))
    assert best_of((RAYDIUM, richer)) is richer


def test_equal_quotes_are_ordered_by_impact_and_then_by_name() -> None:
    calmer = replace(RAYDIUM, price_impact_bps=Decimal(4))
    for order in permutations((RAYDIUM, METEORA, calmer)):
        assert best_of(order) is calmer
    for order in permutations((RAYDIUM, METEORA)):
        assert best_of(order) is METEORA


SPLIT = Route((Hop((replace(RAYDIUM, amount_in=3_000, amount_out=2_980), replace(METEORA, slot=7))),))
TWO_HOPS = Route(
    (
        Hop((replace(RAYDIUM, mint_out="middle", amount_out=2_000),)),
        Hop((replace(METEORA, mint_in="middle", amount_in=1_990, amount_out=500, fee_mint="middle", fee=10),)),
    )
)


def test_a_split_is_the_sum_of_its_legs() -> None:
    assert (SPLIT.amount_in, SPLIT.amount_out, SPLIT.compute_units) == (4_000, 3_970, 80_000)
    assert (SPLIT.slot, SPLIT.fee, SPLIT.main.venue) == (1, 6, VenueName.RAYDIUM)
    assert not SPLIT.is_single
    assert Route.single(RAYDIUM).is_single


def test_two_hops_sell_the_first_token_and_pay_the_last() -> None:
    assert (TWO_HOPS.amount_in, TWO_HOPS.amount_out) == (1_000, 500)
    assert [hop.mint_out for hop in TWO_HOPS.hops] == ["middle", "out"]
    assert [leg.pool_kind for leg in TWO_HOPS.legs] == [PoolKind.RAYDIUM_CPMM, PoolKind.METEORA_DLMM]


def test_fees_of_all_legs_are_reported_in_the_token_sold() -> None:
    assert TWO_HOPS.fee == 3 + 5  # 10 of the middle token, 2,000 of which cost 1,000
    on_output = replace(RAYDIUM, fee_mint="out", fee=5)
    assert on_output.fee_in_input == 6  # 5 * 1000 / 990, rounded up


def test_impact_is_weighted_over_legs_and_multiplied_over_hops() -> None:
    hop = Hop((replace(RAYDIUM, amount_in=3_000, price_impact_bps=Decimal(10)), replace(METEORA)))
    assert hop.price_impact_bps == Decimal("8.75")
    through = replace(RAYDIUM, price_impact_bps=Decimal(1_000))
    assert Route((Hop((through,)), Hop((through,)))).price_impact_bps == Decimal("1900.00")


def test_the_total_cost_is_fees_and_impact_over_all_hops() -> None:
    leg = replace(RAYDIUM, fee=100, price_impact_bps=Decimal(1_000))  # 0.9 of 0.9 remains
    assert Route.single(leg).total_cost_bps == Decimal("1900.00")
    assert Route((Hop((leg,)), Hop((replace(leg, fee=0),)))).total_cost_bps == Decimal("2710.00")
    free = replace(leg, amount_in=3_000, fee=0, price_impact_bps=Decimal(0))
    assert Route((Hop((leg, free)),)).total_cost_bps == Decimal("475.00"), "legs are weighted by their parts"
    assert Route.single(replace(leg, fee=3, price_impact_bps=Decimal(0))).total_cost_bps == Decimal("30.00")


@pytest.mark.parametrize("floor", [1, 2, 3_969, 3_970])
def test_the_minimums_of_all_legs_add_up_to_the_routes_minimum(floor: int) -> None:
    (floors,) = SPLIT.floors(floor)
    assert sum(floors) >= floor
    assert all(least <= leg.amount_out for least, leg in zip(floors, SPLIT.legs, strict=True))


def test_transfer_fees_are_costs() -> None:
    plain = Route.single(replace(RAYDIUM, fee=0, price_impact_bps=Decimal(0)))
    assert plain.total_cost_bps == 0
    sold = replace(plain.main, transfer_fee_in=plain.amount_in // 10)
    bought = replace(plain.main, transfer_fee_out=plain.amount_out)
    assert Route.single(sold).total_cost_bps == 1_000
    assert Route.single(bought).total_cost_bps == 5_000, "half of the output is the transfer fee"


def test_the_first_hop_must_pay_what_the_second_one_spends() -> None:
    assert TWO_HOPS.floors(497) == [[1_990], [497]]


@pytest.mark.parametrize(("slippage_bps", "floor"), [(0, 2_000), (1, 2_000), (50, 1_995), (10_000, 1_000)])
def test_the_first_hop_has_half_of_the_slippage(slippage_bps: int, floor: int) -> None:
    assert first_hop_floor(2_000, slippage_bps) == floor


def test_the_gain_is_relative_to_the_best_single_pool() -> None:
    single = replace(RAYDIUM, amount_in=4_000, amount_out=3_960)
    assert RoutingDecision(SPLIT, (single,), ()).gain_bps == Decimal("25.25")
    assert RoutingDecision(SPLIT, (), ()).gain_bps is None


BOUGHT = Route(
    (
        Hop(
            (
                replace(RAYDIUM, mint_out="middle", amount_in=700, amount_out=1_400, exact_out=True),
                replace(METEORA, mint_out="middle", amount_in=300, amount_out=600, exact_out=True),
            )
        ),
        Hop((replace(METEORA, mint_in="middle", amount_in=1_990, amount_out=500, exact_out=True),)),
    )
)


def test_the_cheapest_pool_wins_for_an_exact_output() -> None:
    cheaper = replace(METEORA, amount_in=999, price_impact_bps=Decimal(50), exact_out=True)
    assert best_of((replace(RAYDIUM, exact_out=True), cheaper)) is cheaper


@pytest.mark.parametrize(("most", "legs"), [(1_000, [700, 300]), (1_001, [700, 300]), (1_009, [706, 302])])
def test_each_leg_has_its_part_of_the_maximum_and_the_second_hop_what_the_first_bought(
    most: int, legs: list[int]
) -> None:
    assert BOUGHT.exact_out
    assert BOUGHT.ceilings(most) == [legs, [2_000]]


def test_the_second_hop_has_half_of_the_slippage_of_an_exact_output() -> None:
    assert [second_hop_ceiling(10_000, bps) for bps in (0, 1, 50, 100)] == [10_000, 10_000, 10_025, 10_050]


def test_the_gain_of_an_exact_purchase_is_relative_to_the_cheapest_pool() -> None:
    single, route = replace(RAYDIUM, amount_in=1_010, exact_out=True), Route.single(replace(RAYDIUM, exact_out=True))
    assert RoutingDecision(route, (single,), ()).gain_bps == Decimal("99")
    assert RoutingDecision(route, (), ()).gain_bps is None


def test_an_amount_is_described_in_its_token_if_that_is_known() -> None:
    request = QuoteRequest("in", "out", 1_500_000_000)
    assert request.describe(369_178_818) == "369178818 base units"
    assert replace(request, token=registry_of("simnet").resolve("SOL")).describe(369_178_818) == "0.369178818 SOL"
