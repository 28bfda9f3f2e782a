"""The parts of a worker process that settle live attempts, on a scripted chain."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from db.leases import LiveAttempt
from orderd.domain.retry import RetryPolicy
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement.live import LiveAttempts
from orderd.engine.settlement.loop import Settlement
from orderd.engine.settlement.outcome import Outcomes
from orderd.engine.settlement.resending import Resending
from orderd.solana.observer import Observer
from orderd.solana.sender import Sender
from tests.integration.engine.conftest import WALLET, ScriptedChain


@dataclass
class Worker:
    """The parts of a worker process that settle live attempts."""

    live: LiveAttempts
    settlement: Settlement
    resending: Resending

    def __len__(self) -> int:
        return len(self.live)

    def track(self, attempt: LiveAttempt) -> None:
        self.live.track(attempt)

    def settle(self) -> int:
        return self.settlement.run_once() + self.settlement.run_late()

    def settle_expired(self) -> int:
        """Two passes, because a proof of expiry needs two."""
        return self.settle() or self.settle()

    def resend(self) -> int:
        return self.resending.run_once()


def worker_of(
    chain: ScriptedChain | Observer,
    publisher: Publisher,
    leases: Leases,
    clock: Callable[[], float] = time.monotonic,
) -> Worker:
    """A worker that settles attempts from the chain's answers, with up to three attempts per order."""
    live = LiveAttempts(leases, resend_seconds=1.0, clock=clock)
    resending = Resending(live, cast("Sender", chain), seconds=1.0, clock=clock)
    outcomes = Outcomes(WALLET, RetryPolicy(max_attempts=3, base_ms=1_000))
    return Worker(live, Settlement(live, cast("Observer", chain), outcomes, publisher, resending), resending)
