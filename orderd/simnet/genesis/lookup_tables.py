"""Address lookup tables of the first block, one per venue with the accounts of its pools. No program of simnet makes or
changes tables, so their content is constant. Layout: anza-xyz/solana-sdk,
``address-lookup-table-interface/src/state.rs``.
"""

import struct
from collections.abc import Mapping
from functools import cache
from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.simnet.account import TOKEN_PROGRAMS, LedgerAccount, rent_exempt_minimum
from orderd.simnet.genesis.accounts import FirstAccounts
from orderd.simnet.transaction import Transaction, decode
from orderd.solana.lookup_tables import PROGRAM_ID
from orderd.solana.pool_programs import part, program_of

MAX_ADDRESSES: Final = 256
"""Maximum addresses per table: the index is one byte."""
_HEAD: Final = struct.pack("<IQQB35x", 1, (1 << 64) - 1, 0, 0)
"""A table that is active, was never extended, and has no authority."""


def table_of(venue: VenueName) -> Pubkey:
    """The address of the venue's table."""
    return Pubkey.find_program_address([b"simnet", venue.encode()], PROGRAM_ID)[0]


@cache
def tables() -> Mapping[Pubkey, tuple[Pubkey, ...]]:
    """The addresses in each table, by the table's address."""
    return {table_of(venue): _addresses(venue) for venue in VenueName}


def accounts() -> dict[Pubkey, LedgerAccount]:
    """The tables' accounts."""
    found = {}
    for table, addresses in tables().items():
        data = _HEAD + b"".join(map(bytes, addresses))
        found[table] = LedgerAccount(rent_exempt_minimum(len(data)), PROGRAM_ID, data)
    return found


def read(raw: bytes) -> Transaction:
    """Decode a transaction that may use these tables. Raises the errors of ``decode``."""
    return decode(raw, tables())


def _addresses(venue: VenueName) -> tuple[Pubkey, ...]:
    """The mints, then the accounts of the venue's pools in the first block."""
    first = FirstAccounts(0)
    first.mints()
    before = set(first.accounts)
    kinds = [kind for kind in PoolKind if program_of(kind).venue is venue]
    for kind in kinds:
        for pool in part(kind, "simnet.genesis").POOLS:
            pool.add(first)
    owners = {*TOKEN_PROGRAMS, *(program_of(kind).ids["simnet"] for kind in kinds)}
    mine = [key for key, account in first.accounts.items() if key not in before and account.owner in owners]
    return tuple(sorted(before, key=bytes) + mine)[:MAX_ADDRESSES]
