"""The chain's state: the open block in memory, the sealed ones behind it, and views of each of them.

A transaction is executed on arrival against the open block (`processed`); a block that the ledger has made durable is
`confirmed`, and one with enough confirmed blocks on top `finalized`. Accounts are kept once, at the newest state; each
block knows what it replaced, so a view of an earlier slot looks there first.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import Account
from orderd.simnet.block import Block, Executed, SealedBlock, Status
from orderd.simnet.errors import TransactionError
from orderd.simnet.invoke import Clock, Program
from orderd.simnet.runtime import Outcome, execute
from orderd.simnet.transaction import Transaction
from orderd.solana.programs import system

MAX_BLOCKHASH_AGE: Final = 150
"""A transaction is accepted in the 150 blocks after the one whose hash it carries."""

HISTORY: Final = 320
"""Blocks kept in memory: enough for every valid blockhash, finality, and the most a node may lag."""


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
        """How firm what happened in `slot` is."""
        if slot <= self.finalized:
            return Commitment.FINALIZED
        return Commitment.CONFIRMED if slot <= self.confirmed else Commitment.PROCESSED


class Bank:
    """Accounts, recent blocks and recent signatures. Not thread-safe: one event loop owns it."""

    def __init__(
        self,
        accounts: dict[Pubkey, Account],
        tip: SealedBlock,
        *,
        blockhashes: Mapping[Hash, int],
        statuses: dict[Signature, Status],
        programs: Mapping[Pubkey, Program],
        landing_programs: Mapping[Pubkey, Program],
        clock: Callable[[], int],
        collector: Pubkey,
        finality_slots: int,
    ) -> None:
        """`blockhashes` gives the recent ones' heights, `clock` unix seconds; fees go to `collector`.

        `programs` serve simulations, `landing_programs` what is really executed.
        """
        self.accounts = accounts
        self.statuses = statuses
        self.on_executed: list[Callable[[int, Executed], None]] = []
        self.on_opened: list[Callable[[Block], None]] = []
        self.on_confirmed: list[Callable[[SealedBlock], None]] = []
        self._blocks = [tip]
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
        """Execute a transaction in the open block. Raises TransactionError where it is refused and leaves no trace.

        The caller has verified the signatures.
        """
        block = self.open
        self.check(transaction, block.height)
        outcome = execute(transaction, self.accounts.get, self.clock(), self._landing_programs)
        for key, account in outcome.changes(transaction).items():
            self._put(key, account)
        executed = Executed(transaction, outcome, ephemeral)
        block.executed.append(executed)
        block.transaction_count += 1
        error = outcome.error
        self.statuses[transaction.signature] = Status(block.slot, None if error is None else error.to_json())
        for notify in self.on_executed:
            notify(block.slot, executed)
        return outcome

    def simulate(self, transaction: Transaction, view: "View", *, any_blockhash: bool = False) -> Outcome:
        """What would become of a transaction. Raises TransactionError where it would be refused."""
        if not any_blockhash:
            self.check(transaction, view.height, view)
        return execute(transaction, view.account, Clock(view.slot, view.block_time), self._programs)

    def check(self, transaction: Transaction, height: int, view: "View | None" = None) -> None:
        """That a block of `height` may take the transaction. Raises TransactionError."""
        if not self.is_valid(transaction.blockhash, height):
            raise TransactionError("BlockhashNotFound")
        status = self.statuses.get(transaction.signature)
        if status is not None and (view is None or status.slot <= view.slot):
            raise TransactionError("AlreadyProcessed")

    def clock(self) -> Clock:
        return Clock(self.open.slot, self.open.time)

    def is_valid(self, blockhash: Hash, height: int) -> bool:
        """Whether a block of `height` accepts transactions with this blockhash."""
        made = self._heights.get(blockhash)
        return made is not None and made <= height <= made + MAX_BLOCKHASH_AGE

    def seal(self) -> SealedBlock:
        """Close the open block and open the next one on top of it."""
        block = self.open
        fees = sum(each.outcome.fee for each in block.executed)
        if fees:
            collected = self.accounts.get(self._collector, Account(0, system.PROGRAM_ID))
            self._put(self._collector, Account(collected.lamports + fees, collected.owner))
        sealed = SealedBlock(
            slot=block.slot,
            height=block.height,
            blockhash=block.seal(),
            parent=block.parent,
            time=block.time,
            transaction_count=block.transaction_count,
            before=block.before,
            changed={key: self.accounts.get(key) for key in block.before},
            executed=block.executed,
            signatures=tuple(each.transaction.signature for each in block.executed),
            unit_prices=tuple(each.transaction.unit_price for each in block.executed),
            parent_slot=block.parent_slot,
        )
        self._blocks.append(sealed)
        self._heights[sealed.blockhash] = sealed.height
        self.open = self._open_block()
        return sealed

    def announce_open(self) -> None:
        """Tell those who wait for a new block that one is open."""
        for notify in self.on_opened:
            notify(self.open)

    def confirm(self, block: SealedBlock) -> None:
        """The ledger has made `block` durable; what is too old to be asked for is let go."""
        self._confirmed = block.slot
        block.executed = []
        while len(self._blocks) > HISTORY and self._blocks[0].slot < self._confirmed:
            forgotten = self._blocks.pop(0)
            self._root = max(self._root, forgotten.slot)
            self._heights.pop(forgotten.blockhash, None)
            for signature in forgotten.signatures:
                self.statuses.pop(signature, None)
        for notify in self.on_confirmed:
            notify(block)

    # The past

    def levels(self, lag: int = 0) -> Levels:
        """What a node has reached that is `lag` slots behind."""
        processed = self.open.slot - lag if lag else self.open.slot
        processed = max(processed, self._blocks[0].slot)
        confirmed = max(min(self._confirmed, processed if lag == 0 else processed - 1), self._blocks[0].slot)
        root = max(self._blocks[0].slot, min(self._root, confirmed))
        return Levels(processed, confirmed, max(root, confirmed - self._finality_slots))

    def view(self, slot: int) -> "View":
        """The state at the end of `slot`, which must be among those that `levels` can give."""
        return View(self, slot)

    def block(self, slot: int) -> SealedBlock | None:
        """A sealed block that is still in memory."""
        index = slot - self._blocks[0].slot
        return self._blocks[index] if 0 <= index < len(self._blocks) else None

    def recent_blocks(self, count: int) -> list[SealedBlock]:
        return self._blocks[-count:]

    def changes_after(self, slot: int) -> Iterator[dict[Pubkey, Account | None]]:
        """What the blocks after `slot` replaced, the earliest first."""
        for index in range(slot - self._blocks[0].slot + 1, len(self._blocks)):
            yield self._blocks[index].before
        if slot < self.open.slot:
            yield self.open.before

    def owned_by(self, program: Pubkey) -> set[Pubkey]:
        """The accounts that belong to a program, or did since the start."""
        return self._owned.get(program, set())

    def _open_block(self) -> Block:
        parent = self._blocks[-1]
        return Block(
            slot=parent.slot + 1,
            height=parent.height + 1,
            parent=parent.blockhash,
            parent_slot=parent.slot,
            time=max(parent.time, self._clock()),
            transaction_count=parent.transaction_count,
        )

    def _put(self, key: Pubkey, account: Account | None) -> None:
        old = self.accounts.get(key)
        self.open.before.setdefault(key, old)
        if account is None:
            self.accounts.pop(key, None)
            return
        self.accounts[key] = account
        if old is None or old.owner != account.owner:
            self._owned.setdefault(account.owner, set()).add(key)


class View:
    """The chain as it was at the end of a slot (the open one: as it is now)."""

    def __init__(self, bank: Bank, slot: int) -> None:
        self.bank = bank
        self.slot = slot
        block = bank.open if slot == bank.open.slot else bank.block(slot)
        assert block is not None, f"slot {slot} is no longer in memory"
        self.height = block.height
        self.block_time = block.time
        self.transaction_count = block.transaction_count
        self.blockhash = block.blockhash if isinstance(block, SealedBlock) else block.parent
        """The newest hash a node at this slot knows, and the height of the block it is of."""
        self.blockhash_height = block.height if isinstance(block, SealedBlock) else block.height - 1

    def account(self, key: Pubkey) -> Account | None:
        for replaced in self.bank.changes_after(self.slot):
            if key in replaced:
                return replaced[key]
        return self.bank.accounts.get(key)

    def owned_by(self, program: Pubkey) -> Iterator[tuple[Pubkey, Account]]:
        """A program's accounts."""
        for key in self.bank.owned_by(program):
            account = self.account(key)
            if account is not None and account.owner == program:
                yield key, account
