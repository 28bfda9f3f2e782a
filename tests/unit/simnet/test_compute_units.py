"""Local programs use at most the compute units that a route reserves for them, and not much less."""

from random import Random

import pytest

from orderd.amm.swap import SwapError
from orderd.domain.pool_kind import PoolKind
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.simnet.genesis import USDC
from orderd.solana.programs import token
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from tests.unit.simnet.conftest import LocalChain
from tests.unit.venues.genesis import desk_at_genesis

AROUND = 1_000
"""The memo and the budget of the transaction."""


@pytest.mark.parametrize("sells_sol", [True, False], ids=["sell SOL", "buy SOL"])
@pytest.mark.parametrize("kind", PoolKind)
def test_a_swap_uses_at_most_the_reserved_units(chain: LocalChain, kind: PoolKind, sells_sol: bool) -> None:
    router = desk_at_genesis(max_price_impact_bps=10_000).router
    pair = (WSOL_MINT, USDC_MINT) if sells_sol else (USDC_MINT, WSOL_MINT)
    accounts = [chain.held(mint) for mint in (token.NATIVE_MINT, USDC)]
    source, destination = accounts if sells_sol else accounts[::-1]
    random = Random(f"{kind} {sells_sol}")
    steps = 0
    for pool in (each for each in router.pools([pair])[pair].pools if each.kind == kind):
        for _ in range(12):
            try:
                quote = pool.venue_quote(pool.side.quote(int(10 ** random.uniform(8, 12.5 if sells_sol else 11.5))))
            except SwapError:
                continue
            if quote.compute_units > MAX_COMPUTE_UNITS:
                continue
            small = random.random() < 0.5
            swap = router.venue_of(quote).swap_instruction(
                quote, chain.trader.pubkey(), source, destination, 1, small=small
            )
            before = dict(chain.bank.accounts)
            outcome = chain.send(swap)
            chain.bank.accounts.update(before)
            assert outcome.error is None, outcome.logs
            assert quote.compute_units * 0.6 <= outcome.units <= quote.compute_units + AROUND
            steps += 1
    assert steps > 8
