"""The SPL Token program: mints, accounts, transfers, wrapped SOL. No multisig owners, no freezing.

Source: solana-program/token, ``program/src/processor.rs`` and ``pinocchio/program``. Compute units as measured on the
latter, which clusters run.
"""

from collections.abc import Callable, Collection
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.errors import InstructionError, RuntimeViolationError
from orderd.simnet.invoke import AccountUse, Invocation
from orderd.simnet.programs.token import authority, balances, initialize
from orderd.simnet.programs.token.errors import INVALID_INSTRUCTION, TEXT
from orderd.solana.programs.token import TransferChecked

TRANSFER_UNITS: Final = 76
TRANSFER_CHECKED_UNITS: Final = 105
_UNITS_OF_FAILURE: Final = 200


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    if not invocation.data:
        raise InstructionError(INVALID_INSTRUCTION)
    handler, units = _HANDLERS.get(invocation.data[0], (_unknown, _UNITS_OF_FAILURE))
    invocation.consume(units)
    try:
        handler(invocation)
    except RuntimeViolationError:
        raise
    except InstructionError as error:
        invocation.log(f"Error: {TEXT[error.code] if isinstance(error.code, int) else error.code}")
        raise


def transfer_checked(
    invocation: Invocation,
    source: Pubkey,
    mint: Pubkey,
    destination: Pubkey,
    authority: Pubkey,
    amount: int,
    decimals: int,
    program: Pubkey,
    signed_by: Collection[Pubkey | None] = (),
) -> None:
    """Call a token program with the instruction of ``orderd.solana.programs.token.transfer_checked``. Raises

    InstructionError."""
    uses = (
        AccountUse(source, is_signer=False, is_writable=True),
        AccountUse(mint, is_signer=False, is_writable=False),
        AccountUse(destination, is_signer=False, is_writable=True),
        AccountUse(authority, is_signer=True, is_writable=False),
    )
    invocation.invoke(program, uses, TransferChecked(amount, decimals).encode(), signed_by)


def _unknown(_: Invocation) -> None:
    raise InstructionError(INVALID_INSTRUCTION)


_HANDLERS: Final[dict[int, tuple[Callable[[Invocation], None], int]]] = {
    0: (initialize.initialize_mint, 210),
    1: (initialize.initialize_account, 250),
    3: (balances.transfer, TRANSFER_UNITS),
    4: (authority.approve, 126),
    5: (authority.revoke, 108),
    6: (authority.set_authority, 127),
    7: (balances.mint_to, 119),
    8: (balances.burn, 123),
    9: (balances.close_account, 120),
    12: (balances.transfer, TRANSFER_CHECKED_UNITS),
    13: (authority.approve, 164),
    14: (balances.mint_to, 165),
    15: (balances.burn, 168),
    16: (initialize.initialize_account, 240),
    17: (balances.sync_native, 150),
    18: (initialize.initialize_account, 235),
    20: (initialize.initialize_mint, 201),
    21: (initialize.get_account_data_size, 183),
    22: (initialize.initialize_immutable_owner, 38),
}
"""By instruction tag: the handler, and the compute units of a successful run."""
