"""What programs written with Anchor share: their checks of accounts, and the log lines of their errors.

Source: coral-xyz/anchor, ``lang/src/error.rs``.
"""

from typing import Final, TypeVar

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from orderd.simnet.account import TOKEN_PROGRAMS
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.solana.programs import system
from orderd.solana.programs.layout import LayoutError, Record
from orderd.solana.programs.token import AccountState, Mint, TokenAccount

R = TypeVar("R", bound=Record)

INSTRUCTION_FALLBACK_NOT_FOUND: Final = ("InstructionFallbackNotFound", 101)
CONSTRAINT_MUT: Final = ("ConstraintMut", 2000)
CONSTRAINT_HAS_ONE: Final = ("ConstraintHasOne", 2001)
CONSTRAINT_RAW: Final = ("ConstraintRaw", 2003)
CONSTRAINT_SEEDS: Final = ("ConstraintSeeds", 2006)
CONSTRAINT_ADDRESS: Final = ("ConstraintAddress", 2012)
CONSTRAINT_TOKEN_MINT: Final = ("ConstraintTokenMint", 2014)
CONSTRAINT_TOKEN_TOKEN_PROGRAM: Final = ("ConstraintTokenTokenProgram", 2021)
REQUIRE_EQ_VIOLATED: Final = ("RequireEqViolated", 2501)
REQUIRE_KEYS_EQ_VIOLATED: Final = ("RequireKeysEqViolated", 2502)
REQUIRE_GT_VIOLATED: Final = ("RequireGtViolated", 2505)
ACCOUNT_DISCRIMINATOR_MISMATCH: Final = ("AccountDiscriminatorMismatch", 3002)
ACCOUNT_DID_NOT_DESERIALIZE: Final = ("AccountDidNotDeserialize", 3003)
ACCOUNT_NOT_ENOUGH_KEYS: Final = ("AccountNotEnoughKeys", 3005)
ACCOUNT_NOT_MUTABLE: Final = ("AccountNotMutable", 3006)
ACCOUNT_OWNED_BY_WRONG_PROGRAM: Final = ("AccountOwnedByWrongProgram", 3007)
INVALID_PROGRAM_ID: Final = ("InvalidProgramId", 3008)
ACCOUNT_NOT_SIGNER: Final = ("AccountNotSigner", 3010)
ACCOUNT_NOT_INITIALIZED: Final = ("AccountNotInitialized", 3012)

_EVENT_TAG: Final = bytes.fromhex("e445a52e51cb9a1d")
"""The prefix of the data of a call that records an event: ``lang/src/event.rs``."""


def error(invocation: Invocation, name: str, code: int) -> InstructionError:
    """Log an error of the program's handler as Anchor does, and return it for the caller to raise."""
    invocation.log(f"AnchorError occurred. Error Code: {name}. Error Number: {code}. Error Message: {name}.")
    return InstructionError(code)


def account_error(invocation: Invocation, account: str, name: str, code: int) -> InstructionError:
    """Log an error about an account, by its name in the program, and return it for the caller to raise."""
    invocation.log(
        f"AnchorError caused by account: {account}. Error Code: {name}. Error Number: {code}. Error Message: {name}."
    )
    return InstructionError(code)


def is_event(invocation: Invocation) -> bool:
    """Whether the program called itself only to record an event."""
    return invocation.data.startswith(_EVENT_TAG)


def emit(invocation: Invocation, event: bytes, authority: Pubkey) -> None:
    """Send an event, with its discriminator, to the program itself, so that it is recorded among the inner
    instructions. ``authority`` is the program's address for signing events."""
    signer = AccountMeta(authority, is_signer=True, is_writable=False)
    invocation.call(Instruction(invocation.program_id, _EVENT_TAG + event, [signer]), signed_by={authority})


def panic(invocation: Invocation, why: str) -> InstructionError:
    """Log a panic, and return the error for the caller to raise."""
    invocation.log(f"panicked: {why}")
    return InstructionError("ProgramFailedToComplete", "SBF program panicked")


def load(invocation: Invocation, index: int, layout: type[R], name: str) -> R:
    """Decode an account of the program. Raises InstructionError if another program owns it or it has another type."""
    account = invocation.account(index)
    if account.owner == system.PROGRAM_ID and account.lamports == 0:
        raise account_error(invocation, name, *ACCOUNT_NOT_INITIALIZED)
    if account.owner != invocation.program_id:
        raise account_error(invocation, name, *ACCOUNT_OWNED_BY_WRONG_PROGRAM)
    if not account.data.startswith(layout.DISCRIMINATOR):
        raise account_error(invocation, name, *ACCOUNT_DISCRIMINATOR_MISMATCH)
    try:
        return decoded(layout, account.data)
    except LayoutError as failure:
        raise account_error(invocation, name, *ACCOUNT_DID_NOT_DESERIALIZE) from failure


def token_account(invocation: Invocation, index: int, name: str) -> TokenAccount:
    """Decode a token account. Raises InstructionError if the account is not one."""
    state = _token_program_account(invocation, index, name, TokenAccount)
    if state.state == AccountState.UNINITIALIZED:
        raise account_error(invocation, name, *ACCOUNT_DID_NOT_DESERIALIZE)
    return state


def mint(invocation: Invocation, index: int, name: str) -> Mint:
    """Decode a mint. Raises InstructionError if the account is not one."""
    state = _token_program_account(invocation, index, name, Mint)
    if not state.is_initialized:
        raise account_error(invocation, name, *ACCOUNT_DID_NOT_DESERIALIZE)
    return state


def _token_program_account(invocation: Invocation, index: int, name: str, layout: type[R]) -> R:
    account = invocation.account(index)
    if account.owner == system.PROGRAM_ID and account.lamports == 0:
        raise account_error(invocation, name, *ACCOUNT_NOT_INITIALIZED)
    if account.owner not in TOKEN_PROGRAMS:
        raise account_error(invocation, name, *ACCOUNT_OWNED_BY_WRONG_PROGRAM)
    try:
        return decoded(layout, account.data)
    except LayoutError as failure:
        raise account_error(invocation, name, *ACCOUNT_DID_NOT_DESERIALIZE) from failure
