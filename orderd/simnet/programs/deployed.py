"""The program accounts of binaries, as a validator has them, so that clients can read what is deployed."""

from collections.abc import Iterator, Mapping
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.solana.deployments import (
    FIXED_LOADER,
    HEADER_SIZE,
    LOADER,
    program_account_data,
    program_data,
    program_data_address,
)
from orderd.solana.pool_programs import pool_programs

HANDLED: Final = LedgerAccount(rent_exempt_minimum(36), FIXED_LOADER, bytes(36), executable=True)
"""The account of a program that a native handler implements: it holds no binary."""


def deployed(
    accounts: Mapping[Pubkey, LedgerAccount], binaries: Mapping[Pubkey, bytes], slot: int
) -> dict[Pubkey, LedgerAccount | None]:
    """The changes to ``accounts`` that deploy these binaries. A binary that has changed is deployed at ``slot``."""
    wanted: dict[Pubkey, LedgerAccount | None] = {}
    for program in dict.fromkeys([*binaries, *(each.ids["simnet"] for each in pool_programs())]):
        wanted |= dict(_of(program, accounts, binaries.get(program), slot))
    return {key: account for key, account in wanted.items() if accounts.get(key) != account}


def _of(
    program: Pubkey, accounts: Mapping[Pubkey, LedgerAccount], binary: bytes | None, slot: int
) -> Iterator[tuple[Pubkey, LedgerAccount | None]]:
    where = program_data_address(program)
    if binary is None:
        yield program, HANDLED
        yield where, None
        return
    code = program_account_data(program)
    yield program, LedgerAccount(rent_exempt_minimum(len(code)), LOADER, code, executable=True)
    before = accounts.get(where)
    if before is None or before.data[HEADER_SIZE:] != binary:
        data = program_data(slot, binary)
        yield where, LedgerAccount(rent_exempt_minimum(len(data)), LOADER, data)
