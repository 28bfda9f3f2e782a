"""The chain's state: the open block in memory, the sealed ones behind it, and views of each of them.

A transaction is executed on arrival against the open block (``processed``); a block that the ledger has made durable is
``confirmed``, and a block with enough confirmed blocks on top of it is ``finalized``. Accounts are stored once, in
their newest state. Each block records the accounts that it replaced, so a view of an earlier slot looks there first,
and blocks that are not finalized can be abandoned for another fork.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from enum import StrEnum
from typing import Final, NamedTuple

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet import sysvars
from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import Block, Executed, SealedBlock, Status
from orderd.simnet.errors import TransactionError
from orderd.simnet.invoke import Clock, NativeProgram
from orderd.simnet.runtime import Outcome, execute
from orderd.simnet.transaction import Transaction
from orderd.solana.programs import system

MAX_BLOCKHASH_AGE: Final = 150
"""Number of blocks, after the one whose hash a transaction names, in which the transaction is accepted."""

HISTORY: Final = 320
"""Blocks kept in memory: enough for every valid blockhash, for finality, and for the longest lag of a node."""


class Commitment(StrEnum):
    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"


class Levels(NamedTuple):
    """The slots a node has reached, by commitment."""

    processed: int
    confirmed: int
    finalized: int

    def slot(self, commitment: Commitment) -> int:
        return int(getattr(self, commitment.value))

    def commitment(self, slot: int) -> Commitment:
        """The commitment that ``slot`` has reached."""
        if slot <= self.finalized:
            return Commitment.FINALIZED
        return Commitment.CONFIRMED if slot <= self.confirmed else Commitment.PROCESSED


class Bank:
    """Accounts, recent blocks and recent signatures. Not thread-safe: one event loop owns it."""

    def __init__(
        self,
        accounts: dict[Pubkey, LedgerAccount],
        tip: SealedBlock,
        *,
        blockhashes: Mapping[Hash, int],
        statuses: dict[Signature, Status],
        programs: Mapping[Pubkey, NativeProgram],
        landing_programs: Mapping[Pubkey, NativeProgram],
        clock: Callable[[], int],
        collector: Pubkey,
        finality_slots: int,
    ) -> None:
        """``blockhashes`` maps recent blockhashes to heights, ``clock`` returns unix seconds; ``collector`` receives
        the fees.

        ``programs`` run simulations, ``landing_programs`` run the transactions of blocks.
        """
        self.accounts = accounts
        self.statuses = statuses
        self.on_executed: list[Callable[[int, Executed], None]] = []
        self.on_replaced: list[Callable[[int, Iterable[Pubkey]], None]] = []
        self.on_opened: list[Callable[[Block], None]] = []
        self.on_confirmed: list[Callable[[SealedBlock], None]] = []
        self._blocks = [tip]
        self._slots = [tip.slot]  # slots of ``_blocks``, for binary search
        self._heights = dict(blockhashes)
        self._programs = programs
        self._landing_programs = landing_programs
        self._clock = clock
        self._collector = collector
        self._finality_slots = finality_slots
        self._root = tip.slot
        self._confirmed = tip.slot
        self._owned: dict[Pubkey, set[Pubkey]] = {}
        for key, account in accounts.items():
            self._owned.setdefault(account.owner, set()).add(key)
        self.open = self._open_block()

    # The present

    def process(self, transaction: Transaction, *, ephemeral: bool = False) -> Outcome:
        """Execute a transaction in the open block. Raises TransactionError if it is refused; then nothing has changed.

        The caller has verified the signatures.
        """
        block = self.open
        self.check(transaction, self.view(block.slot))
        outcome = execute(transaction, self.accounts.get, self.clock(), self._landing_programs)
        for key, account in outcome.stored(transaction).items():
            self._put(key, account)
        executed = Executed(transaction, outcome, ephemeral)
        block.executed.append(executed)
        block.transaction_count += 1
        error = outcome.error
        self.statuses[transaction.signature] = Status(block.slot, None if error is None else error.to_json())
        for notify in self.on_executed:
            notify(block.slot, executed)
        return outcome

    def replace(self, accounts: Mapping[Pubkey, LedgerAccount | None]) -> None:
        """Replace accounts in the open block, without a transaction: only for tests of clients."""
        for key, account in accounts.items():
            self._put(key, account)
        for notify in self.on_replaced:
            notify(self.open.slot, accounts)

    def simulate(self, transaction: Transaction, view: "View", *, any_blockhash: bool = False) -> Outcome:
        """Execute a transaction on a view, without keeping the result. Raises TransactionError if it would be
        refused."""
        if not any_blockhash:
            self.check(transaction, view)
        return execute(transaction, view.account, Clock(view.slot, view.block_time), self._programs)

    def check(self, transaction: Transaction, view: "View") -> None:
        """Check that a block on top of ``view`` may include the transaction. Raises TransactionError."""
        if not view.accepts(transaction.blockhash):
            raise TransactionError("BlockhashNotFound")
        status = self.statuses.get(transaction.signature)
        if status is not None and status.slot <= view.known:
            raise TransactionError("AlreadyProcessed")

    def clock(self) -> Clock:
        return Clock(self.open.slot, self.open.time)

    def height_of(self, blockhash: Hash) -> int | None:
        """The height of the recent block with this hash."""
        return self._heights.get(blockhash)

    def seal(self) -> SealedBlock:
        """Close the open block and open the next one on top of it."""
        block = self.open
        fees = sum(each.outcome.fee for each in block.executed)
        if fees:
            collected = self.accounts.get(self._collector, LedgerAccount(0, system.PROGRAM_ID))
            self._put(self._collector, LedgerAccount(collected.lamports + fees, collected.owner))
        sealed = SealedBlock(
            slot=block.slot,
            height=block.height,
            blockhash=block.seal(),
            parent=block.parent,
            time=block.time,
            transaction_count=block.transaction_count,
            before=block.before,
            changed={key: self.accounts.get(key) for key in block.before.keys() | block.undone},
            executed=block.executed,
            signatures=tuple(each.transaction.signature for each in block.executed),
            unit_prices=tuple(each.transaction.unit_price for each in block.executed),
            parent_slot=block.parent_slot,
        )
        self._blocks.append(sealed)
        self._slots.append(sealed.slot)
        self._heights[sealed.blockhash] = sealed.height
        self.open = self._open_block()
        return sealed

    def revocable(self) -> int:
        """How many of the newest sealed blocks are not finalized."""
        return len(self._blocks) - 1 - self._index(self.levels().finalized)

    def fork(self, depth: int) -> list[SealedBlock]:
        """Abandon the newest ``depth`` sealed blocks, which must be revocable, and the open one, and open a block on
        their parent.

        Their changes are undone. Returns the abandoned sealed blocks, the earliest first.
        """
        assert 0 < depth <= self.revocable(), f"{depth} blocks cannot be abandoned"
        self._root = self.levels().finalized  # finality is kept, although fewer blocks are on top now
        given_up, left = self._blocks[-depth:], self.open
        del self._blocks[-depth:], self._slots[-depth:]
        undone = left.undone | left.before.keys()
        for executed in left.executed:
            self.statuses.pop(executed.transaction.signature)
        for block in given_up:
            undone |= block.changed.keys()
            del self._heights[block.blockhash]
            for signature in block.signatures:
                self.statuses.pop(signature)
        for before in (left.before, *(block.before for block in reversed(given_up))):
            for key, account in before.items():
                self._set(key, account)
        self._confirmed = min(self._confirmed, self._blocks[-1].slot)
        self.open = self._open_block(left.slot + 1, undone)
        return given_up

    def announce_open(self) -> None:
        """Notify the threads that wait for a new block that one is open."""
        for notify in self.on_opened:
            notify(self.open)

    def confirm(self, block: SealedBlock) -> None:
        """Mark ``block`` as confirmed, which the ledger has made durable, and drop blocks beyond ``HISTORY`` from
        memory."""
        self._confirmed = block.slot
        block.executed = []
        while len(self._blocks) > HISTORY and self._blocks[0].slot < self._confirmed:
            forgotten = self._blocks.pop(0)
            del self._slots[0]
            self._root = max(self._root, forgotten.slot)
            self._heights.pop(forgotten.blockhash, None)
            for signature in forgotten.signatures:
                self.statuses.pop(signature, None)
        for notify in self.on_confirmed:
            notify(block)

    # The past

    def levels(self, lag: int = 0) -> Levels:
        """The slots that a node has reached that is ``lag`` slots behind."""
        newest = len(self._blocks)
        if lag:
            newest = max(self._index(self.open.slot - lag), 0)
        processed = self.open.slot if newest == len(self._blocks) else self._blocks[newest].slot
        confirmed = min(self._index(self._confirmed), max(newest - 1, 0))
        buried = self._blocks[max(confirmed - self._finality_slots, 0)].slot
        return Levels(processed, self._blocks[confirmed].slot, buried if lag else max(self._root, buried))

    def newest(self, slot: int) -> SealedBlock:
        """The newest sealed block in memory that is not above ``slot``; the oldest one in memory if all are above
        it."""
        return self._blocks[max(self._index(slot), 0)]

    def is_on_chain(self, slot: int) -> bool:
        """Whether the ledger's block in ``slot`` belongs to the chain. The ledger may still hold abandoned blocks."""
        return slot <= self._blocks[0].slot or slot == self.open.slot or self.block(slot) is not None

    def view(self, slot: int) -> "View":
        """The state at the end of ``slot``, which must be a slot that ``levels`` can return."""
        return View(self, slot)

    def block(self, slot: int) -> SealedBlock | None:
        """The sealed block of a slot; None if it is not in memory or the slot has none."""
        index = self._index(slot)
        return self._blocks[index] if index >= 0 and self._blocks[index].slot == slot else None

    def recent_blocks(self, count: int) -> list[SealedBlock]:
        return self._blocks[-count:]

    def changes_after(self, slot: int) -> Iterator[dict[Pubkey, LedgerAccount | None]]:
        """For each block after ``slot``, the accounts as they were before it; the earliest block first."""
        for index in range(self._index(slot) + 1, len(self._blocks)):
            yield self._blocks[index].before
        if slot < self.open.slot:
            yield self.open.before

    def owned_by(self, program: Pubkey) -> set[Pubkey]:
        """The addresses of all accounts that a program owns or has owned since the start of this process."""
        return self._owned.get(program, set())

    def _index(self, slot: int) -> int:
        """Index of the newest block in memory that is not above ``slot``; -1 if there is none."""
        return bisect_right(self._slots, slot) - 1

    def _open_block(self, slot: int | None = None, undone: Set[Pubkey] = frozenset()) -> Block:
        parent = self._blocks[-1]
        return Block(
            slot=parent.slot + 1 if slot is None else slot,
            height=parent.height + 1,
            parent=parent.blockhash,
            parent_slot=parent.slot,
            time=max(parent.time, self._clock()),
            transaction_count=parent.transaction_count,
            undone=undone,
        )

    def _put(self, key: Pubkey, account: LedgerAccount | None) -> None:
        self.open.before.setdefault(key, self.accounts.get(key))
        self._set(key, account)

    def _set(self, key: Pubkey, account: LedgerAccount | None) -> None:
        if account is None:
            self.accounts.pop(key, None)
            return
        old = self.accounts.get(key)
        self.accounts[key] = account
        if old is None or old.owner != account.owner:
            self._owned.setdefault(account.owner, set()).add(key)


