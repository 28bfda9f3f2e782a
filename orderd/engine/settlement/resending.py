"""Resends signed bytes until they land or expire. Depends only on the clock, so that other failures do not stop it.

Status requests may fail for a long time, and Postgres may be unavailable; signed and stored bytes are still sent. A
separate loop in each worker process.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from orderd.engine.settlement.live import LiveAttempts, TrackedAttempt
from orderd.solana.sender import Sender

_EAGER_SECONDS: Final = 180.0
"""Bytes may land for about 150 blocks. Older ones land only if the chain stood still: they are sent more slowly."""
_SLOWER: Final = 20
log = structlog.get_logger(__name__)


class Resending:
    def __init__(
        self, live: LiveAttempts, sender: Sender, *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """An attempt is sent every ``seconds``."""
        self._live = live
        self._sender = sender
        self.seconds = seconds
        self._clock = clock

    def run_once(self) -> int:
        """Send all that is due. Returns how many."""
        now = self._clock()
        due = [live for live in self._live.all().values() if live.resend_at <= now]
        if not due:
            return 0
        for live in due:
            live.sends += 1
            live.resend_at = now + self._wait(live, now)
        for live, error in zip(due, self._sender.send([live.attempt.signed_bytes for live in due]), strict=True):
            if error is not None:
                log.debug("resend refused", action="resend_refused", order_id=str(live.order_id), error=str(error))
        return len(due)

    def put_off(self, live: TrackedAttempt) -> None:
        """It seems to be in a block: it is not urgent, but if it vanishes again it is sent again."""
        now = self._clock()
        live.resend_at = max(live.resend_at, now + self._wait(live, now))

    def _wait(self, live: TrackedAttempt, now: float) -> float:
        return self.seconds * (1 if now - live.since < _EAGER_SECONDS else _SLOWER)
