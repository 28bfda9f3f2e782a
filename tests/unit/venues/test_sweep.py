"""Orders of all sizes on a fresh simnet without a market: larger ones receive more, and refusals have their reasons."""

import re
from itertools import combinations

import pytest

from benchmarks.sweep import LARGEST, Answer, answer, falls, sizes, sweep
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode
from orderd.domain.quote import Hop, Route
from orderd.domain.tokens import Token
from orderd.domain.well_known import WELL_KNOWN
from tests.unit.venues.genesis import Desk, desk_at_genesis

SOL, USDC = WELL_KNOWN["simnet"][:2]
STEPS = 50


def both_ways(desk: Desk) -> list[tuple[Token, Token, list[Answer]]]:
    return [(one, other, sweep(desk, one, other, sizes(one, STEPS))) for one, other in ((SOL, USDC), (USDC, SOL))]


@pytest.fixture(scope="module")
def desk() -> Desk:
    return desk_at_genesis(max_price_impact_bps=500)


@pytest.fixture(scope="module")
def generous() -> Desk:
    return desk_at_genesis(max_price_impact_bps=10_000)


@pytest.mark.parametrize("thousandths", range(8_000, 11_001, 250))
def test_there_is_no_hole_where_compute_units_run_short(desk: Desk, thousandths: int) -> None:
    """From 8,200 SOL on the best two pools would cross too many ticks: they cross fewer, or others are taken."""
    found = answer(desk, SOL, USDC, thousandths * 10**9)
    assert found.route is not None
    assert len(found.route.legs) == 2


@pytest.mark.parametrize("max_price_impact_bps", [500, 10_000])
def test_two_pools_that_fit_pay_more_than_one(max_price_impact_bps: int) -> None:
    """Single pools paid 702,444 USDC for 9,000 SOL."""
    desk = desk_at_genesis(max_price_impact_bps=max_price_impact_bps)
    assert answer(desk, SOL, USDC, 9_000 * 10**9).received > 903_067 * 10**6


def assert_never_falls(answers: list[Answer], sold: Token) -> None:
    assert falls(answers) == [], sold.symbol
    assert answers[0].route is not None
    assert answers[-1].amount_in == LARGEST[sold]


def test_what_is_received_never_falls_as_the_order_grows(generous: Desk) -> None:
    for sold, _, answers in both_ways(generous):
        assert_never_falls(answers, sold)


def test_nor_does_it_up_to_the_price_impact_limit_and_larger_orders_are_all_refused(desk: Desk) -> None:
    for sold, _, answers in both_ways(desk):
        assert_never_falls(answers, sold)
        steep = [each.refusal is not None and each.refusal.code is ErrorCode.ROUTE_PRICE_IMPACT for each in answers]
        assert steep == sorted(steep)
        assert any(steep)


def test_all_other_refusals_are_of_orders_that_receive_less_than_a_smaller_one(desk: Desk, generous: Desk) -> None:
    """Two pools take 11,437 SOL; a third does not fit into the transaction, and in the place of one it pays less."""
    for each in (desk, generous):
        answers = sweep(each, SOL, USDC, range(11_400 * 10**9, 12_000 * 10**9, 50 * 10**9))
        refused = [found for found in answers if found.refusal is not None]
        assert refused
        for found in refused:
            assert found.refusal is not None
            assert found.refusal.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY
            amount = re.search(r"; (\d+) base units can be sold$", found.refusal.detail)
            assert amount is not None
            assert answer(each, SOL, USDC, int(amount[1])).received > _best_pair(each, found.amount_in)


def _best_pair(desk: Desk, amount_in: int) -> int:
    """What any two pools whose swaps fit into one transaction pay for all of it, on a grid."""
    pair = (SOL.mint, USDC.mint)
    most = 0
    for one, other in combinations(desk.router.pools([pair])[pair].pools, 2):
        for part in range(1, 40):
            try:
                shares = (amount_in * part // 40, amount_in - amount_in * part // 40)
                legs = [
                    pool.venue_quote(pool.side.quote(share)) for pool, share in zip((one, other), shares, strict=True)
                ]
            except SwapError:
                continue
            route = Route((Hop(tuple(legs)),))
            if route.amount_out > most and desk.builder.fits(route):
                most = route.amount_out
    return most
