"""Running one instruction: what a program sees, may change, and calls in turn.

The rules are the runtime's: only an account's owner changes its data or takes its lamports, read-only accounts stay
as they are, a called program gets no privilege its caller lacks, and every step is paid for in compute units.
Source: agave ``program-runtime/src/invoke_context.rs`` and ``transaction-context``.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.simnet.account import MISSING, LedgerAccount
from orderd.simnet.codec import R, rewritten
from orderd.simnet.errors import InstructionError, RuntimeViolationError

SLOTS_AN_EPOCH: Final = 432_000
MAX_DEPTH: Final = 5
MAX_RETURN_DATA: Final = 1_024


class Clock(NamedTuple):
    """What programs know of the time: the slot, and the block's unix second."""

    slot: int
    unix_time: int

    @property
    def epoch(self) -> int:
        return self.slot // SLOTS_AN_EPOCH


class AccountUse(NamedTuple):
    """An account of an instruction, with what the instruction may do with it."""

    key: Pubkey
    is_signer: bool
    is_writable: bool


class InnerInstruction(NamedTuple):
    """A call of one program by another, as the transaction's record lists it."""

    stack_height: int
    program_id: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes


class Call(NamedTuple):
    """An instruction's parts, as one program calls another with them."""

    program_id: Pubkey
    uses: Sequence[AccountUse]
    data: bytes

    @classmethod
    def of(cls, instruction: Instruction) -> "Call":
        uses = [AccountUse(meta.pubkey, meta.is_signer, meta.is_writable) for meta in instruction.accounts]
        return cls(instruction.program_id, uses, bytes(instruction.data))


@dataclass(frozen=True, slots=True)
class NativeProgram:
    """A program's handler. Built-in ones are part of the runtime, which logs no compute units for them."""

    process: Callable[["Invocation"], None]
    builtin: bool = False


@dataclass(slots=True)
class TransactionRun:
    """One transaction at work: its accounts as changed so far, its log, and the compute units left."""

    programs: Mapping[Pubkey, NativeProgram]
    accounts: dict[Pubkey, LedgerAccount]
    clock: Clock
    units_left: int
    logs: list[str] = field(default_factory=list)
    inner: list[InnerInstruction] = field(default_factory=list)

    def run(self, program_id: Pubkey, uses: Sequence[AccountUse], data: bytes, depth: int = 1) -> bytes:
        """Run one instruction and return its return data. Raises InstructionError."""
        program = self.programs.get(program_id)
        if program is None:
            raise InstructionError("UnsupportedProgramId")
        invocation = Invocation(self, program_id, uses, data, depth)
        name, log = str(program_id), self.logs.append
        log(f"Program {name} invoke [{depth}]")
        units_before = self.units_left
        failure = None
        try:
            program.process(invocation)
        except InstructionError as error:
            failure = error
        if not program.builtin:
            log(f"Program {name} consumed {units_before - self.units_left} of {units_before} compute units")
        if failure is not None:
            log(f"Program {name} failed: {failure.detail or failure}")
            raise failure
        if invocation.return_data:
            log(f"Program return: {name} {base64.b64encode(invocation.return_data).decode()}")
        log(f"Program {name} success")
        return invocation.return_data


