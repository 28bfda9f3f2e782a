"""The live attempts that a worker process holds: signed bytes whose outcome on the chain is not known yet."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from solders.signature import Signature

from db import leases
from db.connection import database
from db.leases import LiveAttempt
from orderd.engine.leases import Leases
from orderd.solana.expiry import Validity

_ADOPT_BATCH: Final = 1_000
_ADOPT_SECONDS: Final = 1.0
_MAX_HINTED: Final = 32
"""With more live attempts than this, all are settled together when the last one of a turn has landed."""
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class TrackedAttempt:
    """A live attempt, and this process's work on it. ``since`` and ``resend_at`` are on the monotonic clock."""

    attempt: LiveAttempt
    sends: int
    since: float
    resend_at: float
    is_hinted: bool = False
    """Whether a hint says that it has landed."""
    is_proved_once: bool = False
    """Whether one pass has proved that it has expired."""
    is_late: bool = False
    """Whether only the transaction history can decide."""
    is_stuck: bool = False
    """Whether the log already says why it is stuck."""

    @property
    def order_id(self) -> UUID:
        return self.attempt.order.id

    @property
    def validity(self) -> Validity:
        return Validity(self.attempt.last_valid_block_height, self.attempt.blockhash_slot)

    def report_stuck(self, reason: str) -> None:
        """Log once what prevents the settlement of the attempt, which is queried repeatedly."""
        if not self.is_stuck:
            self.is_stuck = True
            log.warning("not settled yet", action="settle_stuck", order_id=str(self.order_id), reason=reason)


class LiveAttempts:
    """Thread-safe. Each attempt is held by a lease until it is released."""

    def __init__(
        self,
        leases: Leases,
        *,
        resend_seconds: float,
        check_clock: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``resend_seconds`` after its first send an attempt is sent again. ``check_clock`` is as in ``Dispatch``."""
        self._leases = leases
        self.resend_seconds = resend_seconds
        self._check_clock = check_clock
        self._clock = clock
        self._live: dict[Signature, TrackedAttempt] = {}
        self._lock = threading.Lock()
        self._adopt_at = clock()
        self.on_watched: Callable[[str], None] = lambda _: None
        """Called with an attempt's signature to get a hint of its landing."""

    def __len__(self) -> int:
        return len(self._live)

    def all(self) -> dict[Signature, TrackedAttempt]:
        with self._lock:
            return dict(self._live)

    def hint(self, signature: str) -> None:
        """Note a hint that this transaction has landed."""
        with self._lock:
            if live := self._live.get(Signature.from_string(signature)):
                live.is_hinted = True

    def take_hinted(self) -> dict[Signature, TrackedAttempt]:
        """The attempts that have landed according to hints since the last call; none if there are many others."""
        if len(self._live) > _MAX_HINTED:
            return {}
        with self._lock:
            hinted = {signature: live for signature, live in self._live.items() if live.is_hinted}
            for live in hinted.values():
                live.is_hinted = False
        return hinted

    def track(self, attempt: LiveAttempt) -> None:
        """Hold this attempt, which is about to be sent for the first time."""
        now = self._clock()
        self._take(TrackedAttempt(attempt, sends=1, since=now, resend_at=now + self.resend_seconds))

    def watch(self, signatures: Sequence[str]) -> None:
        """Request hints of the landing of transactions that are about to be sent together.

        If many attempts are live, the last one stands for all, because they land at about the same time.
        """
        for signature in signatures if len(self._live) <= _MAX_HINTED else signatures[-1:]:
            self.on_watched(signature)

    def release(self, signatures: Iterable[Signature]) -> None:
        with self._lock:
            for signature in signatures:
                if live := self._live.pop(signature, None):
                    self._leases.release(live.order_id)

    def renew(self) -> None:
        """Renew this process's leases, and drop attempts that it no longer holds.

        An operator has ended them, or another process has adopted them: this one must not send them again.
        """
        self._leases.renew_once()
        if not (held := self.all()):
            return
        with database.connection_context():
            mine = leases.still_signed(self._leases.owner, [live.order_id for live in held.values()])
        self.release(signature for signature, live in held.items() if live.order_id not in mine)

    def adopt_soon(self) -> None:
        """Adopt attempts without a holder in the next pass, before the regular interval."""
        self._adopt_at = self._clock()

    def adopt(self) -> None:
        """Take over live attempts whose holder is gone. They are sent again immediately, because they may never have
        been sent."""
        now = self._clock()
        if now < self._adopt_at:
            return
        with database.connection_context():
            self._check_clock()
            adopted = leases.adopt_submitted(self._leases.owner, self._leases.seconds, _ADOPT_BATCH)
        if len(adopted) < _ADOPT_BATCH:
            self._adopt_at = now + _ADOPT_SECONDS
        if not adopted:
            return
        log.info("adopted live attempts", action="adopt", orders=len(adopted))
        for attempt in adopted:
            self._take(TrackedAttempt(attempt, sends=0, since=now, resend_at=now))

    def _take(self, live: TrackedAttempt) -> None:
        signature = Signature.from_string(live.attempt.signature)
        with self._lock:
            known = self._live.get(signature)
            if known is None:
                self._leases.hold(live.order_id)
            elif known.attempt.order.version > live.attempt.order.version:
                return  # it was adopted while its turn took too long; the newer claim is the valid one
            self._live[signature] = live
