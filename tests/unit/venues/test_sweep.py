"""Orders of all sizes on a new simnet without a market: larger orders receive more, and refusals are justified."""

import re
from itertools import combinations

import pytest

from benchmarks.sweep import LARGEST, Answer, answer, falls, sizes, sweep
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode
from orderd.domain.quote import Hop, Route, VenueQuote
from orderd.domain.tokens import Token
from orderd.domain.well_known import WELL_KNOWN
from orderd.venues.base import OpenPool
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
def test_sizes_near_the_compute_limit_are_filled(desk: Desk, thousandths: int) -> None:
    """From 8,200 SOL on the best two pools would cross too many ticks: they cross fewer, or other pools are used."""
    found = answer(desk, SOL, USDC, thousandths * 10**9)
    assert found.route is not None
    assert len(found.route.legs) == 2


@pytest.mark.parametrize("max_price_impact_bps", [500, 10_000])
def test_two_pools_that_fit_pay_more_than_one(max_price_impact_bps: int) -> None:
    """A single pool pays 702,444 USDC for 9,000 SOL."""
    desk = desk_at_genesis(max_price_impact_bps=max_price_impact_bps)
    assert answer(desk, SOL, USDC, 9_000 * 10**9).received > 903_067 * 10**6


def assert_never_falls(answers: list[Answer], sold: Token) -> None:
    assert falls(answers) == [], sold.symbol
    assert answers[0].route is not None
    assert answers[-1].amount_in == LARGEST[sold]


def test_a_larger_order_never_receives_less(generous: Desk) -> None:
    for sold, _, answers in both_ways(generous):
        assert_never_falls(answers, sold)


def test_a_larger_order_never_receives_less_up_to_the_price_impact_limit(desk: Desk) -> None:
    for sold, _, answers in both_ways(desk):
        assert_never_falls(answers, sold)
        steep = [each.refusal is not None and each.refusal.code is ErrorCode.ROUTE_PRICE_IMPACT for each in answers]
        assert steep == sorted(steep)
        assert any(steep)


def test_other_refusals_are_of_orders_that_would_receive_less_than_smaller_ones(desk: Desk, generous: Desk) -> None:
    """Two pools take 11,437 SOL; a third does not fit into the transaction, and would pay less in place of one."""
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
    """The best output of any two pools whose swaps fit into one transaction, on a grid."""
    pair = (SOL.mint, USDC.mint)
    pools = desk.router.pools([pair])[pair].pools
    shares = [(amount_in * part // 40, amount_in - amount_in * part // 40) for part in range(1, 40)]
    quotes = [[(_quote(pool, share), _quote(pool, rest)) for share, rest in shares] for pool in pools]
    most = 0
    for one, other in combinations(quotes, 2):
        for (share, _), (_, rest) in zip(one, other, strict=True):
            if share is None or rest is None:
                continue
            route = Route((Hop((share, rest)),))
            if route.amount_out > most and desk.builder.fits(route):
                most = route.amount_out
    return most


def _quote(pool: OpenPool, amount_in: int) -> VenueQuote | None:
    try:
        return pool.venue_quote(pool.side.quote(amount_in))
    except SwapError:
        return None
