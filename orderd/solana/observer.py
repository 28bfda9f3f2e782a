"""Queries the chain about the wallet's transactions: their statuses and effects, and other transactions that it paid
for.

``orderd.solana.expiry`` decides what the answers prove.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.memo import memos_in
from orderd.solana.block_history import unbroken_from
from orderd.solana.expiry import STATUSES_KEPT, Sighting, Validity
from orderd.solana.mentions import mentions_since
from orderd.solana.rpc import Commitment, Mention, RpcClient, RpcError, RpcTransportError
from orderd.solana.rpc_calls import MAX_SIGNATURES_PER_CALL
from orderd.solana.rpc_types import EpochInfo, SignatureStatus, TransactionInfo

_FETCH_BATCH: Final = 100
_MAX_PAGES: Final = 20
"""Pages of the wallet's transactions, of a thousand each."""
_NO_HISTORY: Final = 2**63
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Witness:
    """A finalized slot with its height, and a signature that is finalized at or after it."""

    finalized: EpochInfo
    signature: Signature


class _Broken(NamedTuple):
    """At a finalized slot the node had no history before the slot ``history_from``."""

    at: int
    history_from: int


class Sent(NamedTuple):
    """An order's transaction, and the first slot in which it can have landed."""

    signature: Signature
    first_slot: int


class PaidTransaction(NamedTuple):
    """A transaction that the wallet has paid."""

    signature: Signature
    transaction: TransactionInfo


