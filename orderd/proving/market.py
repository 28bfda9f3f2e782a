"""The pools of a chain, evaluated at the time of the chain's clock."""

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
    """Reads pools without caching. Not thread-safe."""

    def __init__(
        self, rpc: RpcClient, kinds: Sequence[PoolKind], chain: Chain, addresses: Mapping[VenueName, Sequence[str]]
    ) -> None:
        """``addresses`` restricts a venue to these pools, unless it is empty."""
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

    def liquidity_of(self, kind: PoolKind, pair: Pair) -> Liquidity:
        """Read the pools that sell the pair's second token for the first. Raises RpcError, and OrderdError RPC_*."""
        self._second = clock_of(self._rpc.get_multiple_accounts([CLOCK]).value[0]).unix_timestamp
        return self.venues[kind].liquidity(*pair)
