"""How long a slot of the chain takes, as its node has measured it."""

from typing import Final

import structlog

from orderd.solana.json_rpc import RpcError
from orderd.solana.rpc import RpcClient

USUAL_SLOT_MS: Final = 400
LOOK_SECONDS: Final = 60.0
"""How often it is to be looked at: a node measures each minute."""
_SAMPLES: Final = 5
"""Minutes, of which the node knows one each."""
_NOTABLY: Final = 20
"""A change of a twentieth: nothing has to be done at once for less."""
_SHORTEST_MS: Final = 50
_LONGEST_MS: Final = 2_000
log = structlog.get_logger(__name__)


class SlotTime:
    """How long a slot takes, as of the last look. What a node cannot tell leaves it as it was."""

    def __init__(self, rpc: RpcClient | None, ms: int = USUAL_SLOT_MS) -> None:
        """Without an endpoint it is ``ms`` for good, else until the first look."""
        self._rpc = rpc
        self.ms = ms

    def look(self) -> bool:
        """Ask the node. Whether slots are notably longer or shorter now than they were."""
        measured = None if self._rpc is None else _measured_ms(self._rpc)
        if measured is None or abs(measured - self.ms) * _NOTABLY < self.ms:
            return False
        log.info("slot time", action="slot_time", slot_ms=measured, before_ms=self.ms)
        self.ms = measured
        return True


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
