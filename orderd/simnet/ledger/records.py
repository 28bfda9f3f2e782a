"""What the ledger keeps, and what it is given."""

from collections.abc import Sequence
from typing import NamedTuple

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import SealedBlock, Status


class StoredTransaction(NamedTuple):
    """A transaction's record: its bytes, its meta as JSON, and when (unix seconds) and where it landed."""

    slot: int
    time: int
    raw: bytes
    meta: bytes


class Recorded(NamedTuple):
    """A transaction and, as ``orderd.simnet.images`` packs them, its accounts before and after; None if not kept."""

    transaction: StoredTransaction
    images: bytes | None


class StoredBlock(NamedTuple):
    """A block's record. ``parent`` is the hash of the block in ``parent_slot``, ``time`` in unix seconds."""

    slot: int
    height: int
    blockhash: Hash
    parent: Hash
    parent_slot: int
    time: int


class LedgerPlace(NamedTuple):
    """Where a transaction is: the slot of its block, and its place there."""

    slot: int
    position: int


class LedgerMention(NamedTuple):
    """A transaction that names an address among its keys; ``error`` as JSON, ``time`` in unix seconds."""

    signature: Signature
    slot: int
    error: bytes
    time: int
    raw: bytes


class Row(NamedTuple):
    """A transaction as the ledger takes it; ``error`` and ``meta`` are JSON. Where ``images`` is None, none are
    kept."""

    signature: Signature
    error: bytes
    meta: bytes
    raw: bytes
    keys: Sequence[Pubkey]
    ephemeral: bool
    images: bytes | None = None


class Restored(NamedTuple):
    """The chain as the last durable block left it, with the signatures and blockhashes that still count."""

    accounts: dict[Pubkey, LedgerAccount]
    tip: SealedBlock
    blockhashes: dict[Hash, int]
    statuses: dict[Signature, Status]
