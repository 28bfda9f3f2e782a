"""A block, open or sealed: the accounts that it changed, and their state before it."""

import hashlib
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.runtime import Outcome
from orderd.simnet.transaction import Transaction


class Status(NamedTuple):
    """The status of a signature: the slot that processed it, and its error as JSON (None if it succeeded)."""

    slot: int
    error: Any


class Executed(NamedTuple):
    """A transaction in its block. ``ephemeral`` transactions (those of the simulated market) are deleted after a
    while."""

    transaction: Transaction
    outcome: Outcome
    ephemeral: bool


@dataclass(slots=True)
class Block:
    """The open block of a slot. ``time`` in unix seconds. ``before`` holds each changed account as it was before the
    block.

    ``parent`` is the hash of the block in ``parent_slot``. ``transaction_count`` counts the whole chain up to here.

    ``undone`` are accounts that an abandoned fork had changed, and that have been restored to their state at
    ``parent``.
    """

    slot: int
    height: int
    parent: Hash
    parent_slot: int
    time: int
    transaction_count: int = 0
    before: dict[Pubkey, LedgerAccount | None] = field(default_factory=dict)
    executed: list[Executed] = field(default_factory=list)
    undone: Set[Pubkey] = frozenset()

    def seal(self) -> Hash:
        """The block's hash, computed from its parent, slot, height, time and transactions."""
        digest = hashlib.sha256(bytes(self.parent))
        digest.update(b"%d:%d:%d" % (self.slot, self.height, self.time))
        for each in self.executed:
            digest.update(bytes(each.transaction.signature))
        return Hash.from_bytes(digest.digest())


@dataclass(slots=True)
class SealedBlock:
    """A closed block. ``changed`` holds the state of each account that it changed or that a fork restored. ``executed``
    is emptied once the block is durable."""

    slot: int
    height: int
    blockhash: Hash
    parent: Hash
    time: int
    transaction_count: int
    before: dict[Pubkey, LedgerAccount | None]
    changed: dict[Pubkey, LedgerAccount | None]
    executed: list[Executed]
    signatures: tuple[Signature, ...]
    unit_prices: tuple[int, ...]
    parent_slot: int = 0
