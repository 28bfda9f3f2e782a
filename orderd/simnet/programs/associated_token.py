"""The Associated Token Account program: creates the token account of an owner for a mint at its derived address.

Source: solana-program/associated-token-account, ``program/src/processor.rs``. Compute units as measured on the
deployed program; the real ones vary with the bump of the address.
"""

from functools import lru_cache

from solders.pubkey import Pubkey
from solders.system_program import (
    AllocateParams,
    AssignParams,
    CreateAccountParams,
    TransferParams,
    allocate,
    assign,
    create_account,
    transfer,
)

from orderd.simnet.account import rent_exempt_minimum
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import AccountUse, Call, Invocation
from orderd.solana.programs import associated_token, system, token
from orderd.solana.programs.associated_token import ACCOUNT, MINT, OWNER, PAYER, TOKEN_PROGRAM
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import TokenAccount


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    match invocation.data:
        case b"" | associated_token.CREATE:
            invocation.log("Create")
            _create(invocation, idempotent=False)
        case associated_token.CREATE_IDEMPOTENT:
            invocation.log("CreateIdempotent")
            _create(invocation, idempotent=True)
        case _:
            raise InstructionError("InvalidInstructionData")


def _create(invocation: Invocation, *, idempotent: bool) -> None:
    invocation.require(6)
    invocation.consume(3_500)
    owner, mint, program = invocation.key(OWNER), invocation.key(MINT), invocation.key(TOKEN_PROGRAM)
    if invocation.key(ACCOUNT) != associated_token.address(owner, mint, program):
        invocation.log("Error: Associated address does not match seed derivation")
        raise InstructionError("InvalidSeeds")
    existing = invocation.account(ACCOUNT)
    if idempotent:
        invocation.consume(900)
        if existing.owner == program:
            _check_existing(invocation, existing.data, owner, mint)
            return
    if existing.owner != system.PROGRAM_ID:
        raise InstructionError("IllegalOwner")
    invocation.consume(2_000)
    size = int.from_bytes(invocation.invoke(*_ask_size(mint, program)), "little")
    invocation.consume(4_700)
    _make_account(invocation, rent_exempt_minimum(size), size, program)
    invocation.log("Initialize the associated token account")
    account = invocation.key(ACCOUNT)
    invocation.invoke(*_fix_owner(account, program))
    invocation.consume(2_700)
    invocation.invoke(*_initialize(account, mint, owner, program))


# Cached: each trade creates its wallet's wrapped-SOL account again, with the same instructions.


@lru_cache(maxsize=64)
def _ask_size(mint: Pubkey, program: Pubkey) -> Call:
    return Call(program, [AccountUse(mint, is_signer=False, is_writable=False)], b"\x15\x07\x00")


@lru_cache(maxsize=64)
def _fix_owner(account: Pubkey, program: Pubkey) -> Call:
    return Call(program, [AccountUse(account, is_signer=False, is_writable=True)], b"\x16")


@lru_cache(maxsize=64)
def _initialize(account: Pubkey, mint: Pubkey, owner: Pubkey, program: Pubkey) -> Call:
    return Call.of(token.initialize_account3(account, mint, owner, program))


@lru_cache(maxsize=64)
def _make(payer: Pubkey, account: Pubkey, lamports: int, space: int, program: Pubkey) -> Call:
    params = CreateAccountParams(from_pubkey=payer, to_pubkey=account, lamports=lamports, space=space, owner=program)
    return Call.of(create_account(params))


def _check_existing(invocation: Invocation, data: bytes, owner: Pubkey, mint: Pubkey) -> None:
    try:
        account = decoded(TokenAccount, data)
    except LayoutError as error:
        raise InstructionError("IllegalOwner") from error
    if account.owner != owner:
        invocation.log("Associated token account owner does not match address derivation")
        raise InstructionError(associated_token.INVALID_OWNER)
    if account.mint != mint:
        raise InstructionError("InvalidAccountData")


def _make_account(invocation: Invocation, lamports: int, space: int, program: Pubkey) -> None:
    """Create the derived account. If it already has lamports, top it up, allocate and assign it instead."""
    payer, account = invocation.key(PAYER), invocation.key(ACCOUNT)
    has = invocation.account(ACCOUNT).lamports
    if has == 0:
        invocation.invoke(*_make(payer, account, lamports, space, program), signed_by={account})
        return
    if has < lamports:
        invocation.call(transfer(TransferParams(from_pubkey=payer, to_pubkey=account, lamports=lamports - has)))
    invocation.call(allocate(AllocateParams(pubkey=account, space=space)), signed_by={account})
    invocation.call(assign(AssignParams(pubkey=account, owner=program)), signed_by={account})
