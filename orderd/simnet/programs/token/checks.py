"""Decodes mints and token accounts, and checks the rights to them. All functions raise InstructionError."""

from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.codec import decoded, remember
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs.token.errors import (
    INSUFFICIENT_FUNDS,
    INVALID_INSTRUCTION,
    MINT_DECIMALS_MISMATCH,
    MINT_MISMATCH,
    OWNER_MISMATCH,
)
from orderd.solana.programs import token
from orderd.solana.programs.token import AccountState, Mint, OptionalKey, TokenAccount


def amount_of(invocation: Invocation, more: int) -> int:
    """The u64 after the tag; at least ``more`` bytes must follow it."""
    if len(invocation.data) < 9 + more:
        raise InstructionError(INVALID_INSTRUCTION)
    return int.from_bytes(invocation.data[1:9], "little")


def account_of(invocation: Invocation, index: int) -> TokenAccount:
    data = invocation.account(index).data
    if len(data) != token.ACCOUNT_SIZE and not _is_extended(invocation, data, token.EXTENDED_ACCOUNT):
        raise InstructionError("InvalidAccountData")
    return decoded(TokenAccount, data)


def mint_of(invocation: Invocation, index: int) -> Mint:
    data = invocation.account(index).data
    if len(data) != token.MINT_SIZE and not _is_extended(invocation, data, token.EXTENDED_MINT):
        raise InstructionError("InvalidAccountData")
    return decoded(Mint, data)


def _is_extended(invocation: Invocation, data: bytes, kind: int) -> bool:
    """Whether Token-2022 extensions follow the base layout of a mint or an account."""
    if invocation.program_id != token.TOKEN_2022_PROGRAM_ID:
        return False
    return data[token.ACCOUNT_SIZE : token.ACCOUNT_SIZE + 1] == bytes([kind])


def token_account(invocation: Invocation, index: int) -> TokenAccount:
    account = account_of(invocation, index)
    if account.state == AccountState.UNINITIALIZED:
        raise InstructionError("UninitializedAccount")
    return account


def mint_at(invocation: Invocation, index: int) -> Mint:
    mint = mint_of(invocation, index)
    if not mint.is_initialized:
        raise InstructionError("UninitializedAccount")
    return mint


def check_decimals(invocation: Invocation, index: int, account: TokenAccount) -> None:
    """Check that the mint given is the account's, and that the decimals after the amount are the mint's."""
    if account.mint != invocation.key(index):
        raise InstructionError(MINT_MISMATCH)
    if invocation.data[9] != mint_at(invocation, index).decimals:
        raise InstructionError(MINT_DECIMALS_MISMATCH)


def check_owner(invocation: Invocation, index: int, owner: Pubkey) -> None:
    if invocation.key(index) != owner:
        raise InstructionError(OWNER_MISMATCH)
    if not invocation.is_signer(index):
        raise InstructionError("MissingRequiredSignature")


def check_program(invocation: Invocation, *indices: int) -> None:
    if any(invocation.account(index).owner != invocation.program_id for index in indices):
        raise InstructionError("IncorrectProgramId")


_BEFORE_AMOUNT: Final = 64
_BEHIND_AMOUNT: Final = 72


def store_amount(invocation: Invocation, index: int, before: TokenAccount, after: TokenAccount, amount: int) -> None:
    """Write ``after`` with an amount of base units to the account from which ``before`` was read.

    If nothing else changes, only the amount's bytes are written: each trade does this several times.
    """
    paid = TokenAccount(
        after.mint,
        after.owner,
        amount,
        after.delegate,
        after.state,
        after.is_native,
        after.delegated_amount,
        after.close_authority,
        after.extensions,
    )
    if after is not before:
        invocation.store_record(index, before, paid)
        return
    old = invocation.account(index).data
    data = old[:_BEFORE_AMOUNT] + amount.to_bytes(8, "little") + old[_BEHIND_AMOUNT:]
    remember(paid, data)
    invocation.store_data(index, data)


def spend_allowance(
    invocation: Invocation, index: int, account: TokenAccount, amount: int, *, spent: bool
) -> TokenAccount:
    """Check that the authority at ``index`` may spend: the owner, or the delegate, whose allowance shrinks."""
    if not account.delegate.tag or account.delegate.value != invocation.key(index):
        check_owner(invocation, index, account.owner)
        return account
    if not invocation.is_signer(index):
        raise InstructionError("MissingRequiredSignature")
    if account.delegated_amount < amount:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if not spent:
        return account
    left = account.delegated_amount - amount
    return replace(account, delegated_amount=left, delegate=account.delegate if left else gone(account.delegate))


def gone(key: OptionalKey) -> OptionalKey:
    """An optional key after removal: the program resets the tag and leaves the bytes."""
    return OptionalKey(0, key.value)


def changed(key: OptionalKey, new: Pubkey | None) -> OptionalKey:
    return gone(key) if new is None else OptionalKey.of(new)
