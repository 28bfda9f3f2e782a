"""What a swap is known to take of a transaction before it is built: never more than it does, and nearly as much."""

from itertools import combinations

import pytest
from solders.hash import Hash
from solders.message import MessageV0, to_bytes_versioned

from orderd.domain.quote import Hop, Route
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.routing.space import LONGEST_MEMO, bytes_of_swaps
from orderd.solana.transaction import MAX_SIZE, attempt_instructions
from orderd.venues.base import trade_instructions
from tests.unit.venues.chain import OWNER
from tests.unit.venues.genesis import desk_at_genesis

MINT = 32
"""USDC's mint is not in the transaction that sells it unless a swap names it; AMM v4's does not."""


@pytest.mark.parametrize("pair", [(WSOL_MINT, USDC_MINT), (USDC_MINT, WSOL_MINT)], ids=["sell SOL", "buy SOL"])
def test_the_size_of_a_route_is_known_before_it_is_built(pair: tuple[str, str]) -> None:
    router = desk_at_genesis(max_price_impact_bps=500).router
    pools = router.pools([pair])[pair].pools
    assert len({pool.kind for pool in pools}) == 5
    for legs in [each for size in (2, 3) for each in combinations(pools, size)]:
        route = Route((Hop(tuple(leg.venue_quote(leg.side.quote(10**6)) for leg in legs)),))
        swaps = trade_instructions(router.venue_of, route, OWNER, 1)
        instructions = attempt_instructions(LONGEST_MEMO, swaps, units=1, micro_lamports_a_unit=1)
        message = MessageV0.try_compile(OWNER, instructions, [], Hash.default())
        actual = len(to_bytes_versioned(message)) + 65
        shared = {leg.kind: leg.size_shared for leg in legs}
        known = MAX_SIZE - bytes_of_swaps(*pair) + sum(leg.size for leg in legs) + sum(shared.values())
        assert actual - MINT <= known <= actual, [leg.kind for leg in legs]
