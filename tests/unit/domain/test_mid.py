"""The mid is between the best pools of a pair, before fees and depth, and moved by none that nobody would trade in."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from orderd.domain.mid import mid_of, text, with_enough_liquidity
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import Hop, Route, VenueQuote

AMOUNT = 1_000_000


def offer(spot: Fraction | int, *, fee: int = 2_500, impact_bps: int = 1, mints: str = "AB") -> VenueQuote:
    """What a pool at this price pays for a million: ``fee`` of that is kept, and depth costs so many basis points."""
    paid = (AMOUNT - fee) * Fraction(spot) * (10_000 - impact_bps) / 10_000
    pool = f"{spot} {fee}"
    kind = PoolKind.RAYDIUM_CPMM
    quote = VenueQuote(
        VenueName.RAYDIUM, pool, kind, mints[0], mints[1], AMOUNT, int(paid), fee, mints[0], Decimal(impact_bps), 1, 1
    )
    return replace(quote, spot=Fraction(spot))


def mid(route: Route, *hops: Iterable[VenueQuote]) -> Fraction | None:
    return mid_of(route, hops)


def test_of_one_pool_it_is_that_pools_price_whatever_fee_and_depth_take() -> None:
    only = offer(100, fee=10_000, impact_bps=300)
    assert mid(Route.single(only), [only]) == 100


def test_it_lies_between_the_pool_to_sell_to_and_the_pool_to_buy_from() -> None:
    dear, cheap = offer(102), offer(100)
    assert mid(Route.single(dear), [dear, cheap, offer(101)]) == 101


def test_fees_choose_the_pools_and_are_no_part_of_the_price() -> None:
    best, cheap_but_greedy, fair = offer(102), offer(100, fee=30_000), offer(101)
    assert mid(Route.single(best), [best, cheap_but_greedy, fair]) == Fraction(203, 2)


def test_a_pool_with_too_little_for_the_order_moves_nothing() -> None:
    deep, shallow = offer(100), offer(96, impact_bps=2_000)
    assert mid(Route.single(deep), [deep, shallow]) == 100


def test_by_way_of_another_token_the_mids_multiply() -> None:
    first, second = offer(4, mints="AB"), offer(25, mints="BC")
    route = Route((Hop((first,)), Hop((second,))))
    assert mid(route, [first], [second, offer(26, mints="BC")]) == 4 * Fraction(51, 2)


def test_legs_of_a_split_count_where_no_pool_takes_it_all() -> None:
    legs = offer(102), offer(100)
    assert mid(Route((Hop(legs),)), []) == 101


@pytest.mark.parametrize("other", [offer(60), offer(10_000, impact_bps=9_800)], ids=["far below", "next to nothing"])
def test_a_pool_that_is_no_part_of_the_market_has_no_say(other: VenueQuote) -> None:
    assert mid(Route.single(offer(100)), [offer(100), other]) == 100


def test_where_all_pools_hold_too_little_they_have_to_do() -> None:
    offers = [offer(102, impact_bps=1_000), offer(100, impact_bps=1_000)]
    assert mid(Route.single(offers[0]), offers) == 101


def test_pools_with_enough_liquidity_are_preferred_and_otherwise_all_count() -> None:
    deep, shallow = offer(100), offer(96, impact_bps=2_000)
    assert with_enough_liquidity([deep, shallow]) == [deep]
    assert with_enough_liquidity([shallow]) == [shallow]


def test_where_it_cannot_be_told_it_is_not() -> None:
    untold = replace(offer(100), spot=None)
    assert mid(Route.single(untold), [untold]) is None


def test_it_is_reported_in_whole_tokens_with_eighteen_digits() -> None:
    assert text(Fraction(1, 7), 9, 6) == "142.857142857142857"
    assert text(Fraction(101, 1_000), 9, 6) == "101"
    assert text(Fraction(10**30), 6, 9) == "1" + "0" * 27
