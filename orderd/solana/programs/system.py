"""The System program: lamports and the creation of accounts. Instructions come from solders.system_program."""

from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID, CreateAccountWithSeedParams, TransferParams
from solders.system_program import create_account_with_seed as _create_account_with_seed
from solders.system_program import transfer as _transfer

PROGRAM_ID: Final = ID

INSUFFICIENT_FUNDS: Final = 1
"""Custom error ResultWithNegativeLamports: the account has too few lamports for the transfer."""

ERRORS: Final = {
    0: "AccountAlreadyInUse",
    1: "ResultWithNegativeLamports",
    2: "InvalidProgramId",
    3: "InvalidAccountDataLength",
    4: "MaxSeedLengthExceeded",
    5: "AddressWithSeedMismatch",
}


def transfer(source: Pubkey, destination: Pubkey, lamports: int) -> Instruction:
    """Move lamports between system accounts; ``source`` signs."""
    return _transfer(TransferParams(from_pubkey=source, to_pubkey=destination, lamports=lamports))


def create_account_with_seed(
    payer: Pubkey, account: Pubkey, seed: str, lamports: int, size: int, owner: Pubkey
) -> Instruction:
    """Create an account of ``size`` bytes for the program ``owner``, at the address derived from ``payer`` and
    ``seed``; ``payer`` signs."""
    return _create_account_with_seed(
        CreateAccountWithSeedParams(
            from_pubkey=payer,
            to_pubkey=account,
            base=payer,
            seed=seed,
            lamports=lamports,
            space=size,
            owner=owner,
        )
    )
