"""Deployed programs: the slot of their deployment, and their binary.

An upgradeable program's account names its ProgramData account, which holds a header of 45 bytes (the state 3 as u32,
the slot of the deployment as u64, the upgrade authority as an optional key) and then the binary. A program of the
previous loader holds its binary itself and can never change. Source: solana-program, ``bpf_loader_upgradeable.rs``.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.solana.rpc import RpcClient
from orderd.solana.rpc_types import ChainAccount

LOADER: Final = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
FIXED_LOADER: Final = Pubkey.from_string("BPFLoader2111111111111111111111111111111111")
HEADER_SIZE: Final = 45
_PROGRAM_STATE, _PROGRAM_DATA_STATE = 2, 3
_ELF: Final = b"\x7fELF"


class Binary(NamedTuple):
    """A program's binary, and the slot of its deployment."""

    slot: int
    elf: bytes


def program_data_address(program_id: Pubkey) -> Pubkey:
    """The address of the ProgramData account of an upgradeable program."""
    return Pubkey.find_program_address([bytes(program_id)], LOADER)[0]


def program_account_data(program_id: Pubkey) -> bytes:
    """The account data of an upgradeable program."""
    return struct.pack("<I", _PROGRAM_STATE) + bytes(program_data_address(program_id))


def program_data(slot: int, elf: bytes) -> bytes:
    """The data of a ProgramData account without an upgrade authority."""
    return struct.pack("<IQ", _PROGRAM_DATA_STATE, slot).ljust(HEADER_SIZE, b"\0") + elf


def deployed_slots(rpc: RpcClient, programs: Iterable[Pubkey]) -> dict[Pubkey, int]:
    """The deployment slot of each program; programs that are not deployed are omitted. Raises RpcError.

    Reads only the headers, because binaries have megabytes.
    """
    wanted = list(dict.fromkeys(programs))
    return {
        program: slot
        for program, (account, data) in _accounts(rpc, wanted, HEADER_SIZE).items()
        if (slot := _slot(account, data)) is not None
    }


def binary(rpc: RpcClient, program: Pubkey) -> Binary | None:
    """A program's binary; None if it is not deployed, or not an ELF file. Raises RpcError."""
    account, data = _accounts(rpc, [program], None)[program]
    slot = _slot(account, data)
    if slot is None or account is None:
        return None
    elf = account.data if data is None or account.owner == FIXED_LOADER else data.data[HEADER_SIZE:]
    return Binary(slot, elf) if elf.startswith(_ELF) else None


def _accounts(
    rpc: RpcClient, programs: list[Pubkey], head: int | None
) -> Mapping[Pubkey, tuple[ChainAccount | None, ChainAccount | None]]:
    """For each program its account and its ProgramData account: whole, or their first ``head`` bytes."""
    keys = [*programs, *map(program_data_address, programs)]
    found = rpc.get_multiple_accounts(keys, head=head).value
    return dict(zip(programs, zip(found[: len(programs)], found[len(programs) :], strict=True), strict=True))


def _slot(account: ChainAccount | None, data: ChainAccount | None) -> int | None:
    """The deployment slot; None if there is no such program, 0 for a program that cannot be upgraded."""
    if account is None:
        return None
    if account.owner == FIXED_LOADER:
        return 0
    if account.owner != LOADER or data is None or data.owner != LOADER or len(data.data) < HEADER_SIZE:
        return None
    state, slot = struct.unpack_from("<IQ", data.data)
    return int(slot) if state == _PROGRAM_DATA_STATE else None
