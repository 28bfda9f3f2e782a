"""An account of the chain, and the lamports it must hold to stay there."""

from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.solana.programs import system, token

ACCOUNT_OVERHEAD: Final = 128
LAMPORTS_A_BYTE: Final = 6_960


class LedgerAccount(NamedTuple):
    """Immutable, so that a view of the past costs nothing but a reference. ``lamports`` are base units of SOL."""

    lamports: int
    owner: Pubkey
    data: bytes = b""
    executable: bool = False


MISSING: Final = LedgerAccount(0, system.PROGRAM_ID)
"""How a program sees an address where nothing is."""


TOKEN_PROGRAMS: Final = token.PROGRAM_IDS
"""Whose accounts are mints and token accounts."""


def rent_exempt_minimum(size: int) -> int:
    """Lamports an account of ``size`` bytes must hold. Source: Rent::minimum_balance with the cluster's parameters."""
    return (ACCOUNT_OVERHEAD + size) * LAMPORTS_A_BYTE
