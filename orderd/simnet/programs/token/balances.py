"""Transfers, minting, burning, and closing accounts. All functions raise InstructionError."""

from dataclasses import replace

from orderd.amm.swap import U64_MAX
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs.token.checks import (
    amount_of,
    check_decimals,
    check_owner,
    check_program,
    mint_at,
    spend_allowance,
    store_amount,
    token_account,
)
from orderd.simnet.programs.token.errors import (
    ACCOUNT_FROZEN,
    FIXED_SUPPLY,
    INSUFFICIENT_FUNDS,
    INVALID_STATE,
    MINT_DECIMALS_MISMATCH,
    MINT_MISMATCH,
    NATIVE_NOT_SUPPORTED,
    NON_NATIVE_HAS_BALANCE,
    NON_NATIVE_NOT_SUPPORTED,
    OVERFLOW,
)
from orderd.simnet.programs.token.extensions import withheld_fee, withhold
from orderd.solana.programs import system, token
from orderd.solana.programs.token import AccountState


def transfer(invocation: Invocation) -> None:
    checked = invocation.data[0] == token.TransferChecked.DISCRIMINATOR[0]
    amount = amount_of(invocation, 1 if checked else 0)
    invocation.require(4 if checked else 3)
    to, by = (2, 3) if checked else (1, 2)
    source = token_account(invocation, 0)
    destination = token_account(invocation, to)
    if AccountState.FROZEN in (source.state, destination.state):
        raise InstructionError(ACCOUNT_FROZEN)
    if source.amount < amount:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if source.mint != destination.mint:
        raise InstructionError(MINT_MISMATCH)
    if checked:
        check_decimals(invocation, 1, source)
    to_itself = invocation.key(0) == invocation.key(to)
    after = spend_allowance(invocation, by, source, amount, spent=not to_itself)
    if to_itself or amount == 0:
        check_program(invocation, 0, to)
    if to_itself:
        return
    fee = withheld_fee(invocation, amount, checked=checked)
    store_amount(invocation, 0, source, after, source.amount - amount)
    store_amount(invocation, to, destination, destination, destination.amount + amount - fee)
    withhold(invocation, to, fee)
    if source.is_native.tag:
        lamports = invocation.account(0).lamports
        invocation.store_lamports(0, lamports - amount)
        invocation.store_lamports(to, invocation.account(to).lamports + amount)


def mint_to(invocation: Invocation) -> None:
    amount = amount_of(invocation, 1 if invocation.data[0] == 14 else 0)
    invocation.require(3)
    destination = token_account(invocation, 1)
    if destination.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if destination.is_native.tag:
        raise InstructionError(NATIVE_NOT_SUPPORTED)
    if destination.mint != invocation.key(0):
        raise InstructionError(MINT_MISMATCH)
    mint = mint_at(invocation, 0)
    if invocation.data[0] == 14 and invocation.data[9] != mint.decimals:
        raise InstructionError(MINT_DECIMALS_MISMATCH)
    if mint.mint_authority.key is None:
        raise InstructionError(FIXED_SUPPLY)
    check_owner(invocation, 2, mint.mint_authority.key)
    if amount == 0:
        check_program(invocation, 0, 1)
    if mint.supply + amount > U64_MAX:
        raise InstructionError(OVERFLOW)
    invocation.store_record(0, mint, replace(mint, supply=mint.supply + amount))
    store_amount(invocation, 1, destination, destination, destination.amount + amount)


def burn(invocation: Invocation) -> None:
    amount = amount_of(invocation, 1 if invocation.data[0] == 15 else 0)
    invocation.require(3)
    source = token_account(invocation, 0)
    mint = mint_at(invocation, 1)
    if source.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if source.is_native.tag:
        raise InstructionError(NATIVE_NOT_SUPPORTED)
    if source.amount < amount:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if source.mint != invocation.key(1):
        raise InstructionError(MINT_MISMATCH)
    if invocation.data[0] == 15 and invocation.data[9] != mint.decimals:
        raise InstructionError(MINT_DECIMALS_MISMATCH)
    after = spend_allowance(invocation, 2, source, amount, spent=True)
    if amount == 0:
        check_program(invocation, 0, 1)
    store_amount(invocation, 0, source, after, source.amount - amount)
    invocation.store_record(1, mint, replace(mint, supply=mint.supply - amount))


def close_account(invocation: Invocation) -> None:
    invocation.require(3)
    if invocation.key(0) == invocation.key(1):
        raise InstructionError("InvalidAccountData")
    source = token_account(invocation, 0)
    if not source.is_native.tag and source.amount:
        raise InstructionError(NON_NATIVE_HAS_BALANCE)
    check_owner(invocation, 2, source.close_authority.key or source.owner)
    lamports = invocation.account(0).lamports
    invocation.store_lamports(1, invocation.account(1).lamports + lamports)
    invocation.store_lamports(0, 0)
    invocation.store_data(0, b"")
    invocation.store_owner(0, system.PROGRAM_ID)


def sync_native(invocation: Invocation) -> None:
    invocation.require(1)
    check_program(invocation, 0)
    account = token_account(invocation, 0)
    if not account.is_native.tag:
        raise InstructionError(NON_NATIVE_NOT_SUPPORTED)
    amount = invocation.account(0).lamports - account.is_native.value
    if amount < 0:
        raise InstructionError(OVERFLOW)
    if amount < account.amount:
        raise InstructionError(INVALID_STATE)
    store_amount(invocation, 0, account, account, amount)
