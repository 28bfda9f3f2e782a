"""How long a slot of the chain takes, as its node has measured it."""

from typing import Final

import structlog

from orderd.solana.json_rpc import RpcError
from orderd.solana.rpc import RpcClient

USUAL_SLOT_MS: Final = 400
_SAMPLES: Final = 5
"""Minutes, of which the node knows one each."""
_SHORTEST_MS: Final = 50
_LONGEST_MS: Final = 2_000
log = structlog.get_logger(__name__)


def measured_slot_ms(rpc: RpcClient) -> int:
    """Milliseconds; the usual length if the node does not say, or says something impossible."""
    try:
        samples = rpc.call("getRecentPerformanceSamples", [_SAMPLES])
        seconds, slots = (sum(int(each[name]) for each in samples) for name in ("samplePeriodSecs", "numSlots"))
        slot_ms = round(seconds * 1_000 / slots)
    except (RpcError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        log.info("slot time unknown", action="slot_time_unknown", assumed_ms=USUAL_SLOT_MS, error=str(error))
        return USUAL_SLOT_MS
    return min(max(slot_ms, _SHORTEST_MS), _LONGEST_MS)
