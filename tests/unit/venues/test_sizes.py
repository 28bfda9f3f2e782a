"""The estimated size of a swap in a transaction is never below the real one, and close to it."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from solders.hash import Hash
from solders.instruction import Instruction

from orderd.domain.errors import OrderdError
from orderd.domain.quote import Hop, Route
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.routing.space import MAX_MEMO, bytes_of_swaps
from orderd.solana.attempt import draft_attempt
from orderd.solana.transaction import TransactionVersion
from orderd.venues.base import trade_instructions
from tests.unit.venues.chain import OWNER
from tests.unit.venues.genesis import desk_at_genesis

MINT = 32
"""A sale of USDC includes its mint only if the swap names it, which AMM v4 does not."""


@pytest.mark.parametrize("version", TransactionVersion)
@pytest.mark.parametrize("pair", [(WSOL_MINT, USDC_MINT), (USDC_MINT, WSOL_MINT)], ids=["sell SOL", "buy SOL"])
def test_the_size_of_a_route_is_known_before_it_is_built(pair: tuple[str, str], version: TransactionVersion) -> None:
    router = desk_at_genesis(max_price_impact_bps=500).router
    pools = router.pools([pair])[pair].pools
    assert len({pool.kind for pool in pools}) == 5
    for legs in [each for size in (2, 3) for each in combinations(pools, size)]:
        route = Route((Hop(tuple(leg.venue_quote(leg.side.quote(10**6)) for leg in legs)),))
        swaps = trade_instructions(router.venue_of, route, OWNER, 1)
        actual = size_of(swaps, version)
        shared = {leg.kind: leg.size_shared for leg in legs}
        known = version.max_size - bytes_of_swaps(*pair, version) + sum(leg.size for leg in legs) + sum(shared.values())
        assert actual - MINT - (version * len(legs)) <= known <= actual, [leg.kind for leg in legs]


def size_of(swaps: Sequence[Instruction], version: TransactionVersion) -> int:
    """Size in bytes, even if it is too large."""
    try:
        drafted = draft_attempt(MAX_MEMO, swaps, OWNER, Hash.default(), unit_price=1, version=version)
    except OrderdError as error:
        return int(error.detail.removeprefix("the transaction takes ").split(" ")[0])
    return len(drafted.unsigned)
