"""Executes one transaction: fee, instructions, and the checks of the whole transaction.

A refused transaction (TransactionError from ``execute``) changes nothing. A failed one pays its fee and changes nothing
else. Source: agave ``svm/src/transaction_processor.rs`` and ``svm/src/rent_calculator``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.account import MISSING, LedgerAccount, rent_exempt_minimum
from orderd.simnet.errors import FailedInstructionError, InstructionError, TransactionError
from orderd.simnet.invoke import AccountUse, Clock, InnerInstruction, NativeProgram, TransactionRun
from orderd.simnet.transaction import Transaction
from orderd.solana.programs import system

Load = Callable[[Pubkey], LedgerAccount | None]
"""Reads an account, from the open block or from a view of an earlier one."""
_BYTES_PER_ACCOUNT: Final = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a transaction. ``before`` and ``after`` follow the order of its keys."""

    error: TransactionError | None
    fee: int
    units: int
    logs: tuple[str, ...]
    inner: tuple[tuple[int, tuple[InnerInstruction, ...]], ...]
    before: tuple[LedgerAccount | None, ...]
    after: tuple[LedgerAccount | None, ...]
    return_data: tuple[Pubkey, bytes] | None

    def changes(self, transaction: Transaction) -> dict[Pubkey, LedgerAccount | None]:
        """The accounts that the transaction changed; None for one that it closed."""
        return {
            key: after
            for key, before, after in zip(transaction.keys, self.before, self.after, strict=True)
            if after is not before
        }

    def stored(self, transaction: Transaction) -> dict[Pubkey, LedgerAccount | None]:
        """The accounts that the chain stores again, and tells subscribers of.

        They are the changed ones and, of a transaction that succeeded, all that it may write, as in agave.
        """
        if self.error is not None:
            return self.changes(transaction)
        accounts = zip(transaction.keys, transaction.writable, self.before, self.after, strict=True)
        return {key: after for key, writable, before, after in accounts if writable or after is not before}


def execute(
    transaction: Transaction,
    load: Load,
    clock: Clock,
    programs: Mapping[Pubkey, NativeProgram],
) -> Outcome:
    """Run a transaction on the accounts that ``load`` returns, without changing them.

    Raises TransactionError if the payer cannot pay the fee, or an instruction names an account that is not a program.
    """
    before = tuple(load(key) for key in transaction.keys)
    payer = _charge(before[0], transaction.fee)
    for instruction in transaction.instructions:
        if transaction.keys[instruction.program] not in programs:
            missing = before[instruction.program] is None
            raise TransactionError("ProgramAccountNotFound" if missing else "InvalidProgramForExecution")
    accounts = {key: account for key, account in zip(transaction.keys, before, strict=True) if account is not None}
    if transaction.loaded_limit is not None and _loaded(accounts) > transaction.loaded_limit:
        raise TransactionError("MaxLoadedAccountsDataSizeExceeded")
    accounts[transaction.payer] = payer
    execution = TransactionRun(programs, accounts, clock, transaction.unit_limit)
    inner: list[tuple[int, tuple[InnerInstruction, ...]]] = []
    error: TransactionError | None = None
    return_data: tuple[Pubkey, bytes] | None = None
    signers = transaction.header[0]
    all_uses = [
        AccountUse(key, index < signers, writable)
        for index, (key, writable) in enumerate(zip(transaction.keys, transaction.writable, strict=True))
    ]
    for index, instruction in enumerate(transaction.instructions):
        program_id = transaction.keys[instruction.program]
        uses = [all_uses[account] for account in instruction.accounts]
        try:
            returned = execution.run(program_id, uses, instruction.data)
        except InstructionError as failure:
            error = FailedInstructionError(index, failure)
        else:
            return_data = (program_id, returned) if returned else return_data
        if execution.inner:
            inner.append((index, tuple(execution.inner)))
            execution.inner.clear()
        if error is not None:
            break
    after = tuple(_kept(execution.accounts.get(key)) for key in transaction.keys)
    if error is None:
        error = _below_rent(before, after)
    if error is not None:
        after = (_kept(payer), *before[1:])
    _assert_conserved(before, after, transaction.fee)
    return Outcome(
        error=error,
        fee=transaction.fee,
        units=transaction.unit_limit - execution.units_left,
        logs=tuple(execution.logs),
        inner=tuple(inner),
        before=before,
        after=after,
        return_data=return_data,
    )


def _charge(payer: LedgerAccount | None, fee: int) -> LedgerAccount:
    """The payer's account after paying the fee. Raises TransactionError if it cannot pay."""
    if payer is None:
        raise TransactionError("AccountNotFound")
    if payer.owner != system.PROGRAM_ID or payer.data:
        raise TransactionError("InvalidAccountForFee")
    if payer.lamports < fee:
        raise TransactionError("InsufficientFundsForFee")
    left = payer.lamports - fee
    if 0 < left < rent_exempt_minimum(0) <= payer.lamports:
        raise TransactionError("InsufficientFundsForRent", 0)
    return LedgerAccount(left, payer.owner)


def _loaded(accounts: Mapping[Pubkey, LedgerAccount]) -> int:
    """Bytes that count against a transaction's limit of loaded data. Source: agave,
    ``TRANSACTION_ACCOUNT_BASE_SIZE``."""
    return sum(_BYTES_PER_ACCOUNT + len(account.data) for account in accounts.values())


def _kept(account: LedgerAccount | None) -> LedgerAccount | None:
    """The account; None if it has no lamports left, because it is then deleted."""
    return account if account is not None and account.lamports else None


def _below_rent(
    before: tuple[LedgerAccount | None, ...], after: tuple[LedgerAccount | None, ...]
) -> TransactionError | None:
    """The error for the first account that the transaction left below the rent-exempt minimum."""
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if new is None or new is old or new.lamports >= rent_exempt_minimum(len(new.data)):
            continue
        was_below = old is not None and old.lamports < rent_exempt_minimum(len(old.data))
        if was_below and old is not None and len(old.data) == len(new.data) and new.lamports <= old.lamports:
            continue
        return TransactionError("InsufficientFundsForRent", index)
    return None


def _assert_conserved(
    before: tuple[LedgerAccount | None, ...], after: tuple[LedgerAccount | None, ...], fee: int
) -> None:
    changed = [(old or MISSING, new or MISSING) for old, new in zip(before, after, strict=True) if new is not old]
    gained = sum(new.lamports - old.lamports for old, new in changed)
    assert gained == -fee, f"lamports are not conserved: {gained} gained, fee {fee}"
