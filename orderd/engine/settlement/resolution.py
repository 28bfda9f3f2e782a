"""How an operator resolves an unknown outcome: by the evidence.

The daemon never guesses. A transaction that landed is read from the chain; one that is declared dead ends its order,
which is not tried again: if it lands after all, the order was at least executed only once. A transaction that can still
land, or of which the chain shows that it succeeded, cannot be declared dead.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

from solders.signature import Signature

from db import audit, journal
from db.audit import RESOLVE, Actor, Entry
from db.connection import database, transaction
from db.journal import AttemptEnd, Change, Moved
from db.leases import LiveAttempt
from db.models import Attempt, Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Failed
from orderd.domain.memo import memos_in
from orderd.domain.order import SIGNED
from orderd.engine import views
from orderd.engine.publish import Publisher
from orderd.engine.settlement.outcome import Outcomes
from orderd.solana.expiry import Validity
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.observer import Observer, Sent
from orderd.solana.rpc import RpcError
from orderd.solana.rpc_types import TransactionInfo
from orderd.wire.order_detail import EvidenceResult
from orderd.wire.orders import OrderView

_NOT_FOUND: Final = "not found"


class Resolution:
    """For any thread. ``observe`` makes a view of the chain for the caller's own thread; ``slot_ms`` is the chain's
    time for a slot."""

    def __init__(
        self,
        observe: Callable[[], Observer],
        outcomes: Outcomes,
        wallet: str,
        publisher: Publisher,
        slot_ms: Callable[[], float],
    ) -> None:
        self._slot_ms = slot_ms
        self._observe = observe
        self._outcomes = outcomes
        self._wallet = wallet
        self._publisher = publisher

    def evidence(self, account_id: UUID, ref: str, *, sees_all: bool = False) -> EvidenceResult:
        """The stored facts about a submitted order's transaction, and its current state on the chain.

        Raises the errors of ``views.find``, and OrderdError ORDER_NOT_RESOLVABLE if nothing is signed.
        """
        with database.connection_context():
            order, attempt = _live(views.find(account_id, ref, sees_all=sees_all))
        height: int | None = None
        paid: tuple[str, ...] = ()
        trouble = ""
        try:
            status, height, paid = self._ask(order, attempt)
        except RpcError as error:
            status, trouble = "could not be asked", str(error)
        return EvidenceResult(
            order=views.order_view(order),
            attempt=views.attempt_view(attempt, order),
            blockhash_slot=attempt.blockhash_slot,
            finalized_height=height,
            status=status,
            paid_by_wallet=paid,
            trouble=trouble,
        )

    def _ask(self, order: Order, attempt: Attempt) -> tuple[str, int, tuple[str, ...]]:
        """The status of the signature as a text, the finalized height, and the order's transactions that the wallet
        paid for."""
        observer = self._observe()
        signature = Signature.from_string(attempt.signature)
        validity = Validity(attempt.last_valid_block_height, attempt.blockhash_slot)
        sighting = observer.observe({signature: validity}, observer.finalized())[signature]
        status, finalized = sighting.status, sighting.finalized
        text = _NOT_FOUND
        if status is not None:
            verdict = "succeeded" if status.err is None else f"failed: {status.err}"
            text = f"{status.confirmation_status} in slot {status.slot}, {verdict}"
        found = observer.paid_for({order.id: Sent(signature, validity.first_slot(finalized))}, finalized)[order.id]
        if isinstance(found, RpcError):
            raise found
        return text, finalized.block_height, () if found is None else (str(found.signature),)

    def landed(self, account_id: UUID, ref: str, signature: str, by: Actor, *, sees_all: bool = False) -> OrderView:
        """End an unknown outcome with a transaction of the order that succeeded; the fill is read from the chain.

        Raises the errors of ``evidence``, also OrderdError ORDER_NOT_RESOLVABLE if the transaction is not known,
        failed, or is not one of this order that the wallet paid for, and RPC_*.
        """
        with database.connection_context():
            order, attempt = _unknown(views.find(account_id, ref, sees_all=sees_all))
        observer = self._observe()
        with translated_rpc_errors():
            (answer,) = observer.fetch([_signature(signature)])
            if isinstance(answer, RpcError):
                raise answer
        if answer is None:
            raise _refused(f"the endpoint knows no transaction {signature}")
        if (objection := self._objection(order, attempt, signature, answer)) is not None:
            raise _refused(objection)
        live = _as_live(order, attempt)
        try:
            if signature == attempt.signature:
                awaits_finality = observer.final_at == "finalized"
                change = self._outcomes.landed(live, answer, sends=attempt.sends, awaits_finality=awaits_finality)
            else:
                change = self._outcomes.landed_as(live, signature, answer, sends=attempt.sends)
        except ValueError as error:
            raise _refused(f"its balances show no such trade: {error}") from error
        return self._write(change, by, f"landed {signature}")

    def _objection(self, order: Order, attempt: Attempt, signature: str, found: TransactionInfo) -> str | None:
        if found.err is not None:
            return f"the transaction {signature} failed on the chain: it traded nothing"
        if signature == attempt.signature:
            return None
        named = {memo.order_id for line in found.logs for memo in memos_in(line)}
        is_ours = found.payer == self._wallet and order.id in named
        return (
            None
            if is_ours
            else f"the transaction {signature} is not one that the wallet paid for with this order's memo"
        )

    def dead(self, account_id: UUID, ref: str, by: Actor, *, sees_all: bool = False) -> OrderView:
        """End an unknown outcome by an operator's decision. The order fails and gets no further attempt.

        Raises the errors of ``evidence``, OrderdError ORDER_MAY_LAND if the transaction can still land,
        ORDER_NOT_RESOLVABLE if it has succeeded, and RPC_*.
        """
        with database.connection_context():
            order, attempt = _unknown(views.find(account_id, ref, sees_all=sees_all))
        with translated_rpc_errors():
            self._check_dead(attempt)
        code, detail = ErrorCode.TX_ABANDONED, f"{by.name or 'an operator'} declared {attempt.signature} dead"
        change = Change(
            order.id,
            Failed(attempt=attempt.number, code=code, detail=detail),
            order.version,
            {"failures": attempt.number, "error_code": str(code), "error_detail": detail},
            attempt_end=AttemptEnd("abandoned", None, attempt.sends),
            failure=journal.FailureRecord(attempt.number, code, detail, attempt.signature),
        )
        return self._write(change, by, "dead")

    def _check_dead(self, attempt: Attempt) -> None:
        """Raises OrderdError as ``dead``, and RpcError."""
        signature = Signature.from_string(attempt.signature)
        validity = Validity(attempt.last_valid_block_height, attempt.blockhash_slot)
        observer = self._observe()
        sighting = observer.observe({signature: validity}, observer.finalized())[signature]
        if (left := validity.slots_left(sighting.finalized)) > 0:
            seconds = math.ceil(left * self._slot_ms() / 1_000)
            raise OrderdError(
                ErrorCode.ORDER_MAY_LAND,
                f"{left} more blocks have to be final before {attempt.signature} can no longer land, which takes "
                f"{seconds} seconds or longer",
                retry_after=seconds,
            )
        if sighting.status is not None and sighting.status.err is None:
            raise _refused(f"the chain shows that {attempt.signature} succeeded in slot {sighting.status.slot}")

    def _write(self, change: Change, by: Actor, note: str) -> OrderView:
        """Write over any worker's claim. Raises OrderdError ORDER_NOT_RESOLVABLE if the order has ended meanwhile."""
        with database.connection_context():
            moved = _resolve(replace(change, version=None), by, note)
        if not moved:
            raise _refused("its outcome has become known meanwhile")
        self._publisher.publish(moved)
        return views.order_view(moved[0].order)


