"""Measures the chain's slot time, and chooses the commitment at which it is read.

If blocks are final soon after their confirmation, reading ``confirmed`` state that may be rolled back gains nothing.
Then only ``finalized`` is used, and a fill is final when it is first seen.
"""

from typing import Final

import structlog

from orderd.solana.json_rpc import RpcError
from orderd.solana.rpc import Commitment, RpcClient

USUAL_SLOT_MS: Final = 400
REFRESH_SECONDS: Final = 60.0
"""Seconds between two refreshes: a node takes a sample each minute."""
_SAMPLES: Final = 5
"""Number of samples, of one minute each."""
_NOTABLY: Final = 20
"""A change of the slot time counts from 1/20 on."""
SOON_FINAL_SLOTS: Final = 4
"""If a block is final at most this many slots after its confirmation, only ``finalized`` is used."""
_MIN_MS: Final = 50
_MAX_MS: Final = 2_000
log = structlog.get_logger(__name__)


class SlotTime:
    """The slot time and the commitment as of the last refresh. Each stays as it was if the node does not report it."""

    def __init__(
        self,
        rpc: RpcClient | None,
        ms: int = USUAL_SLOT_MS,
        commitment: Commitment = "confirmed",
        *,
        measures_finality: bool = True,
    ) -> None:
        """``ms`` and ``commitment`` are the values until the first refresh, or permanently without an endpoint. Without
        ``measures_finality`` the commitment never changes."""
        self._rpc = rpc
        self._measures_finality = measures_finality
        self.ms = ms
        self.commitment: Commitment = commitment

    def refresh(self) -> bool:
        """Query the node. Returns whether the slot time changed notably, or the commitment changed."""
        if self._rpc is None:
            return False
        finality_slots = _finality_slots(self._rpc) if self._measures_finality else None
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
    """The commitment to read at, if a block is final this many slots after its confirmation."""
    return "finalized" if finality_slots <= SOON_FINAL_SLOTS else "confirmed"


def _finality_slots(rpc: RpcClient) -> int | None:
    """Slots between the finalized and the confirmed slot; None if the node does not answer."""
    try:
        finalized, confirmed = rpc.get_slot("finalized"), rpc.get_slot("confirmed")
    except RpcError as error:
        log.info("finality unknown", action="finality_unknown", error=str(error))
        return None
    return max(confirmed - finalized, 0)


def _measured_ms(rpc: RpcClient) -> int | None:
    """The measured slot time in milliseconds; None if the node does not report a usable one."""
    try:
        samples = rpc.call("getRecentPerformanceSamples", [_SAMPLES])
        seconds, slots = (sum(int(each[name]) for each in samples) for name in ("samplePeriodSecs", "numSlots"))
        slot_ms = round(seconds * 1_000 / slots)
    except (RpcError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        log.info("slot time unknown", action="slot_time_unknown", error=str(error))
        return None
    return min(max(slot_ms, _MIN_MS), _MAX_MS)
