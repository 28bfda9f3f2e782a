"""Runs program binaries in LiteSVM instead of the handlers of this package.

A binary is one more handler. It runs one instruction on the accounts as its transaction has changed them so far, and
may call the programs that LiteSVM includes (System, the token programs, Memo) and the other binaries. Fees, the
transaction's other instructions and all faults remain simnet's. In the instructions sysvar an instruction sees only
itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import solders.account
from solders.clock import Clock
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from orderd.simnet import sysvars
from orderd.simnet.account import LedgerAccount
from orderd.simnet.errors import InstructionError, TransactionError
from orderd.simnet.invoke import InnerInstruction, Invocation, NativeProgram
from orderd.solana.programs import compute_budget

_BUDGET_UNITS: Final = 150
"""Compute units of the instruction that sets the limit."""
_PAYER: Final = Keypair.from_seed(bytes(32)).pubkey()
"""Pays LiteSVM's fee, which simnet does not charge; nothing else uses this key."""
_PAYER_LAMPORTS: Final = 1 << 60
_NOTHING: Final = solders.account.Account(0, b"", Pubkey.default())


class BinariesError(Exception):
    """The directory cannot be used; the message says why, and what it should contain."""


class Binaries:
    """The program binaries of a directory, each in a file ``<program id>.so``, as ``solana program dump`` writes it."""

    def __init__(self, directory: Path | None = None) -> None:
        """Without a directory, only the programs that LiteSVM includes. Raises BinariesError."""
        self._svm = LiteSVM().with_sigverify(False).with_blockhash_check(False)
        self._svm = self._svm.with_transaction_history(0).with_log_bytes_limit(None)
        self._svm.set_account(_PAYER, solders.account.Account(_PAYER_LAMPORTS, b"", Pubkey.default()))
        self._known_accounts: dict[Pubkey, LedgerAccount | None] = {}
        """The accounts that LiteSVM was given, as simnet has them."""
        self.elfs: dict[Pubkey, bytes] = {}
        if directory is not None:
            files = _files(directory)
            for program_id, path in files.items():
                try:
                    self.elfs[program_id] = path.read_bytes()
                    self._svm.add_program(program_id, self.elfs[program_id])
                except Exception as error:  # LiteSVM's own error has no name that could be imported
                    raise BinariesError(f"{path} is not a program that can be loaded: {error}") from error

    def programs(self) -> dict[Pubkey, NativeProgram]:
        """A handler for each binary."""
        return dict.fromkeys(self.elfs, NativeProgram(self.process))

    def process(self, invocation: Invocation) -> None:
        """Run the instruction with its program's binary. Raises InstructionError, or TransactionError if LiteSVM
        refuses it."""
        self._give_accounts(invocation)
        message = _message(invocation)
        signatures = [Signature.default()] * message.header.num_required_signatures
        result = self._svm.send_transaction(VersionedTransaction.populate(message, signatures))
        meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
        keys = message.account_keys
        invocation.execution.logs.extend(_own_lines(meta.logs(), invocation.program_id))
        invocation.execution.inner.extend(_inner(meta, keys))
        execution = invocation.execution
        execution.units_left = max(execution.units_left - (meta.compute_units_consumed() - _BUDGET_UNITS), 0)
        if isinstance(result, FailedTransactionMetadata):
            raise _failure(result)
        invocation.return_data = bytes(meta.return_data().data)
        self._take_accounts(invocation)

    def _give_accounts(self, invocation: Invocation) -> None:
        """Give LiteSVM the time and the instruction's accounts, where they differ from what it has."""
        now = invocation.clock
        clock = self._svm.get_clock()
        if (clock.slot, clock.unix_timestamp) != now[:2]:
            self._svm.set_clock(Clock(now.slot, 0, now.epoch, now.epoch + 1, now.unix_time))
        for key in {use.key for use in invocation.uses}:
            account = invocation.accounts.get(key)
            if account is not None and (account.executable or account.owner == sysvars.OWNER):
                continue  # LiteSVM has its own programs and sysvars
            if key in self._known_accounts and self._known_accounts[key] is account:
                continue
            self._svm.set_account(key, _NOTHING if account is None else _for_litesvm(account))
            self._known_accounts[key] = account

    def _take_accounts(self, invocation: Invocation) -> None:
        """Copy the accounts that the instruction changed from LiteSVM."""
        for key in {use.key for use in invocation.uses if use.is_writable}:
            before, found = invocation.accounts.get(key), self._svm.get_account(key)
            after = None
            if found is not None and found.lamports:
                after = LedgerAccount(found.lamports, found.owner, bytes(found.data), found.executable)
            if after == before:
                continue
            self._known_accounts[key] = after
            if after is None:
                invocation.accounts.pop(key, None)
            else:
                invocation.accounts[key] = after


def _files(directory: Path) -> Mapping[Pubkey, Path]:
    expected = "files named <program id>.so, as `solana program dump` writes them"
    if not directory.is_dir():
        raise BinariesError(f"{directory} is not a directory; name one that holds {expected}")
    files = {}
    for path in sorted(directory.glob("*.so")):
        try:
            files[Pubkey.from_string(path.stem)] = path
        except ValueError as error:
            raise BinariesError(f"{path} is not named after a program's address; expected are {expected}") from error
    if not files:
        raise BinariesError(f"{directory} holds no programs; expected are {expected}")
    return files


def _for_litesvm(account: LedgerAccount) -> solders.account.Account:
    return solders.account.Account(account.lamports, account.data, account.owner, account.executable)


def _message(invocation: Invocation) -> MessageV0:
    """A message with this instruction alone, with the compute units that its transaction has left."""
    metas = [AccountMeta(use.key, use.is_signer, use.is_writable) for use in invocation.uses]
    limit = compute_budget.budget(invocation.execution.units_left + _BUDGET_UNITS, 0)
    instruction = Instruction(invocation.program_id, invocation.data, metas)
    return MessageV0.try_compile(_PAYER, [*limit, instruction], [], Hash.default())


def _own_lines(logs: list[str], program_id: Pubkey) -> Iterator[str]:
    """The instruction's log, without the lines that the runtime writes before and after it."""
    first = logs.index(f"Program {program_id} invoke [1]") + 1
    closing = tuple(f"Program {program_id} {what}" for what in ("consumed ", "success", "failed"))
    last = len(logs)
    while last > first and logs[last - 1].startswith((*closing, f"Program return: {program_id}")):
        last -= 1
    return iter(logs[first:last])


def _inner(meta: TransactionMetadata, keys: list[Pubkey]) -> Iterator[InnerInstruction]:
    for call in meta.inner_instructions()[-1]:
        compiled = call.instruction()
        accounts = tuple(keys[index] for index in compiled.accounts)
        height = call.stack_height()
        assert height is not None, "all calls of one transaction are recorded alike"
        yield InnerInstruction(height, keys[compiled.program_id_index], accounts, bytes(compiled.data))


def _failure(result: FailedTransactionMetadata) -> InstructionError | TransactionError:
    error: Any = orjson.loads(result.to_json())["err"]
    if not isinstance(error, dict) or "InstructionError" not in error:
        return TransactionError(error if isinstance(error, str) else next(iter(error)))
    code = error["InstructionError"][1]
    detail = result.meta().logs()[-1].partition(" failed: ")[2] or None
    if isinstance(code, dict) and "Custom" in code:
        return InstructionError(int(code["Custom"]), detail)
    return InstructionError(code if isinstance(code, str) else next(iter(code)), detail)
