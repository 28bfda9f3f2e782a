"""A block while it fills and after: what it changed, and what was there before."""

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
    """What a signature's status says: the slot that processed it, and its error as JSON (None if it succeeded)."""

    slot: int
    error: Any


class Executed(NamedTuple):
    """A transaction in its block. ``ephemeral`` ones (the market's own) are forgotten after a while."""

    transaction: Transaction
    outcome: Outcome
    ephemeral: bool


@dataclass(slots=True)
class Block:
    """One slot's block. ``time`` in unix seconds. ``before`` holds each changed account as it was: the way back.

    ``parent`` is the hash of the block in ``parent_slot``. ``transaction_count`` is that of the whole chain up to here.
    ``undone`` are accounts that blocks on another fork had changed, and that are again as ``parent`` left them.
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
        """The block's hash: of its parent, place, time and transactions."""
        digest = hashlib.sha256(bytes(self.parent))
        digest.update(b"%d:%d:%d" % (self.slot, self.height, self.time))
        for each in self.executed:
            digest.update(bytes(each.transaction.signature))
        return Hash.from_bytes(digest.digest())


@dataclass(slots=True)
class SealedBlock:
    """A block that changes no more. ``changed`` is what it left of each account, or found undone; once durable,
    ``executed`` is dropped."""

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
