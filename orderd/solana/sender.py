"""Sending signed bytes until they land or provably cannot, and the proof.

The expiry rule. Read ``getEpochInfo`` first, then ``getSignatureStatuses`` with the whole history. A transaction can
never land only if the block height has passed its last valid one AND the cluster knows nothing of it AND that second
answer is not older than the first. A node that lags, an error or a time-out proves nothing; neither do two endpoints.
Nor does a node that lacks the blocks in which the transaction may have landed: it began from a later snapshot, or has
thrown them away, as most do after a day or two.

A failure ends a transaction only in a block that can no longer be rolled back: of two forks, the one that wins may be
the one on which the same bytes succeed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from solders.signature import Signature

from orderd.solana.rpc import MAX_SIGNATURES_A_CALL, Commitment, RpcClient, RpcError
from orderd.solana.rpc_types import EpochInfo, SignatureStatus, TransactionInfo

_SEND_BATCH: Final = 25
"""Nodes take requests of up to 50 KiB unless told otherwise; a transaction has up to 1.7 KB in base64."""
_FETCH_BATCH: Final = 100
_BLOCKS_VALID: Final = 150
_BLOCKS_REMEMBERED: Final = 100
"""So long after a transaction's last valid block every node still knows of it, even one that began from a snapshot a
moment ago: the statuses of the last 300 blocks come with it (agave, `runtime/src/status_cache.rs`). It may have landed
150 blocks before, and the tip is some 32 ahead of what is finalized."""
_NO_HISTORY: Final = 2**63
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the cluster said of one signature in slot ``slot``, having said ``epoch`` before.

    ``history_from`` is the first slot of which the node still knows what landed in it: of old signatures, it matters.
    ``final_at`` is the commitment of blocks that cannot be rolled back.
    """

    status: SignatureStatus | None
    slot: int
    epoch: EpochInfo
    history_from: int = 0
    final_at: Commitment = "finalized"

    @property
    def landed(self) -> bool:
        """In a block that stands, for good where it failed there; ``status.err`` says whether it did."""
        if self.status is None:
            return False
        level = self.status.confirmation_status
        may_be_confirmed = self.status.err is None or self.final_at == "confirmed"
        return level == "finalized" or (level == "confirmed" and may_be_confirmed)

    def proves_expiry(self, last_valid_block_height: int) -> bool:
        """Whether the transaction has not landed and never can."""
        if not self.shows_none(last_valid_block_height):
            return False
        blocks = self.epoch.block_height - last_valid_block_height
        # No later than the first slot in which it was valid, though every other slot had been empty since.
        first_slot = max(self.epoch.absolute_slot - 2 * (blocks + _BLOCKS_VALID), 0)
        return blocks <= _BLOCKS_REMEMBERED or self.history_from <= first_slot

    def shows_none(self, last_valid_block_height: int) -> bool:
        """Whether the node knows of no transaction when it is too late for it to land."""
        is_current = self.slot >= self.epoch.absolute_slot
        return self.status is None and is_current and self.epoch.block_height > last_valid_block_height


class Sender:
    """One endpoint's view of our transactions. ``final_at`` is the commitment of blocks that cannot be rolled back."""

    def __init__(self, rpc: RpcClient, final_at: Commitment) -> None:
        self._rpc = rpc
        self._final_at = final_at

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        """Send the bytes, one answer each. An error says nothing about whether they will land."""
        batches = (signed[start : start + _SEND_BATCH] for start in range(0, len(signed), _SEND_BATCH))
        return [answer for batch in batches for answer in self._rpc.send_transactions(batch)]

    def look(self, valid_until: Mapping[Signature, int]) -> dict[Signature, Sighting]:
        """Ask for all signatures, in batches. Raises RpcError; then nothing is known.

        ``valid_until`` has their last valid block heights.
        """
        epoch = self._rpc.get_epoch_info(self._final_at)
        is_long_ago = epoch.block_height - min(valid_until.values(), default=epoch.block_height) > _BLOCKS_REMEMBERED
        history_from = self._history_from() if is_long_ago else 0
        signatures = list(valid_until)
        seen: dict[Signature, Sighting] = {}
        for start in range(0, len(signatures), MAX_SIGNATURES_A_CALL):
            batch = signatures[start : start + MAX_SIGNATURES_A_CALL]
            answer = self._rpc.get_signature_statuses(batch, search_history=True)
            for signature, status in zip(batch, answer.value, strict=True):
                seen[signature] = Sighting(status, answer.slot, epoch, history_from, self._final_at)
        return seen

    def _history_from(self) -> int:
        try:
            return self._rpc.get_first_available_block()
        except RpcError as error:
            log.debug("history unknown", action="history_unknown", error=str(error))
            return _NO_HISTORY

    def fetch(self, signatures: Sequence[Signature]) -> list[TransactionInfo | RpcError | None]:
        """What landed transactions did, in order; None where the node has none (yet), an error where it cannot tell."""
        found: list[TransactionInfo | RpcError | None] = []
        for start in range(0, len(signatures), _FETCH_BATCH):
            batch = signatures[start : start + _FETCH_BATCH]
            try:
                found += self._rpc.get_transactions(batch)
            except RpcError as error:
                found += [error] * len(batch)
        return found
