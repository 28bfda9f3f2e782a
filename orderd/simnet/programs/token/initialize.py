"""Initializes mints and token accounts in allocated accounts. All functions raise InstructionError."""

from dataclasses import replace

from solders.pubkey import Pubkey

from orderd.simnet.account import rent_exempt_minimum
from orderd.simnet.codec import decoded, encoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs.token.checks import mint_of
from orderd.simnet.programs.token.errors import ALREADY_IN_USE, INVALID_INSTRUCTION, INVALID_MINT, NOT_RENT_EXEMPT
from orderd.simnet.programs.token.extensions import added_to, with_fixed_owner
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import AccountState, Mint, OptionalKey, TokenAccount


def initialize_mint(invocation: Invocation) -> None:
    invocation.require(2 if invocation.data[0] == 0 else 1)
    data = invocation.data[1:]
    has_freeze = data[33:34]
    if (has_freeze, len(data)) not in ((b"\0", 34), (b"\1", 66)):
        raise InstructionError(INVALID_INSTRUCTION)
    account = invocation.account(0)
    if mint_of(invocation, 0).is_initialized:
        raise InstructionError(ALREADY_IN_USE)
    if account.lamports < rent_exempt_minimum(len(account.data)):
        raise InstructionError(NOT_RENT_EXEMPT)
    freeze = Pubkey.from_bytes(data[34:]) if has_freeze == b"\1" else None
    mint = Mint.new(data[0], authority=Pubkey.from_bytes(data[1:33]))
    invocation.store_data(0, encoded(replace(mint, freeze_authority=OptionalKey.of(freeze))))


def initialize_account(invocation: Invocation) -> None:
    """All three instructions: the owner is an account (tag 1), or in the data, with the rent sysvar (16) or without it
    (18)."""
    tag = invocation.data[0]
    invocation.require({1: 4, 16: 3, 18: 2}[tag])
    if tag != 1 and len(invocation.data) < 33:
        raise InstructionError(INVALID_INSTRUCTION)
    owner = invocation.key(2) if tag == 1 else Pubkey.from_bytes(invocation.data[1:33])
    account = invocation.account(0)
    blank = _blank(invocation)
    reserve = rent_exempt_minimum(len(account.data))
    if account.lamports < reserve:
        raise InstructionError(NOT_RENT_EXEMPT)
    mint = invocation.key(1)
    if mint == token.NATIVE_MINT:
        state = TokenAccount.new(mint, owner, account.lamports - reserve, native_rent=reserve)
    else:
        if invocation.account(1).owner != invocation.program_id:
            raise InstructionError("IncorrectProgramId")
        try:
            of = decoded(Mint, invocation.account(1).data)
            if not of.is_initialized:
                raise InstructionError(INVALID_MINT)
            added = added_to(of, blank)
        except LayoutError as error:
            raise InstructionError(INVALID_MINT) from error
        state = replace(TokenAccount.new(mint, owner), extensions=added)
    invocation.store_data(0, encoded(state))


def get_account_data_size(invocation: Invocation) -> None:
    invocation.require(1)
    if invocation.account(0).owner != invocation.program_id:
        raise InstructionError("IncorrectProgramId")
    try:
        size = decoded(Mint, invocation.account(0).data).account_size(invocation.program_id)
    except LayoutError as error:
        raise InstructionError(INVALID_MINT) from error
    invocation.return_data = size.to_bytes(8, "little")


def initialize_immutable_owner(invocation: Invocation) -> None:
    invocation.require(1)
    blank = _blank(invocation)
    if invocation.program_id == token.TOKEN_2022_PROGRAM_ID:
        invocation.store_data(0, with_fixed_owner(blank))


def _blank(invocation: Invocation) -> bytes:
    """The bytes of an account that is not initialized yet."""
    data = invocation.account(0).data
    is_plain = invocation.program_id == token.PROGRAM_ID
    if len(data) < token.ACCOUNT_SIZE or (is_plain and len(data) != token.ACCOUNT_SIZE):
        raise InstructionError("InvalidAccountData")
    if decoded(TokenAccount, data).state != AccountState.UNINITIALIZED:
        raise InstructionError(ALREADY_IN_USE)
    return data
