"""The priority fee for a transaction, from recent fees for writing the same accounts."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs.compute_budget import priority_fee
from orderd.solana.rpc import RpcClient, RpcError
from orderd.solana.transaction import LAMPORTS_PER_SIGNATURE
from orderd.venues.single_flight import Age, SingleFlight

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeeEstimate:
    """Requested compute units, the price per unit in micro-lamports, and the network fee in lamports."""

    units: int
    unit_price: int

    @property
    def lamports(self) -> int:
        return LAMPORTS_PER_SIGNATURE + priority_fee(self.units, self.unit_price)


class FeeMarket:
    """The current price of a compute unit, in micro-lamports. Thread-safe.

    It is a percentile of the fees of recent slots by transactions that write the same accounts, never below ``floor``
    and never above ``cap``. If the chain does not answer, the last known price is used.
    """

    def __init__(self, rpc: RpcClient, *, percentile: int, floor: int, cap: int, max_age: Age) -> None:
        """``max_age`` in seconds: how long an answer about the same accounts is good for."""
        self._rpc = rpc
        self._percentile = percentile
        self._floor = floor
        self._cap = max(cap, floor)
        self._prices: SingleFlight[tuple[Pubkey, ...], int] = SingleFlight(self._ask, max_age)
        self.last = floor

    def price(self, swaps: Sequence[Instruction], own: Pubkey | None = None) -> int:
        """For transactions with these instructions. Only this trade writes ``own``, an account that lives for it
        alone."""
        writable = {meta.pubkey for swap in swaps for meta in swap.accounts if meta.is_writable and not meta.is_signer}
        try:
            self.last = self._prices.get(tuple(sorted(writable - {own}, key=bytes)))
        except RpcError as error:
            log.warning("recent fees unknown", action="fees_unknown", price=self.last, error=str(error))
        return self.last

    def _ask(self, writable: tuple[Pubkey, ...]) -> int:
        paid = [each.micro_lamports for each in self._rpc.get_recent_prioritization_fees(writable)]
        return min(max(percentile(paid, self._percentile), self._floor), self._cap)


def percentile(values: Sequence[int], rank: int) -> int:
    """The smallest value that ``rank`` percent of ``values`` do not exceed; 0 without values."""
    if not values:
        return 0
    return sorted(values)[max(-(-len(values) * rank // 100), 1) - 1]
