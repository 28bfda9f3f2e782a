"""The best offer is the one that pays the most; the choice among equals is repeatable."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

from orderd.domain.quote import PoolKind, VenueName, VenueQuote, best_of

RAYDIUM = VenueQuote(VenueName.RAYDIUM, "pool", PoolKind.RAYDIUM_CPMM, "in", "out", 1_000, 990, 3, "in", Decimal(5), 1)
METEORA = replace(RAYDIUM, venue=VenueName.METEORA, pool_kind=PoolKind.METEORA_DLMM)


def test_the_highest_amount_out_wins() -> None:
    richer = replace(METEORA, amount_out=991, price_impact_bps=Decimal(50))
    assert best_of((RAYDIUM, richer)) is richer


def test_among_equals_the_lower_impact_wins_then_the_name() -> None:
    calmer = replace(RAYDIUM, price_impact_bps=Decimal(4))
    for order in permutations((RAYDIUM, METEORA, calmer)):
        assert best_of(order) is calmer
    for order in permutations((RAYDIUM, METEORA)):
        assert best_of(order) is METEORA
