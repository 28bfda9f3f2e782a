"""The mid price is between the best pools of a pair, before fees and depth, and ignores pools nobody would trade in."""

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
    """A quote of a pool at this price for a million; ``fee`` base units are kept, and depth costs ``impact_bps``."""
    paid = (AMOUNT - fee) * Fraction(spot) * (10_000 - impact_bps) / 10_000
    pool = f"{spot} {fee}"
    kind = PoolKind.RAYDIUM_CPMM
    quote = VenueQuote(
        VenueName.RAYDIUM, pool, kind, mints[0], mints[1], AMOUNT, int(paid), fee, mints[0], Decimal(impact_bps), 1, 1
    )
    return replace(quote, spot=Fraction(spot))


def mid(route: Route, *hops: Iterable[VenueQuote]) -> Fraction | None:
    return mid_of(route, hops)


def test_the_mid_of_one_pool_is_its_price_before_fee_and_depth() -> None:
    only = offer(100, fee=10_000, impact_bps=300)
    assert mid(Route.single(only), [only]) == 100


def test_the_mid_is_between_the_best_bid_and_the_best_ask() -> None:
    dear, cheap = offer(102), offer(100)
    assert mid(Route.single(dear), [dear, cheap, offer(101)]) == 101


def test_fees_select_the_pools_but_are_not_part_of_the_mid() -> None:
    best, cheap_but_greedy, fair = offer(102), offer(100, fee=30_000), offer(101)
    assert mid(Route.single(best), [best, cheap_but_greedy, fair]) == Fraction(203, 2)


def test_a_pool_too_shallow_for_the_order_does_not_affect_the_mid() -> None:
    deep, shallow = offer(100), offer(96, impact_bps=2_000)
    assert mid(Route.single(deep), [deep, shallow]) == 100


def test_the_mid_through_another_token_is_a_product() -> None:
    first, second = offer(4, mints="AB"), offer(25, mints="BC")
    route = Route((Hop((first,)), Hop((second,))))
    assert mid(route, [first], [second, offer(26, mints="BC")]) == 4 * Fraction(51, 2)


def test_legs_of_a_split_count_if_no_pool_can_fill_the_order() -> None:
    legs = offer(102), offer(100)
    assert mid(Route((Hop(legs),)), []) == 101


@pytest.mark.parametrize("other", [offer(60), offer(10_000, impact_bps=9_800)], ids=["far below", "nearly empty"])
def test_a_pool_outside_of_the_market_does_not_affect_the_mid(other: VenueQuote) -> None:
    assert mid(Route.single(offer(100)), [offer(100), other]) == 100


def test_shallow_pools_count_if_all_are_shallow() -> None:
    offers = [offer(102, impact_bps=1_000), offer(100, impact_bps=1_000)]
    assert mid(Route.single(offers[0]), offers) == 101


def test_pools_with_enough_liquidity_are_preferred() -> None:
    deep, shallow = offer(100), offer(96, impact_bps=2_000)
    assert with_enough_liquidity([deep, shallow]) == [deep]
    assert with_enough_liquidity([shallow]) == [shallow]


def test_the_mid_is_none_without_usable_quotes() -> None:
    untold = replace(offer(100), spot=None)
    assert mid(Route.single(untold), [untold]) is None


def test_the_mid_is_reported_in_whole_tokens_with_eighteen_digits() -> None:
    assert text(Fraction(1, 7), 9, 6) == "142.857142857142857"
    assert text(Fraction(101, 1_000), 9, 6) == "101"
    assert text(Fraction(10**30), 6, 9) == "1" + "0" * 27
