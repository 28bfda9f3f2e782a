"""What a transaction may take: its compute units, and a route that needs more than there are."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from solders.keypair import Keypair

from orderd.domain.quote import Hop, PoolKind, Route, VenueName, VenueQuote
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.building import Builder, units_with_margin
from orderd.solana.keys import Wallet
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS

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
