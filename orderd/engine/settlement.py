"""All live attempts together: confirm, resend, expire. One loop in each worker process, and the whole of recovery.

An attempt is live from the moment its bytes are stored until the chain has told its end. The loop begins by adopting
every live attempt that nobody holds; a worker's own attempts join them after their first send. An RPC failure, a
time-out or "not found" decides nothing: the attempt stays live and is asked about again.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from solders.signature import Signature

from db import journal, leases
from db.connection import database
from db.journal import AttemptEnd, Change, Moved
from db.leases import LiveAttempt
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Confirmed
from orderd.domain.money import format_amount, format_price
from orderd.domain.quote import VenueName
from orderd.domain.retry import RetryPolicy
from orderd.engine.chain_errors import explain
from orderd.engine.failure import AttemptFailed, change_after
from orderd.engine.fill import Fill, read_fill
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.views import LAMPORT_DECIMALS
from orderd.solana.rpc import RpcError
from orderd.solana.rpc_types import TransactionInfo
from orderd.solana.sender import Sender, Sighting

_ADOPT_BATCH: Final = 1_000
_HINTED_AT_MOST: Final = 32
"""With more live attempts than this, statuses are asked for all the time anyway."""
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Live:
    """A live attempt with what this process did about it; ``resend_at`` is on the monotonic clock."""

    attempt: LiveAttempt
    sends: int
    resend_at: float
    is_stuck: bool = False
    """Its end is not in sight, and the log says why."""

    @property
    def order_id(self) -> UUID:
        return self.attempt.order.id


class Settlement:
    """The live attempts that this process holds. ``track`` may be called from any thread; the rest from one."""

    def __init__(
        self,
        sender: Sender,
        publisher: Publisher,
        policy: RetryPolicy,
        leases: Leases,
        *,
        wallet: str,
        resend_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._publisher = publisher
        self._policy = policy
        self._leases = leases
        self._wallet = wallet
        self._resend_seconds = resend_seconds
        self._clock = clock
        self._live: dict[Signature, Live] = {}
        self._lock = threading.Lock()
        self._adopt_at = clock()
        self.on_tracked: Callable[[str], None] = lambda _: None
        """Called with the signature of an attempt that few others wait beside, to get a hint of its landing."""

    def __len__(self) -> int:
        return len(self._live)

    def track(self, attempt: LiveAttempt) -> None:
        """Settle this attempt, which has just been sent once."""
        self._take(Live(attempt, sends=1, resend_at=self._clock() + self._resend_seconds))
        if len(self._live) <= _HINTED_AT_MOST:
            self.on_tracked(attempt.signature)

    def _take(self, live: Live) -> None:
        signature = Signature.from_string(live.attempt.signature)
        with self._lock:
            known = self._live.get(signature)
            if known is None:
                self._leases.hold(live.order_id)
            elif known.attempt.order.version > live.attempt.order.version:
                return  # its turn took so long that it was adopted meanwhile: the newer claim is the one to write with
            self._live[signature] = live

    def _let_go(self, signatures: Iterable[Signature]) -> None:
        with self._lock:
            for signature in signatures:
                if live := self._live.pop(signature, None):
                    self._leases.let_go(live.order_id)

    def run_once(self) -> int:
        """One pass over all live attempts. Returns how many it settled. Raises RpcError where none could be asked."""
        self._adopt()
        with self._lock:
            asked = dict(self._live)
        if not asked:
            return 0
        sightings = self._sender.look(
            {signature: live.attempt.last_valid_block_height for signature, live in asked.items()}
        )
        try:
            return self._write(self._expired(asked, sightings) | self._landed(asked, sightings))
        finally:  # also where Postgres is away: what has been signed shall land while it can
            self._resend(asked, sightings)

    def _adopt(self) -> None:
        """Take over live attempts whose holder is gone. They are sent again at once: nobody knows if they ever were."""
        if self._clock() < self._adopt_at:
            return
        self._adopt_at = self._clock() + self._leases.seconds / 4
        with database.connection_context():
            adopted = leases.adopt_submitted(self._leases.owner, self._leases.seconds, _ADOPT_BATCH)
        if not adopted:
            return
        log.info("adopted live attempts", action="adopt", orders=len(adopted))
        for attempt in adopted:
            self._take(Live(attempt, sends=0, resend_at=self._clock()))

    def _expired(self, asked: dict[Signature, Live], sightings: dict[Signature, Sighting]) -> dict[Signature, Change]:
        changes = {}
        for signature, live in asked.items():
            sighting, last_valid = sightings[signature], live.attempt.last_valid_block_height
            if sighting.proves_expiry(last_valid):
                detail = f"block height {sighting.epoch.block_height} passed {last_valid} and it never landed"
                changes[signature] = self._failed(live, OrderdError(ErrorCode.TX_EXPIRED, detail), None)
            elif sighting.shows_none(last_valid):
                self._tell_stuck(live, "not found by a node that does not keep so old blocks: use one that does")
        return changes

    def _landed(self, asked: dict[Signature, Live], sightings: dict[Signature, Sighting]) -> dict[Signature, Change]:
        landed = [signature for signature in asked if sightings[signature].landed]
        changes = {}
        for signature, answer in zip(landed, self._sender.fetch(landed), strict=True):
            live = asked[signature]
            if isinstance(answer, RpcError):
                self._tell_stuck(live, f"landed, but cannot be read: {answer}")
            elif answer is None or not _agree(sightings[signature], answer):
                continue  # the node does not have it yet, or speaks of another fork: ask again
            else:
                try:
                    changes[signature] = self._outcome(live, answer)
                except Exception:
                    # None of the others shall wait for it. It comes back when its lease has run out.
                    log.exception("outcome not readable", action="settle_unreadable", order_id=str(live.order_id))
                    self._let_go([signature])
        return changes

    def _tell_stuck(self, live: Live, reason: str) -> None:
        """Say once what keeps an attempt from being settled; it is asked about again and again."""
        if not live.is_stuck:
            live.is_stuck = True
            log.warning("not settled yet", action="settle_stuck", order_id=str(live.order_id), reason=reason)

    def _outcome(self, live: Live, transaction: TransactionInfo) -> Change:
        order = live.attempt.order
        if transaction.err is not None:
            return self._failed(live, explain(transaction.err, transaction.logs), transaction)
        fill = read_fill(transaction, self._wallet, order.mint_in, order.mint_out)
        return Change(
            order.id,
            self._confirmed(live, fill),
            order.version,
            {"filled_in": fill.amount_in, "filled_out": fill.amount_out, "network_fee": fill.network_fee},
            attempt_end=AttemptEnd("landed", fill.slot, live.sends),
        )

    def _confirmed(self, live: Live, fill: Fill) -> Confirmed:
        order = live.attempt.order
        return Confirmed(
            attempt=live.attempt.number,
            signature=live.attempt.signature,
            venue=VenueName(order.venue or ""),
            slot=fill.slot,
            amount_in=format_amount(fill.amount_in, order.decimals_in),
            amount_out=format_amount(fill.amount_out, order.decimals_out),
            executed_price=format_price(fill.amount_in, order.decimals_in, fill.amount_out, order.decimals_out),
            network_fee=format_amount(fill.network_fee, LAMPORT_DECIMALS),
        )

    def _failed(self, live: Live, error: OrderdError, transaction: TransactionInfo | None) -> Change:
        order = live.attempt.order
        end = AttemptEnd(
            "expired" if transaction is None else "failed",
            None if transaction is None else transaction.slot,
            live.sends,
        )
        failed = AttemptFailed(order.id, order.version, live.attempt.number - 1, error)
        return change_after(failed, self._policy, signature=live.attempt.signature, attempt_end=end)

    def _write(self, changes: dict[Signature, Change]) -> int:
        """Commit what was learnt, then tell. Attempts of which nothing was written belong to another holder now."""
        if not changes:
            return 0
        with database.connection_context():
            moved = _apply(list(changes.values()))
        self._let_go(changes)
        self._publisher.publish(moved)
        return len(moved)

    def _resend(self, asked: dict[Signature, Live], sightings: dict[Signature, Sighting]) -> None:
        """The same bytes again for what the cluster does not know and what may still land."""
        now = self._clock()
        due = [
            live
            for signature, live in asked.items()
            if sightings[signature].status is None and live.resend_at <= now and signature in self._live
        ]
        if not due:
            return
        for live in due:
            live.sends += 1
            live.resend_at = now + self._resend_seconds
        for live, error in zip(due, self._sender.send([live.attempt.signed_bytes for live in due]), strict=True):
            if error is not None:
                log.debug("resend refused", action="resend_refused", order_id=str(live.order_id), error=str(error))


def _agree(sighting: Sighting, transaction: TransactionInfo) -> bool:
    """Whether status and transaction are of the same block: on two forks, the same bytes can end in two ways."""
    return sighting.status is not None and sighting.status.slot == transaction.slot


def _apply(changes: Sequence[Change]) -> list[Moved]:
    """All in one transaction; where the database objects to one of them, that one alone stays behind."""
    moved = []
    for change, answer in zip(changes, journal.apply_each(changes), strict=True):
        if isinstance(answer, Moved):
            moved.append(answer)
        elif answer is not None:
            log.error("outcome not storable", action="settle_refused", order_id=str(change.order_id), exc_info=answer)
    return moved