@transaction
def _resolve(change: Change, by: Actor, note: str) -> list[Moved]:
    moved = journal.apply([change])
    audit.record([Entry(by, RESOLVE, order_id=each.order.id, detail=note) for each in moved])
    return moved


def _live(order: Order) -> tuple[Order, Attempt]:
    if order.status not in SIGNED:
        raise _refused(f"order {order.id} is {order.status}: it has no transaction with an unknown outcome")
    attempt: Attempt = Attempt.get((Attempt.order_id == order.id) & (Attempt.outcome == "live"))
    return order, attempt


def _unknown(order: Order) -> tuple[Order, Attempt]:
    order, attempt = _live(order)
    if order.unknown_since is None:
        raise _refused(f"order {order.id} is in flight, and the chain may still show its outcome")
    return order, attempt


def _as_live(order: Order, attempt: Attempt) -> LiveAttempt:
    assert attempt.signed_bytes is not None, "they are kept until the attempt has ended for good"
    return LiveAttempt(
        order=order,
        number=attempt.number,
        signature=attempt.signature,
        signed_bytes=bytes(attempt.signed_bytes),
        last_valid_block_height=attempt.last_valid_block_height,
        min_amount_out=attempt.min_amount_out,
        blockhash_slot=attempt.blockhash_slot,
    )


def _signature(text: str) -> Signature:
    try:
        return Signature.from_string(text)
    except ValueError:
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"landed: {text[:100]!r} is not a signature") from None


def _refused(detail: str) -> OrderdError:
    return OrderdError(ErrorCode.ORDER_NOT_RESOLVABLE, detail)
