"""The rule by which signed bytes are known never to land any more, whichever nodes gave the answers.

Behind one address there may be many nodes: one that is far behind, one that began from a snapshot a moment ago, one on
a fork that has died. No answer names its node, so a proof uses only facts that hold whoever states them:

1. A finalized slot whose block height is above the transaction's last valid one. What is finalized is so everywhere.
2. One answer of ``getSignatureStatuses`` in which the transaction is unknown and a **witness**, a signature that is
   known to be finalized at or after that slot, is ``finalized``. So the node that answers has the finalized chain up to
   there; one on a dead fork passes the slot too, but cannot show the witness.
3. The slot of that answer is at most 300 slots after the blockhash's. So the transaction could only have landed in a
   block whose statuses every node keeps, even one that began from a snapshot: they come with it.

Later than that, only history can tell, and of a pool of nodes each may lack another part of it: history decides only
where the endpoint is said to be one node. Everywhere else, and for as long as there is no witness, nothing is proved.
An error, a time-out or "not found" alone proves nothing at all.

Sources: agave ``runtime/src/status_cache.rs`` (MAX_CACHE_ENTRIES, snapshots carry the cache), ``rpc/src/rpc.rs``
(getSignatureStatuses takes no minContextSlot and reads the processed bank).
"""

from dataclasses import dataclass
from typing import Final

from orderd.solana.rpc import Commitment
from orderd.solana.rpc_types import EpochInfo, SignatureStatus

STATUSES_KEPT: Final = 300
"""Blocks, the newest, of whose transactions every node knows the statuses. A slot has at most one block."""
_BLOCKS_VALID: Final = 150
"""From its blockhash on, a transaction may land in so many blocks."""


@dataclass(frozen=True, slots=True)
class Validity:
    """In which blocks signed bytes may land: after ``blockhash_slot``, up to the height ``last_block_height``.

    ``blockhash_slot`` is the context slot of the answer that gave the blockhash; None if it was not kept.
    ``landed_slot`` is that of the block in which they were seen, where that may yet be rolled back.
    """

    last_block_height: int
    blockhash_slot: int | None = None
    landed_slot: int | None = None

    def can_be_judged(self, finalized: EpochInfo) -> bool:
        """Whether the finalized chain has come so far that it settles what becomes of them."""
        if self.landed_slot is not None:
            return finalized.absolute_slot >= self.landed_slot
        return finalized.block_height > self.last_block_height

    def first_slot(self, finalized: EpochInfo) -> int:
        """No later than the first slot in which the bytes could land."""
        if self.blockhash_slot is not None:
            return self.blockhash_slot
        blocks = finalized.block_height - self.last_block_height + _BLOCKS_VALID
        return max(finalized.absolute_slot - 2 * blocks, 0)  # though every other slot had been empty since


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one answer, of slot ``slot``, said of a signature, when ``finalized`` was known to be so.

    ``is_witnessed``: the same answer shows a signature as finalized that is so at or after the finalized slot.
    ``history_from``: where the endpoint is one node, the first slot of which it still knows what landed in it.
    ``final_at`` is the commitment of blocks that cannot be rolled back, ``landed_at`` that of those that count.
    """

    status: SignatureStatus | None
    slot: int
    finalized: EpochInfo
    is_witnessed: bool = False
    history_from: int | None = None
    final_at: Commitment = "finalized"
    landed_at: Commitment = "confirmed"

    @property
    def landed(self) -> bool:
        """In a block that stands, for good where it failed there; ``status.err`` says whether it did.

        A failure ends a transaction only in a block that can no longer be rolled back: of two forks, the one that wins
        may be the one on which the same bytes succeed.
        """
        if self.status is None:
            return False
        return self.is_final or (self.status.confirmation_status == self.landed_at and self.status.err is None)

    @property
    def is_final(self) -> bool:
        """Whether the transaction is in a block that can no longer be rolled back."""
        if self.status is None:
            return False
        return self.status.confirmation_status in ("finalized", self.final_at)

    def proves_expiry(self, validity: Validity) -> bool:
        """Whether the transaction has not landed and never can."""
        return self.is_too_late(validity) and self._proves_absence(validity.first_slot(self.finalized))

    def is_too_late(self, validity: Validity) -> bool:
        """Whether no node shows the transaction when it could no longer land: expired, if that can be proved."""
        return self.status is None and self.finalized.block_height > validity.last_block_height

    def proves_rollback(self, validity: Validity) -> bool:
        """Whether the transaction, which had landed, is not in that block of the chain that won."""
        if self.status is not None:
            is_same_landing = self.status.slot == validity.landed_slot and self.status.err is None
            return self.is_final and not is_same_landing
        return validity.can_be_judged(self.finalized) and self._proves_absence(validity.first_slot(self.finalized))

    def _proves_absence(self, first_slot: int) -> bool:
        """Whether it is in no block from ``first_slot`` up to the finalized slot."""
        if self.slot < self.finalized.absolute_slot:
            return False
        is_kept = self.slot - first_slot <= STATUSES_KEPT
        if self.is_witnessed and is_kept:
            return True
        return self.history_from is not None and (is_kept or self.history_from <= first_slot)
