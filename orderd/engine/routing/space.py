"""The room in a transaction for swaps: compute units and bytes, less what every trade takes in addition to its
swaps."""

from functools import lru_cache
from typing import Final

from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.domain import memo
from orderd.solana.attempt import draft_attempt
from orderd.solana.programs import token
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.transaction import TransactionVersion
from orderd.solana.wrap import swap_with_accounts

UNITS_AROUND: Final = 90_000
"""Maximum compute units for wrapping, unwrapping, token accounts and the memo, in addition to the swaps."""
UNITS_OF_SWAPS: Final = MAX_COMPUTE_UNITS - UNITS_AROUND
MAX_MEMO: Final = "0" * memo.LENGTH

_ADDRESS: Final = 32
_ANYBODY: Final = Pubkey.from_bytes(b"\x01" * 32)


@lru_cache(maxsize=1_024)
def bytes_of_swaps(mint_in: str, mint_out: str, version: TransactionVersion) -> int:
    """Maximum bytes for the swaps of a trade between two mints, in a transaction of this version."""
    mints = [Pubkey.from_string(mint) for mint in (mint_in, mint_out)]
    around = swap_with_accounts([], _ANYBODY, mints[0], [(mints[1], token.PROGRAM_ID)], 1)
    drafted = draft_attempt(MAX_MEMO, around, _ANYBODY, Hash.default(), unit_price=1, version=version)
    source = 0 if mints[0] == token.NATIVE_MINT else _ADDRESS  # Where SOL is sold, wrapping names it.
    return version.max_size - len(drafted.unsigned) - source
