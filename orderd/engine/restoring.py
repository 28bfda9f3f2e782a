"""After a restore, reads the trades since the backup from the chain before anything is signed again.

The operator has confirmed that the old daemon is stopped. Nothing that it signed can land once the finalized height is
more than a blockhash's life above the newest height after the restore. Then the wallet's own transactions are read back
to the backup. A transaction of a known order is its fill. For an unknown order its tag is stored, so that the order is
refused when its client repeats it; the rest of its family is cancelled.

Nothing is guessed: an endpoint that may be several nodes, a history that does not reach back, or a transaction that
cannot be read keeps the halt, and the halt's reason says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from db import halts, installation, journal, restoring
from db.connection import database, transaction
from db.journal import Change, Moved, NewAttempt
from db.leases import LiveAttempt
from db.models import Order
from db.restoring import LostOrder
from orderd.domain.events import Cancelled, Recovered
from orderd.domain.halt import HaltCause
from orderd.domain.memo import Memo, memos_in
from orderd.domain.order import FILLED, HELD, SIGNED, TERMINAL
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.engine import families
from orderd.engine.publish import Publisher
from orderd.engine.settlement.outcome import Outcomes
from orderd.solana.observer import Observer, PaidTransaction
from orderd.solana.pool_programs import program_of
from orderd.solana.rpc_types import TransactionInfo

CHECK_SECONDS: Final = 1.0
_BLOCKHASH_LIFE: Final = 150
"""Blocks in which a transaction can land after the one whose hash it names."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Traded:
    """A successful transaction of this installation."""

    memo: Memo
    paid: PaidTransaction


class NotKnownError(Exception):
    """The trades since the backup cannot be determined; the message says why."""


class Restoring:
    """A loop in each worker process. For one thread."""

    def __init__(
        self, observer: Observer, outcomes: Outcomes, publisher: Publisher, halted: Callable[[], object]
    ) -> None:
        """Without a halt, there is nothing to do."""
        self._observer = observer
        self._outcomes = outcomes
        self._publisher = publisher
        self._halted = halted

    def run_once(self) -> bool:
        """Continue a running restore. Returns whether it has ended. Raises RpcError.

        A server that has begun a new timeline of its log is treated like a backup that was restored.
        """
        with database.connection_context():
            if restoring.begin_if_older():
                log.error("Postgres may lack its newest transactions", action="timeline_changed")
                return False
        if not self._halted():
            return False
        with database.connection_context():
            if all(halt.cause is not HaltCause.RESTORE for halt in halts.current()):
                return False
            height = restoring.height()
        if height is None:
            newest = self._observer.newest_height()
            with database.connection_context():
                restoring.note_height(newest)
            return False
        try:
            return self._check(height)
        except NotKnownError as error:
            with database.connection_context():
                halts.explain(HaltCause.RESTORE, str(error))
            return False

    def _check(self, height: int) -> bool:
        finalized = self._observer.finalized()
        if finalized.block_height <= height + _BLOCKHASH_LIFE:
            left = height + _BLOCKHASH_LIFE + 1 - finalized.block_height
            raise NotKnownError(f"transactions signed before the restore may land for {left} more blocks")
        with database.connection_context():
            slot, known = restoring.first_unknown_slot(), installation.read()
        if not self._observer.keeps_all_since(slot, finalized):
            raise NotKnownError(
                f"the endpoint does not have the wallet's whole history since slot {slot}: use one node with its "
                "history (ORDERD_RPC_SINGLE_NODE=true), or check by hand and confirm it: orderd restore --unchecked"
            )
        mentions = list(self._observer.mentions_since(slot, finalized))
        own = {
            mention.signature: memo
            for mention in mentions
            for memo in memos_in(mention.memo)
            if mention.err is None and (not memo.installation or known.is_own(memo.installation, mention.slot))
        }
        paid = self._observer.paid_by_wallet(list(own))
        traded = [_Traded(own[each.signature], each) for each in paid]
        last_slot = max((mention.slot for mention in mentions), default=slot)
        self._observer.confirm_chain()
        with database.connection_context():
            moved = self._settle(traded, last_slot)
        self._publisher.publish(moved or [])
        return moved is not None

    @transaction
    def _settle(self, traded: Sequence[_Traded], last_slot: int) -> list[Moved] | None:
        """Store all trades, or nothing; None if an order must advance before its transaction can be assigned."""
        if not restoring.lock():
            return None  # another process has stored them
        moved, lost = list[Moved](), list[LostOrder]()
        for each in traded:
            order = Order.get_or_none(Order.id == each.memo.order_id)
            if order is None:
                lost.append(_lost(each))
            elif order.status in HELD:
                return None  # this fills the entry, which then releases it
            elif order.status not in TERMINAL | SIGNED:
                moved += self._recover(order, each)
            elif order.status in TERMINAL - FILLED:
                log.error("traded after its end", action="restore_contradiction", order_id=str(order.id))
        restoring.keep_lost(lost)
        for gone in lost:
            log.warning("order lost, and traded", action="order_lost", signature=gone.signature, slot=gone.slot)
            moved += _cancel_family(gone.tag)
        restoring.finish(last_slot)
        log.info("restored", action="restored", recovered=len(moved), lost=len(lost))
        return moved

    def _recover(self, order: Order, traded: _Traded) -> list[Moved]:
        """Record the fill of an order by an attempt that is not in the backup. Raises NotKnownError."""
        signature, transaction_info = str(traded.paid.signature), traded.paid.transaction
        number = max(traded.memo.attempt, order.failures + 1)
        venue = _venue(transaction_info)
        # Its bytes and its minimum are lost: the signature and one base unit are stored in their place.
        attempt = NewAttempt(
            number,
            signature,
            bytes(traded.paid.signature),
            0,
            str(venue),
            "",
            order.min_amount_out or 1,
            transaction_info.slot,
        )
        change = Change(
            order.id,
            Recovered(attempt=number, signature=signature),
            None,
            {"signature": signature, "venue": str(venue)},
            new_attempt=attempt,
        )
        (recovered,) = journal.apply([change])
        live = LiveAttempt(recovered.order, number, signature, b"", 0, attempt.min_amount_out, transaction_info.slot)
        try:
            fill = self._outcomes.landed(live, transaction_info, sends=0)
        except ValueError as error:
            raise NotKnownError(f"transaction {signature} of order {order.id} cannot be read: {error}") from error
        return [recovered, *journal.apply([fill])]


def _lost(traded: _Traded) -> LostOrder:
    memo, paid = traded.memo, traded.paid
    return LostOrder(str(paid.signature), memo.tag, memo.order_id, paid.transaction.slot)


def _cancel_family(tag: bytes) -> list[Moved]:
    """Cancel the rest of a family, because an unknown amount of it was traded."""
    moved = list[Moved]()
    for order in restoring.active_with(tag) if tag else ():
        moved += families.cancel(order.id) or journal.apply([Change(order.id, Cancelled(), None)])
    return moved


def _venue(transaction_info: TransactionInfo) -> VenueName:
    """The venue of the first pool program in the transaction."""
    venues = {str(program): program_of(kind).venue for kind in PoolKind for program in program_of(kind).ids.values()}
    for line in transaction_info.logs:
        for program, venue in venues.items():
            if line.startswith(f"Program {program} invoke"):
                return venue
    return next(iter(VenueName))
