"""Lookup tables of the first block, one per venue, of the accounts of its pools: a transaction names them by number.

No program of the local chain makes or changes tables, so what they hold is known for good. Layout: anza-xyz/solana-sdk,
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
from orderd.solana.pool_programs import part, program_of

PROGRAM_ID: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
MOST: Final = 256
"""Addresses per table: one byte is the index."""
_HEAD: Final = struct.pack("<IQQB35x", 1, (1 << 64) - 1, 0, 0)
"""In use, never extended, frozen."""


def table_of(venue: VenueName) -> Pubkey:
    """Where the venue's table is."""
    return Pubkey.find_program_address([b"simnet", venue.encode()], PROGRAM_ID)[0]


@cache
def tables() -> Mapping[Pubkey, tuple[Pubkey, ...]]:
    """The addresses in each table, by where the table is."""
    return {table_of(venue): _addresses(venue) for venue in VenueName}


def accounts() -> dict[Pubkey, LedgerAccount]:
    """The tables as the chain has them."""
    found = {}
    for table, addresses in tables().items():
        data = _HEAD + b"".join(map(bytes, addresses))
        found[table] = LedgerAccount(rent_exempt_minimum(len(data)), PROGRAM_ID, data)
    return found


def read(raw: bytes) -> Transaction:
    """A transaction, whose accounts may be named by these tables. Raises as ``decode`` does."""
    return decode(raw, tables())


def _addresses(venue: VenueName) -> tuple[Pubkey, ...]:
    """What the pools of a first block consist of, but for the mints, which are there before them."""
    first = FirstAccounts(0)
    first.mints()
    before = set(first.accounts)
    kinds = [kind for kind in PoolKind if program_of(kind).venue is venue]
    for kind in kinds:
        for pool in part(kind, "simnet.genesis").POOLS:
            pool.add(first)
    owners = {*TOKEN_PROGRAMS, *(program_of(kind).ids["simnet"] for kind in kinds)}
    mine = [key for key, account in first.accounts.items() if key not in before and account.owner in owners]
    return tuple(sorted(before, key=bytes) + mine)[:MOST]
