"""Unix time as the chain's programs see it: this machine's clock plus the chain's difference from it."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from orderd.solana.chain_time import CLOCK, clock_of
from orderd.solana.rpc import RpcClient, RpcError
from orderd.venues.renewed import Renewed, in_background

REFRESH_SECONDS: Final = 30.0
_ROUNDING_SECONDS: Final = 0.5
"""Added because the chain's time is in whole seconds, and so half a second behind on average."""
log = structlog.get_logger(__name__)


class ChainClock:
    """Reads the chain's clock every half minute, in the background. Thread-safe.

    If the node does not return it, the last difference is used, initially 0.
    """

    def __init__(
        self,
        rpc: RpcClient,
        *,
        machine: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._rpc = rpc
        self._machine = machine
        self._last = 0.0
        self._ahead: Renewed[None, float] = Renewed(self._read, lambda _: REFRESH_SECONDS, start=start, clock=clock)

    def __call__(self) -> float:
        """The current time of the chain in unix seconds."""
        return self._machine() + self._ahead.get(None)

    def _read(self, _: None) -> float:
        """Seconds by which the chain's clock is ahead."""
        requested_at = self._machine()
        try:
            chain_seconds = clock_of(self._rpc.get_multiple_accounts([CLOCK]).value[0]).unix_timestamp
        except (RpcError, ValueError) as error:
            log.warning("the chain's clock is not known", action="chain_clock_unknown", error=str(error))
        else:
            self._last = chain_seconds + _ROUNDING_SECONDS - (requested_at + self._machine()) / 2
        return self._last
