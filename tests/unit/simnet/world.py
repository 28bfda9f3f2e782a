"""A small set of accounts for runs on the local chain and on the real programs (LiteSVM)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import solders.account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV0, MessageV1, TransactionConfig
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.simnet.errors import TransactionError
from orderd.simnet.invoke import Clock, NativeProgram
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import execute
from orderd.simnet.transaction import decode
from orderd.solana.programs import associated_token, system, token
from orderd.solana.programs.token import Mint, TokenAccount

SOL = 10**9
MINTED = 1_000_000


def keypair(name: str) -> Keypair:
    return Keypair.from_seed(name.encode().ljust(32, b"."))


PAYER = keypair("payer")
ALICE = keypair("alice")
BOB = keypair("bob")
NOBODY = keypair("nobody")
FRESH = keypair("fresh")
MINT = keypair("mint").pubkey()
OTHER_MINT = keypair("other mint").pubkey()

Accounts = dict[Pubkey, LedgerAccount]


@dataclass(frozen=True)
class Verdict:
    """The result of a transaction: the error as JSON (None for success), and the accounts after it."""

    error: Any
    accounts: Accounts
    logs: tuple[str, ...] = field(compare=False, default=())


def token_account(owner: Pubkey, mint: Pubkey, amount: int, *, native: bool = False) -> LedgerAccount:
    rent = rent_exempt_minimum(token.ACCOUNT_SIZE)
    state = TokenAccount.new(mint, owner, amount, native_rent=rent if native else None)
    return LedgerAccount(rent + (amount if native else 0), token.PROGRAM_ID, state.encode())


def ata(owner: Keypair, mint: Pubkey = MINT) -> Pubkey:
    return associated_token.address(owner.pubkey(), mint)


def world() -> Accounts:
    """Two users with SOL, a token and wrapped SOL, and a payer who is also the mint's authority."""
    mint = LedgerAccount(rent_exempt_minimum(82), token.PROGRAM_ID, b"")
    return {
        **{each.pubkey(): LedgerAccount(10 * SOL, system.PROGRAM_ID) for each in (PAYER, ALICE, BOB)},
        MINT: LedgerAccount(
            mint.lamports, mint.owner, Mint.new(6, supply=2 * MINTED, authority=PAYER.pubkey()).encode()
        ),
        OTHER_MINT: LedgerAccount(mint.lamports, mint.owner, Mint.new(9, supply=MINTED).encode()),
        token.NATIVE_MINT: LedgerAccount(mint.lamports, mint.owner, Mint.new(9).encode()),
        ata(ALICE): token_account(ALICE.pubkey(), MINT, MINTED),
        ata(BOB): token_account(BOB.pubkey(), MINT, MINTED),
        ata(ALICE, OTHER_MINT): token_account(ALICE.pubkey(), OTHER_MINT, MINTED),
        ata(ALICE, token.NATIVE_MINT): token_account(ALICE.pubkey(), token.NATIVE_MINT, SOL, native=True),
        ata(BOB, token.NATIVE_MINT): token_account(BOB.pubkey(), token.NATIVE_MINT, SOL, native=True),
    }


def signed(
    instructions: Sequence[Instruction],
    signers: Sequence[Keypair],
    blockhash: Hash,
    *,
    legacy: bool = False,
    config: TransactionConfig | None = None,
) -> VersionedTransaction:
    """A transaction whose first signer pays; of the others, those sign whom an instruction asks to. With a ``config``
    it is of version 1."""
    payer = signers[0].pubkey()
    asked = {meta.pubkey for each in instructions for meta in each.accounts if meta.is_signer} | {payer}
    signers = [each for each in signers if each.pubkey() in asked]
    message: Message | MessageV0 | MessageV1
    if config is not None:
        message = MessageV1.try_compile(payer, list(instructions), blockhash, config)
    elif legacy:
        message = Message.new_with_blockhash(list(instructions), payer, blockhash)
    else:
        message = MessageV0.try_compile(payer, list(instructions), [], blockhash)
    return VersionedTransaction(message, signers)


def by_simnet(
    transaction: VersionedTransaction, accounts: Accounts, programs: Mapping[Pubkey, NativeProgram] = PROGRAMS
) -> Verdict:
    """Run the transaction in the local chain's runtime."""
    executable = {key: LedgerAccount(1, system.PROGRAM_ID, executable=True) for key in PROGRAMS}
    try:
        parsed = decode(bytes(transaction))
        outcome = execute(parsed, lambda key: accounts.get(key) or executable.get(key), Clock(1, 1), programs)
    except TransactionError as error:
        return Verdict(error.to_json(), accounts)
    after = accounts | {key: account for key, account in outcome.changes(parsed).items() if account is not None}
    for key, account in outcome.changes(parsed).items():
        if account is None:
            after.pop(key, None)
    return Verdict(None if outcome.error is None else outcome.error.to_json(), after, outcome.logs)


def by_litesvm(svm: LiteSVM, transaction: VersionedTransaction, accounts: Accounts) -> Verdict:
    """Run the transaction with the real runtime and programs."""
    for key, account in accounts.items():
        svm.set_account(key, solders.account.Account(account.lamports, account.data, account.owner, account.executable))
    result = svm.send_transaction(transaction)
    failure = result if isinstance(result, FailedTransactionMetadata) else None
    meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
    touched = set(accounts) | set(transaction.message.account_keys) - set(PROGRAMS)
    found = {key: svm.get_account(key) for key in touched}
    after = {
        key: LedgerAccount(account.lamports, account.owner, bytes(account.data), account.executable)
        for key, account in found.items()
        if account is not None and account.lamports
    }
    error = None if failure is None else json.loads(failure.to_json())["err"]
    return Verdict(error, after, tuple(meta.logs()))
