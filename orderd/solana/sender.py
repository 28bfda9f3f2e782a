"""Sending signed bytes until they land or provably cannot, and the proof.

The expiry rule. Read ``getEpochInfo`` first, then ``getSignatureStatuses`` with the whole history. A transaction can
never land only if the block height has passed its last valid one AND the cluster knows nothing of it AND that second
answer is not older than the first. A node that lags, an error or a time-out proves nothing; neither do two endpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.signature import Signature

from orderd.solana.rpc import MAX_SIGNATURES_A_CALL, Commitment, RpcClient, RpcError
from orderd.solana.rpc_types import SignatureStatus, TransactionInfo

_SEND_BATCH: Final = 25
"""Nodes take requests of up to 50 KiB unless told otherwise; a transaction has up to 1.7 KB in base64."""
_FETCH_BATCH: Final = 100
_LANDED: Final = frozenset({"confirmed", "finalized"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the cluster said of one signature, and when: ``block_height`` was read before ``status``."""

    status: SignatureStatus | None
    block_height: int
    is_current: bool

    @property
    def landed(self) -> bool:
        """In a block that stands; ``status.err`` says whether it succeeded."""
        return self.status is not None and self.status.confirmation_status in _LANDED

    def proves_expiry(self, last_valid_block_height: int) -> bool:
        """Whether the transaction can never land any more."""
        return self.status is None and self.is_current and self.block_height > last_valid_block_height


class Sender:
    """One endpoint's view of our transactions. ``expiry_commitment`` is finalized where blocks can be rolled back."""

    def __init__(self, rpc: RpcClient, expiry_commitment: Commitment) -> None:
        self._rpc = rpc
        self._expiry_commitment = expiry_commitment

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        """Send the bytes, one answer each. An error says nothing about whether they will land."""
        batches = (signed[start : start + _SEND_BATCH] for start in range(0, len(signed), _SEND_BATCH))
        return [answer for batch in batches for answer in self._rpc.send_transactions(batch)]

    def look(self, signatures: Sequence[Signature]) -> dict[Signature, Sighting]:
        """Ask for all signatures, in batches. Raises RpcError; then nothing is known."""
        epoch = self._rpc.get_epoch_info(self._expiry_commitment)
        seen: dict[Signature, Sighting] = {}
        for start in range(0, len(signatures), MAX_SIGNATURES_A_CALL):
            batch = signatures[start : start + MAX_SIGNATURES_A_CALL]
            answer = self._rpc.get_signature_statuses(batch, search_history=True)
            is_current = answer.slot >= epoch.absolute_slot
            for signature, status in zip(batch, answer.value, strict=True):
                seen[signature] = Sighting(status, epoch.block_height, is_current)
        return seen

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