@dataclass(slots=True)
class Invocation:
    """One instruction, as the program that handles it sees it. Accounts are named by their index."""

    execution: TransactionRun
    program_id: Pubkey
    uses: Sequence[AccountUse]
    data: bytes
    depth: int
    return_data: bytes = b""
    accounts: dict[Pubkey, LedgerAccount] = field(init=False)
    """Of the whole transaction, as changed so far."""
    _granted: dict[Pubkey, tuple[bool, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.accounts = self.execution.accounts

    @property
    def clock(self) -> Clock:
        return self.execution.clock

    def require(self, count: int) -> None:
        """Raises InstructionError NotEnoughAccountKeys where fewer than ``count`` accounts were given."""
        if len(self.uses) < count:
            raise InstructionError("NotEnoughAccountKeys")

    def key(self, index: int) -> Pubkey:
        return self.uses[index][0]

    def account(self, index: int) -> LedgerAccount:
        return self.accounts.get(self.uses[index][0], MISSING)

    def is_signer(self, index: int) -> bool:
        return self.uses[index].is_signer

    def is_writable(self, index: int) -> bool:
        return self.uses[index].is_writable

    def log(self, text: str) -> None:
        """A line as a program writes it with msg!."""
        self.execution.logs.append(f"Program log: {text}")

    def log_data(self, data: bytes) -> None:
        """An event as a program emits it with sol_log_data."""
        self.execution.logs.append(f"Program data: {base64.b64encode(data).decode()}")

    def runtime_log(self, text: str) -> None:
        """A line as a built-in program writes it: without a prefix."""
        self.execution.logs.append(text)

    def consume(self, units: int) -> None:
        """Pay for work. Raises InstructionError if the transaction's budget does not reach."""
        if units <= self.execution.units_left:
            self.execution.units_left -= units
            return
        if self.execution.programs[self.program_id].builtin:
            raise InstructionError("ComputationalBudgetExceeded")
        self.execution.units_left = 0
        raise InstructionError("ProgramFailedToComplete", "exceeded CUs meter at BPF instruction")

    def store_data(self, index: int, data: bytes) -> None:
        """Replace an account's bytes. Raises InstructionError if the program may not."""
        account = self.account(index)
        if data == account.data:
            return
        if not self.uses[index].is_writable:
            raise RuntimeViolationError("ReadonlyDataModified")
        if account.owner != self.program_id:
            raise RuntimeViolationError("ExternalAccountDataModified")
        self._put(index, LedgerAccount(account.lamports, account.owner, data, account.executable))

    def store_record(self, index: int, before: R, after: R) -> None:
        """Replace an account's bytes, which ``before`` was read from. Raises InstructionError as ``store_data``
        does."""
        self.store_data(index, rewritten(self.account(index).data, before, after))

    def store_lamports(self, index: int, lamports: int) -> None:
        """Set an account's lamports. Raises InstructionError if the program may not."""
        account = self.account(index)
        if lamports == account.lamports:
            return
        if lamports < account.lamports and account.owner != self.program_id:
            raise RuntimeViolationError("ExternalAccountLamportSpend")
        if not self.uses[index].is_writable:
            raise RuntimeViolationError("ReadonlyLamportChange")
        self._put(index, LedgerAccount(lamports, account.owner, account.data, account.executable))

    def store_owner(self, index: int, owner: Pubkey) -> None:
        """Give an account of this program's to another. Raises InstructionError if the program may not."""
        account = self.account(index)
        if not self.uses[index].is_writable or account.owner != self.program_id:
            raise RuntimeViolationError("ModifiedProgramId")
        self._put(index, LedgerAccount(account.lamports, owner, account.data, account.executable))

    def call(self, instruction: Instruction, signed_by: Collection[Pubkey] = ()) -> bytes:
        """Invoke another program; ``signed_by`` are addresses derived from this one, for which it signs.

        Returns the called program's return data. Raises InstructionError.
        """
        return self.invoke(*Call.of(instruction), signed_by)

    def invoke(
        self, program_id: Pubkey, uses: Sequence[AccountUse], data: bytes, signed_by: Collection[Pubkey | None] = ()
    ) -> bytes:
        """What ``call`` does with an instruction's parts. Where no address follows from the seeds, there is a None."""
        if self.depth == MAX_DEPTH:
            raise InstructionError("CallDepth")
        granted = self._privileges()
        for key, signs, writes in uses:
            if key not in granted:
                self.runtime_log(f"Instruction references an unknown account {key}")
                raise InstructionError("MissingAccount")
            is_signer, is_writable = granted[key]
            if writes and not is_writable:
                self.runtime_log(f"{key}'s writable privilege escalated")
                raise InstructionError("PrivilegeEscalation")
            if signs and not is_signer and key not in signed_by:
                self.runtime_log(f"{key}'s signer privilege escalated")
                raise InstructionError("PrivilegeEscalation")
        if program_id not in granted:
            self.runtime_log(f"Unknown program {program_id}")
            raise InstructionError("MissingAccount")
        keys = tuple([use[0] for use in uses])
        self.execution.inner.append(InnerInstruction(self.depth + 1, program_id, keys, data))
        return self.execution.run(program_id, uses, data, self.depth + 1)

    def _privileges(self) -> dict[Pubkey, tuple[bool, bool]]:
        """Which accounts may sign and be written here, over all mentions of an account. The program itself may be
        called."""
        if not self._granted:
            granted = {self.program_id: (False, False)}
            for key, is_signer, is_writable in self.uses:
                signer, writable = granted.get(key, (False, False))
                granted[key] = (signer or is_signer, writable or is_writable)
            self._granted = granted
        return self._granted

    def _put(self, index: int, account: LedgerAccount) -> None:
        self.execution.accounts[self.uses[index].key] = account
