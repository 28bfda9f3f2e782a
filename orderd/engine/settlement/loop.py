"""Settles all live attempts: confirmed, failed or expired. Two loops in each worker process, which are also the
recovery.

An attempt is live from the moment its bytes are stored until its outcome on the chain is known. The loop begins by
adopting every live attempt without a holder; a worker's own attempts join them before their first send. An RPC failure,
a time-out or "not found" decides nothing: the attempt stays live and is queried again.

Late attempts, which only the transaction history can decide, have their own loop: not every node searches its history,
and a search may take long. So an order with an unknown outcome neither fails nor delays the passes over all others.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from solders.signature import Signature

from db import journal
from db.connection import database
from db.journal import Change, Moved
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine.failure import withdrawn
from orderd.engine.order_metrics import count_landing
from orderd.engine.publish import Publisher
from orderd.engine.settlement.live import LiveAttempts, TrackedAttempt
from orderd.engine.settlement.outcome import Outcomes
from orderd.engine.settlement.resending import Resending
from orderd.solana.expiry import Sighting
from orderd.solana.observer import Observer, PaidTransaction, Sent
from orderd.solana.rpc import RpcError
from orderd.solana.rpc_types import TransactionInfo

_NO_PROOF: Final = "no node shows it, and it cannot be proved that it has not landed"
log = structlog.get_logger(__name__)


class Settlement:
    """Decides about the attempts that this process holds. For one thread; each loop has its own one."""

    def __init__(
        self,
        live: LiveAttempts,
        observer: Observer,
        outcomes: Outcomes,
        publisher: Publisher,
        resending: Resending,
    ) -> None:
        self._live = live
        self._observer = observer
        self._outcomes = outcomes
        self._publisher = publisher
        self._resending = resending

    def run_once(self) -> int:
        """One pass over all live attempts but the late ones. Returns how many it settled. Raises RpcError if none could
        be queried."""
        self._live.adopt()
        return self._settle_hinted() + self._settle_observed(late=False)

    def run_late(self) -> int:
        """The same for the late attempts."""
        return self._settle_observed(late=True)

    def _settle_observed(self, *, late: bool) -> int:
        attempts = {signature: live for signature, live in self._live.all().items() if live.is_late is late}
        if not attempts:
            return 0
        finalized = self._observer.finalized()
        for live in attempts.values():
            live.is_late = live.validity.is_late(finalized)
        queried = {signature: live.validity for signature, live in attempts.items() if live.is_late is late}
        sightings = self._observer.observe(queried, finalized)
        sighted = {signature: attempts[signature] for signature in sightings}
        for signature, live in sighted.items():
            if sightings[signature].status is not None:
                self._resending.put_off(live)
                live.is_proved_once = False
        landed = [signature for signature in sighted if sightings[signature].landed]
        fetched = dict(zip(landed, self._observer.fetch(landed), strict=True))
        return self._write(self._landed(sighted, sightings, fetched) | self._expired(sighted, sightings), sighted)

    def _settle_hinted(self) -> int:
        """Settle the attempts that have landed according to hints, with one request. Wrong hints are found in the
        full pass."""
        if not (hinted := self._live.take_hinted()):
            return 0
        try:
            found = self._observer.observe_hinted(list(hinted))
        except RpcError:
            return 0  # the full pass gets the same error, and reports it
        sightings = {signature: sighting for signature, (sighting, _) in found.items()}
        fetched = {signature: answer for signature, (sighting, answer) in found.items() if sighting.landed}
        return self._write(self._landed(hinted, sightings, fetched), hinted)

    # Landed transactions

    def _landed(
        self,
        attempts: Mapping[Signature, TrackedAttempt],
        sightings: Mapping[Signature, Sighting],
        fetched: Mapping[Signature, TransactionInfo | RpcError | None],
    ) -> dict[Signature, Change]:
        """The outcomes of the landed attempts, by the transactions that were ``fetched``."""
        changes = {}
        for signature, answer in fetched.items():
            live, sighting = attempts[signature], sightings[signature]
            if isinstance(answer, RpcError):
                live.report_stuck(f"landed, but cannot be read: {answer}")
            elif answer is None or not _agree(sighting, answer):
                continue  # the node does not have it yet, or is on another fork: query it again
            elif (change := self._outcome(live, signature, answer, awaits_finality=not sighting.is_final)) is not None:
                changes[signature] = change
        return changes

    def _outcome(
        self, live: TrackedAttempt, signature: Signature, transaction: TransactionInfo, *, awaits_finality: bool = False
    ) -> Change | None:
        """The outcome of a transaction of the order, of this attempt or another one; None if it cannot be read."""
        attempt, sends = live.attempt, live.sends
        try:
            if str(signature) != attempt.signature:
                return self._outcomes.landed_as(attempt, str(signature), transaction, sends=sends)
            return self._outcomes.landed(attempt, transaction, sends=sends, awaits_finality=awaits_finality)
        except Exception:
            # The other attempts do not wait for it. It is adopted again when its lease has expired.
            log.exception("outcome not readable", action="settle_unreadable", order_id=str(live.order_id))
            self._live.release([Signature.from_string(attempt.signature)])
            return None

    # Expired attempts

    def _expired(
        self, attempts: Mapping[Signature, TrackedAttempt], sightings: Mapping[Signature, Sighting]
    ) -> dict[Signature, Change]:
        """The attempts that are proved expired, and whose orders have no other transaction that the wallet paid for.

        The whole evidence is needed in two passes: a single answer may be false.
        """
        proved: dict[Signature, TrackedAttempt] = {}
        for signature, live in attempts.items():
            if sightings[signature].proves_expiry(live.validity):
                proved[signature] = live
            elif sightings[signature].is_too_late(live.validity):
                live.report_stuck(_NO_PROOF)
        if not proved:
            return {}
        finalized = max((sightings[each].finalized for each in proved), key=lambda each: each.absolute_slot)
        paid = self._observer.paid_for(
            {each.order_id: Sent(signature, each.validity.first_slot(finalized)) for signature, each in proved.items()},
            finalized,
        )
        try:
            self._observer.confirm_chain()
        except RpcError as error:
            paid = dict.fromkeys(paid, error)
        changes = {}
        for signature, live in proved.items():
            found = paid[live.order_id]
            if isinstance(found, RpcError):
                live.report_stuck(f"the wallet's own transactions cannot be searched: {found}")
            elif found is not None:
                if (change := self._found(live, found)) is not None:
                    changes[signature] = change
            elif live.is_proved_once:
                height, last_valid = finalized.block_height, live.attempt.last_valid_block_height
                detail = f"block height {height} passed {last_valid} and it never landed"
                expiry = OrderdError(ErrorCode.TX_EXPIRED, detail)
                changes[signature] = self._outcomes.expired(live.attempt, expiry, sends=live.sends)
            else:
                live.is_proved_once = True
        return changes

    def _found(self, live: TrackedAttempt, paid: PaidTransaction) -> Change | None:
        """The end of an attempt whose order has a transaction that succeeded, whatever the statuses say."""
        signature, transaction = paid
        log.error(
            "the wallet has paid for it", action="settle_found", order_id=str(live.order_id), signature=str(signature)
        )
        return None if transaction.err is not None else self._outcome(live, signature, transaction)

    # Writing the outcomes

    def _write(self, changes: Mapping[Signature, Change], attempts: Mapping[Signature, TrackedAttempt]) -> int:
        """Commit the outcomes, then publish. Attempts that could not be written belong to another holder now."""
        if not changes:
            return 0
        with database.connection_context():
            moved = _apply(list(changes.values()))
        self._live.release(changes)
        self._publisher.publish(moved)
        count_landing(moved, {live.order_id: live.attempt.blockhash_slot for live in attempts.values()})
        return len(moved)


def _agree(sighting: Sighting, transaction: TransactionInfo) -> bool:
    """Whether status and transaction are of the same block: on two forks, the same bytes can end in two ways."""
    return sighting.status is not None and sighting.status.slot == transaction.slot


def _apply(changes: Sequence[Change]) -> list[Moved]:
    """Write all changes in one transaction; a change that the database refuses is skipped."""
    moved, instead = list[Moved](), list[Change]()
    for change, answer in zip(changes, journal.apply_each(changes), strict=True):
        if isinstance(answer, Moved):
            moved.append(answer)
        elif answer is not None:
            log.error("outcome not storable", action="settle_refused", order_id=str(change.order_id), exc_info=answer)
        elif (other := withdrawn(change)) is not None:
            instead.append(other)
    return moved + _apply(instead) if instead else moved