class View:
    """The chain at the end of a slot; for the open slot, as it is now.

    A node on a dead fork sees the chain at ``slot`` and ``beyond`` more slots, whose empty blocks no other node has.
    """

    def __init__(self, bank: Bank, slot: int, beyond: int = 0) -> None:
        self.bank = bank
        self.slot = slot + beyond
        self.known = slot
        """The newest slot of the main chain that is part of the view."""
        block = bank.open if slot == bank.open.slot else bank.block(slot)
        assert block is not None, f"slot {slot} is no longer in memory"
        self.height = block.height + beyond
        self._known_height = block.height
        self.block_time = block.time
        self.transaction_count = block.transaction_count
        self.blockhash = block.blockhash if isinstance(block, SealedBlock) else block.parent
        """The newest blockhash that a node at this slot knows; ``blockhash_height`` is the height of its block."""
        self.blockhash_height = block.height if isinstance(block, SealedBlock) else block.height - 1
        self._open: Block | None = None
        self._replaced: list[dict[Pubkey, LedgerAccount | None]] = []
        self._own: dict[Hash, int] = {}
        for _ in range(beyond):
            self.blockhash = Hash.from_bytes(hashlib.sha256(b"dead fork" + bytes(self.blockhash)).digest())
            self.blockhash_height += 1
            self._own[self.blockhash] = self.blockhash_height

    def accepts(self, blockhash: Hash) -> bool:
        """Whether a block on top of the view accepts transactions with this blockhash."""
        made = self.bank.height_of(blockhash)
        if made is None or made > self._known_height:
            made = self._own.get(blockhash)
        return made is not None and self.height <= made + MAX_BLOCKHASH_AGE

    def account(self, key: Pubkey) -> LedgerAccount | None:
        if key == sysvars.CLOCK:
            return sysvars.clock_account(Clock(self.slot, self.block_time))
        if self._open is not self.bank.open:  # blocks were added or abandoned since the last call
            self._open, self._replaced = self.bank.open, list(self.bank.changes_after(self.known))
        for replaced in self._replaced:
            if key in replaced:
                return replaced[key]
        return self.bank.accounts.get(key)

    def owned_by(self, program: Pubkey) -> Iterator[tuple[Pubkey, LedgerAccount]]:
        """A program's accounts."""
        for key in self.bank.owned_by(program):
            account = self.account(key)
            if account is not None and account.owner == program:
                yield key, account