class Observer:
    """One endpoint's view of one wallet's transactions. For one thread.

    ``final_at`` is the commitment of blocks that cannot be rolled back. ``is_one_node``: all answers of the endpoint
    come from the same node. ``is_simnet``: that node deletes blocks without transactions of wallets, and no others.
    """

    def __init__(
        self, rpc: RpcClient, wallet: Pubkey, final_at: Commitment, *, is_one_node: bool, is_simnet: bool = False
    ) -> None:
        self._rpc = rpc
        self._wallet = wallet
        self._is_one_node = is_one_node
        self._is_simnet = is_simnet
        self._broken: _Broken | None = None
        self._witness: _Witness | None = None
        self._finalized: EpochInfo | None = None
        self.final_at: Final = final_at

    # Statuses and transactions

    def finalized(self) -> EpochInfo:
        """The newest slot and height that cannot be rolled back. Raises RpcError."""
        self._finalized = self._rpc.get_epoch_info(self.final_at)
        return self._finalized

    def observe(self, attempts: Mapping[Signature, Validity], finalized: EpochInfo) -> dict[Signature, Sighting]:
        """Query the statuses of all signatures, in batches. Signatures whose query failed are not in the result.

        ``finalized`` is known before the queries. Raises RpcError if all queries failed.
        """
        oldest = min((each.first_slot(finalized) for each in attempts.values()), default=finalized.absolute_slot)
        history_from = self._history_from(finalized, oldest) if self._is_one_node else None
        witness = None if self._is_one_node else self._witness_for(finalized, attempts.values())
        seen: dict[Signature, Sighting] = {}
        errors: list[RpcError] = []
        for batch, search_history in _batches(attempts, finalized):
            # What a node keeps beyond its recent statuses counts only where it was searched.
            history = _NO_HISTORY if history_from is not None and not search_history else history_from
            extra = [] if witness is None else [witness.signature]
            try:
                answer = self._rpc.get_signature_statuses([*extra, *batch], search_history=search_history)
            except RpcError as error:
                errors.append(error)
                continue
            statuses = answer.value[len(extra) :]
            is_witnessed = witness is not None and _is_finalized(answer.value[0])
            known = witness.finalized if witness is not None and is_witnessed else finalized
            for signature, status in zip(batch, statuses, strict=True):
                seen[signature] = Sighting(
                    status, answer.slot, known, is_witnessed, history, self.final_at, self._rpc.commitment
                )
        if errors and not seen:
            raise errors[0]
        if errors:
            log.warning("statuses partly unknown", action="statuses_failed", error=str(errors[0]), failed=len(errors))
        return seen

    def observe_hinted(
        self, signatures: Sequence[Signature]
    ) -> dict[Signature, tuple[Sighting, TransactionInfo | RpcError | None]]:
        """Query, in one request, the statuses and effects of transactions for which there was a landing hint.

        The result does not prove that a transaction has not landed. Empty before the first ``finalized``.

        Raises RpcError.
        """
        if self._finalized is None:
            return {}
        requested = signatures[:_FETCH_BATCH]
        seen, fetched = self._rpc.get_statuses_and_transactions(requested)
        sightings = [
            Sighting(each, seen.slot, self._finalized, final_at=self.final_at, landed_at=self._rpc.commitment)
            for each in seen.value
        ]
        return dict(zip(requested, zip(sightings, fetched, strict=True), strict=True))

    def fetch(self, signatures: Sequence[Signature]) -> list[TransactionInfo | RpcError | None]:
        """The landed transactions, in order; None if the node does not have one (yet), an RpcError if the query
        failed."""
        found: list[TransactionInfo | RpcError | None] = []
        for start in range(0, len(signatures), _FETCH_BATCH):
            batch = signatures[start : start + _FETCH_BATCH]
            try:
                found += self._rpc.get_transactions(batch)
            except RpcError as error:
                found += [error] * len(batch)
        return found

    # The wallet's transactions

    def paid_for(
        self, orders: Mapping[UUID, Sent], finalized: EpochInfo
    ) -> dict[UUID, PaidTransaction | RpcError | None]:
        """For each order the successful transaction that the wallet has paid for, from its slot up to ``finalized``;
        None if there is none, RpcError if that is not known.

        A transaction belongs to the order in its memo, and the one in ``orders`` to its order, because some nodes omit
        memos. Anyone can mention the wallet and copy a memo, so only transactions that the wallet itself paid for
        count. It is not known if the node does not answer, if one of several nodes may have dropped the oldest of these
        transactions, or if there are more than can be searched. All orders are searched for together, newest
        transactions first, so that an older order's error does not concern the others.
        """
        named = {sent.signature: order for order, sent in orders.items()}
        candidates = dict[Signature, UUID]()
        paid: dict[UUID, PaidTransaction | RpcError | None] = dict.fromkeys(orders)
        since, reached = min(sent.first_slot for sent in orders.values()), finalized.absolute_slot + 1
        try:
            for mention in self._mentions_since(since, finalized, reaches_back=not self._is_one_node):
                reached = mention.slot
                if mention.err is None:
                    found = [memo.order_id for memo in memos_in(mention.memo)]
                    found += [named[mention.signature]] if mention.signature in named else []
                    candidates.update((mention.signature, order) for order in found if order in orders)
        except RpcError as error:
            paid.update((order, error) for order, sent in orders.items() if sent.first_slot <= reached)
        for (signature, order), answer in zip(candidates.items(), self.fetch(list(candidates)), strict=True):
            try:
                paid[order] = self._if_paid(signature, answer) or paid[order]
            except RpcError as error:
                paid[order] = paid[order] or error
        return paid

    def newest_mentions(self) -> list[Mention]:
        """The newest transactions that mention the wallet, with any signer, newest first. Raises RpcError."""
        return self._rpc.get_signatures_for_address(self._wallet, commitment=self.final_at)

    def paid_by_wallet(self, signatures: Sequence[Signature]) -> list[PaidTransaction]:
        """The transactions that the wallet itself has paid for, in order. Raises RpcError if the node does not know
        one."""
        answers = zip(signatures, self.fetch(signatures), strict=True)
        return [paid for signature, answer in answers if (paid := self._if_paid(signature, answer)) is not None]

    def _if_paid(self, signature: Signature, answer: TransactionInfo | RpcError | None) -> PaidTransaction | None:
        """The transaction, if the wallet itself has paid for it. Raises RpcError if it is not known."""
        if isinstance(answer, RpcError):
            raise answer
        if answer is None:
            raise RpcTransportError(f"getTransaction: {signature}, found for the wallet, is not known")
        return PaidTransaction(signature, answer) if answer.payer == str(self._wallet) else None

    # Heights and history

    def newest_height(self) -> int:
        """The height of the newest block that the endpoint knows. Raises RpcError."""
        return self._rpc.get_block_height("processed")

    def confirm_chain(self) -> None:
        """Return if the endpoint still serves the expected chain. Raises RpcError.

        Another chain knows no attempt of this one, so its answers look like a proof. Needed after the answers that an
        expiry or a rollback follows from.
        """
        self._rpc.confirm_chain()

    def keeps_all_since(self, slot: int, finalized: EpochInfo) -> bool:
        """Whether the endpoint is one node with all transactions from this slot up to ``finalized``. Raises
        RpcError."""
        return self._is_one_node and self._unbroken_from(slot, finalized) <= slot

    def keeps_history(self) -> bool:
        """Whether the endpoint can be queried for old transactions. Raises RpcError if it does not answer."""
        return self._rpc.has_transaction_history()

    def mentions_since(self, slot: int, finalized: EpochInfo) -> Iterator[Mention]:
        """Transactions that mention the wallet, from ``slot`` up to ``finalized``, newest first. Raises RpcError."""
        return self._mentions_since(slot, finalized, reaches_back=False)

    def _mentions_since(self, slot: int, finalized: EpochInfo, *, reaches_back: bool) -> Iterator[Mention]:
        return mentions_since(
            self._rpc,
            self._wallet,
            slot,
            known_to=finalized.absolute_slot,
            commitment=self.final_at,
            most_pages=_MAX_PAGES,
            reaches_back=reaches_back,
        )

    # Witnesses

    def _witness_for(self, finalized: EpochInfo, attempts: Collection[Validity]) -> _Witness | None:
        """A witness for the attempts that can be judged at ``finalized``; None if there are no such attempts.

        The previous witness is reused until an attempt needs a newer one.
        """
        due = [each for each in attempts if each.can_be_judged(finalized)]
        if not due:
            return None
        known = self._witness
        is_new = known is not None and finalized.absolute_slot - known.finalized.absolute_slot <= STATUSES_KEPT // 2
        if known is None or not is_new or not all(each.can_be_judged(known.finalized) for each in due):
            self._witness = self._find_witness(finalized) or known
        return self._witness

    def _find_witness(self, finalized: EpochInfo) -> _Witness | None:
        slot = finalized.absolute_slot
        try:
            signatures = self._rpc.get_block_signatures(slot, "finalized")
            if not signatures:
                found = self._rpc.get_signatures_for_address(
                    self._wallet, min_context_slot=slot, commitment="finalized"
                )
                signatures = [mention.signature for mention in found if mention.slot >= slot]
        except RpcError as error:
            log.debug("no witness yet", action="witness_missing", slot=slot, error=str(error))
            return None
        return _Witness(finalized, signatures[0]) if signatures else None

    def _history_from(self, finalized: EpochInfo, oldest: int) -> int:
        """The first slot of the node's transaction history; queried only if its recent statuses do not suffice."""
        if finalized.absolute_slot - oldest <= STATUSES_KEPT:
            return _NO_HISTORY
        try:
            return self._unbroken_from(oldest, finalized)
        except RpcError as error:
            log.debug("history unknown", action="history_unknown", error=str(error))
            return _NO_HISTORY

    def _unbroken_from(self, oldest: int, finalized: EpochInfo) -> int:
        """The slot, not before ``oldest``, from which the node has all transactions. Raises RpcError."""
        if self._is_simnet:
            return self._rpc.get_first_available_block()
        known = self._broken
        if known is not None and oldest < known.history_from and finalized.absolute_slot - known.at <= STATUSES_KEPT:
            return known.history_from  # a gap remains, and searching for one takes many requests
        history_from = unbroken_from(self._rpc, oldest, finalized, self.final_at)
        self._broken = _Broken(finalized.absolute_slot, history_from)
        return history_from


def _batches(
    attempts: Mapping[Signature, Validity], finalized: EpochInfo
) -> Iterator[tuple[Sequence[Signature], bool]]:
    """The signatures of each call, with room for a witness, and whether it must search the history, which not all nodes
    keep."""
    recent = [key for key, each in attempts.items() if not each.is_late(finalized)]
    late = [key for key, each in attempts.items() if each.is_late(finalized)]
    size = MAX_SIGNATURES_PER_CALL - 1
    for signatures, search_history in ((recent, False), (late, True)):
        for start in range(0, len(signatures), size):
            yield signatures[start : start + size], search_history


def _is_finalized(status: SignatureStatus | None) -> bool:
    return status is not None and status.confirmation_status == "finalized"
