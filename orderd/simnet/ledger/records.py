"""The records that the ledger stores and returns."""

from collections.abc import Sequence
from typing import NamedTuple

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import SealedBlock, Status
from orderd.simnet.images import Image


class StoredTransaction(NamedTuple):
    """A landed transaction: its slot, block time (unix seconds), bytes, and meta as JSON."""

    slot: int
    time: int
    raw: bytes
    meta: bytes


class Recorded(NamedTuple):
    """A transaction, and its accounts before and after; none if they are not kept."""

    transaction: StoredTransaction
    images: Sequence[Image]


class StoredBlock(NamedTuple):
    """A block's record. ``parent`` is the hash of the block in ``parent_slot``, ``time`` in unix seconds."""

    slot: int
    height: int
    blockhash: Hash
    parent: Hash
    parent_slot: int
    time: int


class LedgerPlace(NamedTuple):
    """The slot of a transaction's block, and its position in the block."""

    slot: int
    position: int


class LedgerMention(NamedTuple):
    """A transaction that has an address among its keys; ``error`` as JSON, ``time`` in unix seconds."""

    signature: Signature
    slot: int
    error: bytes
    time: int
    raw: bytes


class Row(NamedTuple):
    """A transaction to be written; ``error`` and ``meta`` are JSON."""

    signature: Signature
    error: bytes
    meta: bytes
    raw: bytes
    keys: Sequence[Pubkey]
    ephemeral: bool
    images: Sequence[Image] = ()


class Restored(NamedTuple):
    """The chain after the last durable block, with the signatures and blockhashes that are recent enough to matter."""

    accounts: dict[Pubkey, LedgerAccount]
    tip: SealedBlock
    blockhashes: dict[Hash, int]
    statuses: dict[Signature, Status]
