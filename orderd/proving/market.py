"""The pools of a chain, met at the second that the chain's own clock shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.chain_time import CLOCK, clock_of
from orderd.solana.pool_programs import Chain, program_of
from orderd.solana.rpc import RpcClient
from orderd.venues.base import Liquidity
from orderd.venues.pool_venue import PoolVenue, venue_class

Pair = tuple[str, str]


class ProvingMarket:
    """Reads again whenever it is asked. For one thread."""

    def __init__(
        self, rpc: RpcClient, kinds: Sequence[PoolKind], chain: Chain, addresses: Mapping[VenueName, Sequence[str]]
    ) -> None:
        """Of each venue only the pools at ``addresses``, if there are any."""
        self._rpc = rpc
        self._second = 0
        self.venues: dict[PoolKind, PoolVenue[Any, Any]] = {
            kind: venue_class(kind)(
                rpc,
                addresses=addresses.get(program_of(kind).venue, ()),
                chain=chain,
                max_age_ms=0,
                unix_time=lambda: self._second,
            )
            for kind in kinds
        }

    def look(self, kind: PoolKind, pair: Pair) -> Liquidity:
        """The pools that sell the pair's second token for its first one. Raises RpcError, and OrderdError RPC_*."""
        self._second = clock_of(self._rpc.get_multiple_accounts([CLOCK]).value[0]).unix_timestamp
        return self.venues[kind].liquidity(*pair)
