"""The Associated Token Account program: derives the address of an owner's token account for a mint.

Layout: solana-program/associated-token-account, ``program/src/instruction.rs``.
"""

from functools import lru_cache
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs import system, token
from orderd.solana.programs.metas import readonly, signer, writable

PROGRAM_ID: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")

CREATE: Final = b"\x00"
CREATE_IDEMPOTENT: Final = b"\x01"
INVALID_OWNER: Final = 0
ERRORS: Final = {INVALID_OWNER: "InvalidOwner"}

# Account indices of both instructions.
PAYER, ACCOUNT, OWNER, MINT, SYSTEM_PROGRAM, TOKEN_PROGRAM = range(6)


@lru_cache(maxsize=4096)
def address(owner: Pubkey, mint: Pubkey, token_program: Pubkey = token.PROGRAM_ID) -> Pubkey:
    """The address of the associated account of ``owner`` for ``mint``."""
    return Pubkey.find_program_address([bytes(owner), bytes(token_program), bytes(mint)], PROGRAM_ID)[0]


def create_idempotent(
    payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey = token.PROGRAM_ID
) -> Instruction:
    """Create the account if it does not exist; ``payer`` signs and pays the rent."""
    accounts = [
        signer(payer, writable=True),
        writable(address(owner, mint, token_program)),
        readonly(owner),
        readonly(mint),
        readonly(system.PROGRAM_ID),
        readonly(token_program),
    ]
    return Instruction(PROGRAM_ID, CREATE_IDEMPOTENT, accounts)
