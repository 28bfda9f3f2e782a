"""What a transaction may take: its compute units, and a route that needs more than there are."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, NoReturn, cast

import pytest
from solders.keypair import Keypair

from orderd.domain.errors import ErrorCode
from orderd.domain.quote import Hop, PoolKind, Route, VenueName, VenueQuote
from orderd.domain.tokens import BUILTIN_TOKENS, USDC_MINT, WSOL_MINT
from orderd.engine.blame import RouteRefused
from orderd.engine.building import Builder, SwapPlan, units_with_margin
from orderd.solana.keys import Wallet
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.venues.guest import PoolRefused

CHILLGUY_MINT = BUILTIN_TOKENS[2].mint
LEG = VenueQuote(
    venue=VenueName.METEORA,
    pool="pool",
    pool_kind=PoolKind.METEORA_DLMM,
    mint_in=WSOL_MINT,
    mint_out=USDC_MINT,
    amount_in=10**9,
    amount_out=10**8,
    fee=1,
    fee_mint=WSOL_MINT,
    price_impact_bps=Decimal(0),
    slot=7,
    compute_units=500_000,
)


@pytest.mark.parametrize(
    ("consumed", "asked"),
    [(100_000, 145_000), (1_300_000, MAX_COMPUTE_UNITS), (0, MAX_COMPUTE_UNITS)],
    ids=["a margin", "no more than there are", "all there are where the node does not tell"],
)
def test_what_is_asked_for_is_what_the_simulation_used_and_a_margin(consumed: int, asked: int) -> None:
    assert units_with_margin(consumed) == asked


def test_a_route_that_computes_too_much_does_not_fit() -> None:
    nobody = cast("Any", None)
    builder = Builder(nobody, nobody, Wallet(Keypair()), nobody, blockhash_age=0.0)
    three = Route((Hop((LEG, replace(LEG, pool="second"), replace(LEG, pool="third"))),))
    assert three.compute_units > MAX_COMPUTE_UNITS
    assert not builder.fits(three)


class Refusing:
    """A router whose one venue cannot make the swap by now; it is told which pools to leave alone."""

    def __init__(self, *, passing: bool) -> None:
        self.passing = passing
        self.left_alone: list[str] = []

    def venue_of(self, quote: VenueQuote) -> "Refusing":
        return self

    def token_programs(self, quote: VenueQuote) -> NoReturn:
        raise PoolRefused(quote.pool, ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY, "it moved", passing=self.passing)

    def refused(self, pool: str, reason: str) -> None:
        self.left_alone.append(pool)


@pytest.mark.parametrize(("passing", "left_alone"), [(True, []), (False, ["pool"])], ids=["moved", "broken"])
def test_a_swap_that_cannot_be_made_any_more_is_a_matter_of_its_route(passing: bool, left_alone: list[str]) -> None:
    router, nobody = Refusing(passing=passing), cast("Any", None)
    builder = Builder(cast("Any", router), nobody, Wallet(Keypair()), nobody, blockhash_age=0.0)
    route = Route.single(replace(LEG, mint_in=USDC_MINT, mint_out=CHILLGUY_MINT))
    with pytest.raises(RouteRefused) as refused:
        builder.sign(SwapPlan(route, 1), "memo")
    assert (refused.value.pool, refused.value.moved) == ("pool", passing)
    assert refused.value.error.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY
    assert router.left_alone == left_alone
    assert not builder.fits(route), "nor is it looked at while routes are compared"


def test_no_two_plans_have_one_seed_and_all_seeds_are_of_one_length() -> None:
    """A route is checked for its size with another seed than it is signed with."""
    seeds = [SwapPlan(Route.single(LEG), 1).wrap_seed for _ in range(100)]
    assert len(set(seeds)) == 100
    assert {len(seed) for seed in seeds} == {8}
