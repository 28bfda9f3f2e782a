"""The rule that proves that signed bytes can no longer land, whichever nodes gave the answers.

Many nodes may answer behind one address: one that is far behind, one that just started from a snapshot, one on a dead
fork. No answer names its node, so a proof uses only facts that are true whichever node states them:

1. A finalized slot whose block height is above the transaction's last valid one, at least 150 slots after the
   blockhash's. A finalized block is final on all nodes.
2. One answer of ``getSignatureStatuses`` in which the transaction is unknown and a **witness**, a signature that is
   known to be finalized at or after that slot, is ``finalized``. So the node that answers has the finalized chain up to
   that slot; a node on a dead fork passes the slot too, but cannot show the witness.
3. The slot of that answer is at most 300 slots after the blockhash's. So the transaction could only have landed in a
   block whose statuses every node keeps, even one that started from a snapshot, because snapshots include them.

After that, only the transaction history can decide, and each node of a pool may lack another part of it. So history
decides only if the endpoint is declared to be one node. Otherwise, and as long as there is no witness, nothing is
proved. An error, a time-out or "not found" alone proves nothing at all.

Sources: agave ``runtime/src/status_cache.rs`` (MAX_CACHE_ENTRIES, snapshots carry the cache), ``rpc/src/rpc.rs``
(getSignatureStatuses takes no minContextSlot and reads the processed bank).
"""

from typing import Final

from orderd.domain.frozen import dataclass
from orderd.solana.rpc import Commitment
from orderd.solana.rpc_types import EpochInfo, SignatureStatus

STATUSES_KEPT: Final = 300
"""Number of the newest blocks whose transaction statuses every node keeps. A slot has at most one block."""
_BLOCKS_VALID: Final = 150
"""Number of blocks after its blockhash in which a transaction may land."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The blocks in which signed bytes may land: after ``blockhash_slot``, up to the height ``last_block_height``.

    ``blockhash_slot`` is the context slot of the answer with the blockhash; None if it was not stored. ``landed_slot``
    is the slot of the block in which the transaction was seen, if that block can still be rolled back.
    """

    last_block_height: int
    blockhash_slot: int | None = None
    landed_slot: int | None = None

    def can_be_judged(self, finalized: EpochInfo) -> bool:
        """Whether the finalized chain has advanced far enough to decide whether the transaction landed."""
        if self.landed_slot is not None:
            return finalized.absolute_slot >= self.landed_slot
        return self.is_over(finalized)

    def is_over(self, finalized: EpochInfo) -> bool:
        """Whether no block after the finalized one can contain the transaction."""
        return self.slots_left(finalized) <= 0

    def is_late(self, finalized: EpochInfo) -> bool:
        """Whether nodes may have dropped its status, so that only the transaction history can decide."""
        return finalized.absolute_slot - self.first_slot(finalized) > STATUSES_KEPT

    def slots_left(self, finalized: EpochInfo) -> int:
        """The minimum number of slots that still have to be finalized until the validity is over; 0 or less if it is.

        A last height that is too low, which one answer alone has stated, does not suffice: 150 blocks take at least as
        many slots.
        """
        slots = _BLOCKS_VALID if self.blockhash_slot is None else finalized.absolute_slot - self.blockhash_slot
        return max(self.last_block_height + 1 - finalized.block_height, _BLOCKS_VALID - slots)

    def first_slot(self, finalized: EpochInfo) -> int:
        """A lower bound of the slots in which the transaction could land."""
        if self.blockhash_slot is not None:
            return self.blockhash_slot
        blocks = finalized.block_height - self.last_block_height + _BLOCKS_VALID
        return max(finalized.absolute_slot - 2 * blocks, 0)  # assumes that up to every other slot was empty


@dataclass(frozen=True, slots=True)
class Sighting:
    """The status of a signature in one answer of context slot ``slot``, at a time when ``finalized`` was known.

    ``is_witnessed``: the same answer shows as finalized a signature of the finalized slot or later. ``history_from``:
    if the endpoint is one node, the first slot of its transaction history. ``final_at`` is the commitment of blocks
    that cannot be rolled back, ``landed_at`` the commitment at which a successful transaction counts as landed.
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
        """Whether the transaction has landed; ``status.err`` says whether it failed.

        A failure counts only in a block that can no longer be rolled back, because the same bytes may succeed on the
        fork that wins.
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
        """Whether the answer does not show the transaction although it could no longer land: expired, if it can be
        proved."""
        return self.status is None and validity.is_over(self.finalized)

    def proves_rollback(self, validity: Validity) -> bool:
        """Whether the block in which the transaction had landed was rolled back."""
        if self.status is not None:
            is_same_landing = self.status.slot == validity.landed_slot and self.status.err is None
            return self.is_final and not is_same_landing
        return validity.can_be_judged(self.finalized) and self._proves_absence(validity.first_slot(self.finalized))

    def _proves_absence(self, first_slot: int) -> bool:
        """Whether the transaction is in no block from ``first_slot`` up to the finalized slot."""
        if not first_slot <= self.finalized.absolute_slot <= self.slot:
            return False  # a node that lags, or one of another chain
        is_kept = self.slot - first_slot <= STATUSES_KEPT
        if self.is_witnessed and is_kept:
            return True
        return self.history_from is not None and (is_kept or self.history_from <= first_slot)
