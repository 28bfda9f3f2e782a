"""An account on the chain, and the lamports that it must hold to be rent-exempt."""

from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.solana.programs import system, token

ACCOUNT_OVERHEAD: Final = 128
LAMPORTS_PER_BYTE: Final = 6_960


class LedgerAccount(NamedTuple):
    """An account's state. Immutable, so that a view of an earlier slot only keeps a reference to it. ``lamports`` are
    base units of SOL."""

    lamports: int
    owner: Pubkey
    data: bytes = b""
    executable: bool = False


MISSING: Final = LedgerAccount(0, system.PROGRAM_ID)
"""What a program sees at an address that has no account."""


TOKEN_PROGRAMS: Final = token.PROGRAM_IDS
"""The programs whose accounts are mints and token accounts."""


def rent_exempt_minimum(size: int) -> int:
    """Lamports that an account of ``size`` bytes must hold. Source: Rent::minimum_balance with the cluster's
    parameters."""
    return (ACCOUNT_OVERHEAD + size) * LAMPORTS_PER_BYTE
