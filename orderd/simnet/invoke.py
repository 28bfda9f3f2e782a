"""Runs one instruction: what the program sees, may change, and may call.

The rules are the runtime's: only an account's owner changes its data or takes its lamports, read-only accounts do not
change, a called program gets no privilege that its caller lacks, and each step costs compute units.
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

SLOTS_PER_EPOCH: Final = 432_000
MAX_DEPTH: Final = 5


class Clock(NamedTuple):
    """The time that programs see: the slot, and the block's time in unix seconds."""

    slot: int
    unix_time: int

    @property
    def epoch(self) -> int:
        return self.slot // SLOTS_PER_EPOCH


class AccountUse(NamedTuple):
    """An account of an instruction, with the instruction's privileges on it."""

    key: Pubkey
    is_signer: bool
    is_writable: bool


class InnerInstruction(NamedTuple):
    """A call of one program by another, as a transaction's meta lists it."""

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
    """A program's handler. Built-in programs are part of the runtime, which logs no compute units for them."""

    process: Callable[["Invocation"], None]
    builtin: bool = False


@dataclass(slots=True)
class TransactionRun:
    """A transaction being executed: its accounts as changed so far, its log, and the remaining compute units."""

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
    """One instruction, as its program sees it. Accounts are named by their index."""

    execution: TransactionRun
    program_id: Pubkey
    uses: Sequence[AccountUse]
    data: bytes
    depth: int
    return_data: bytes = b""
    accounts: dict[Pubkey, LedgerAccount] = field(init=False)
    """All accounts of the transaction, as changed so far."""
    _granted: dict[Pubkey, tuple[bool, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.accounts = self.execution.accounts

    @property
    def clock(self) -> Clock:
        return self.execution.clock

    def require(self, count: int) -> None:
        """Raises InstructionError NotEnoughAccountKeys if the instruction names fewer than ``count`` accounts."""
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
        """Log a line as a program does with msg!."""
        self.execution.logs.append(f"Program log: {text}")

    def log_data(self, data: bytes) -> None:
        """Log an event as a program does with sol_log_data."""
        self.execution.logs.append(f"Program data: {base64.b64encode(data).decode()}")

    def runtime_log(self, text: str) -> None:
        """Log a line as a built-in program does: without a prefix."""
        self.execution.logs.append(text)

    def consume(self, units: int) -> None:
        """Charge compute units. Raises InstructionError if the transaction has too few left."""
        if units <= self.execution.units_left:
            self.execution.units_left -= units
            return
        if self.execution.programs[self.program_id].builtin:
            raise InstructionError("ComputationalBudgetExceeded")
        self.execution.units_left = 0
        raise InstructionError("ProgramFailedToComplete", "exceeded CUs meter at BPF instruction")

    def store_data(self, index: int, data: bytes) -> None:
        """Replace an account's data. Raises InstructionError if the program may not."""
        account = self.account(index)
        if data == account.data:
            return
        if not self.uses[index].is_writable:
            raise RuntimeViolationError("ReadonlyDataModified")
        if account.owner != self.program_id:
            raise RuntimeViolationError("ExternalAccountDataModified")
        self._put(index, LedgerAccount(account.lamports, account.owner, data, account.executable))

    def store_record(self, index: int, before: R, after: R) -> None:
        """Replace an account's data, from which ``before`` was decoded, by ``after``. Raises the errors of
        ``store_data``."""
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
        """Give an account that this program owns to another program. Raises InstructionError if the program may not."""
        account = self.account(index)
        if not self.uses[index].is_writable or account.owner != self.program_id:
            raise RuntimeViolationError("ModifiedProgramId")
        self._put(index, LedgerAccount(account.lamports, owner, account.data, account.executable))

    def call(self, instruction: Instruction, signed_by: Collection[Pubkey] = ()) -> bytes:
        """Call another program; ``signed_by`` are addresses derived from this program, for which it signs.

        Returns the called program's return data. Raises InstructionError.
        """
        return self.invoke(*Call.of(instruction), signed_by)

    def invoke(
        self, program_id: Pubkey, uses: Sequence[AccountUse], data: bytes, signed_by: Collection[Pubkey | None] = ()
    ) -> bytes:
        """``call`` with the parts of an instruction. None in ``signed_by`` stands for seeds that give no address."""
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
        """By account: whether it signs and is writable, over all its mentions. The program itself may be called too."""
        if not self._granted:
            granted = {self.program_id: (False, False)}
            for key, is_signer, is_writable in self.uses:
                signer, writable = granted.get(key, (False, False))
                granted[key] = (signer or is_signer, writable or is_writable)
            self._granted = granted
        return self._granted

    def _put(self, index: int, account: LedgerAccount) -> None:
        self.execution.accounts[self.uses[index].key] = account
