"""How long a slot of the chain takes, as its node has measured it, and at which commitment the chain is to be read.

Where a block is final some slots after it was confirmed, nothing is gained by going by what may be rolled back:
``finalized`` alone is used then, and a fill is final when it is first seen.
"""

from typing import Final

import structlog

from orderd.solana.json_rpc import RpcError
from orderd.solana.rpc import Commitment, RpcClient

USUAL_SLOT_MS: Final = 400
LOOK_SECONDS: Final = 60.0
"""How often it is to be looked at: a node measures each minute."""
_SAMPLES: Final = 5
"""Minutes, of which the node knows one each."""
_NOTABLY: Final = 20
"""A change of a twentieth: nothing has to be done at once for less."""
SOON_FINAL_SLOTS: Final = 4
"""Where finality takes no more slots than this after the confirmation, ``finalized`` alone is used."""
_SHORTEST_MS: Final = 50
_LONGEST_MS: Final = 2_000
log = structlog.get_logger(__name__)


class SlotTime:
    """How long a slot takes and which commitment is used, as of the last look. What a node cannot tell leaves it as it
    was."""

    def __init__(
        self, rpc: RpcClient | None, ms: int = USUAL_SLOT_MS, commitment: Commitment = "confirmed", *, asks: bool = True
    ) -> None:
        """Without an endpoint both are as said for good, else until the first look. The commitment is what it is where
        nobody ``asks``."""
        self._rpc = rpc
        self._asks = asks
        self.ms = ms
        self.commitment: Commitment = commitment

    def look(self) -> bool:
        """Ask the node. Whether slots are notably longer or shorter than they were, or the commitment is another."""
        if self._rpc is None:
            return False
        finality_slots = _finality_slots(self._rpc) if self._asks else None
        commitment = self.commitment if finality_slots is None else commitment_for(finality_slots)
        measured = _measured_ms(self._rpc)
        if measured is None or abs(measured - self.ms) * _NOTABLY < self.ms:
            measured = self.ms
        if (measured, commitment) == (self.ms, self.commitment):
            return False
        log.info("slot time", action="slot_time", slot_ms=measured, before_ms=self.ms, commitment=commitment)
        self.ms, self.commitment = measured, commitment
        return True


def commitment_for(finality_slots: int) -> Commitment:
    """What to read at where a block is final so many slots after it was confirmed."""
    return "finalized" if finality_slots <= SOON_FINAL_SLOTS else "confirmed"


def _finality_slots(rpc: RpcClient) -> int | None:
    """How far the finalized slot is behind the confirmed one; None if the node does not say."""
    try:
        finalized, confirmed = rpc.get_slot("finalized"), rpc.get_slot("confirmed")
    except RpcError as error:
        log.info("finality unknown", action="finality_unknown", error=str(error))
        return None
    return max(confirmed - finalized, 0)


def _measured_ms(rpc: RpcClient) -> int | None:
    """Milliseconds; None if the node does not say, or says something impossible."""
    try:
        samples = rpc.call("getRecentPerformanceSamples", [_SAMPLES])
        seconds, slots = (sum(int(each[name]) for each in samples) for name in ("samplePeriodSecs", "numSlots"))
        slot_ms = round(seconds * 1_000 / slots)
    except (RpcError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        log.info("slot time unknown", action="slot_time_unknown", error=str(error))
        return None
    return min(max(slot_ms, _SHORTEST_MS), _LONGEST_MS)
