"""The System program: transfers lamports and creates accounts.

Source: agave ``programs/system/src/system_processor.rs``. Each instruction costs 150 compute units.
"""

import struct
from collections.abc import Callable
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.solana.programs import system

UNITS: Final = 150
MAX_ACCOUNT_SIZE: Final = 10 * 1_024 * 1_024
MAX_SEED: Final = 32

ALREADY_IN_USE, INSUFFICIENT_LAMPORTS, _, INVALID_LENGTH, SEED_TOO_LONG, SEED_MISMATCH = range(6)


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    invocation.consume(UNITS)
    reader = _Reader(invocation.data)
    handler = _HANDLERS.get(reader.u32())
    if handler is None:
        raise InstructionError("InvalidInstructionData")
    handler(invocation, reader)


def _require(invocation: Invocation, count: int) -> None:
    if len(invocation.uses) < count:
        raise InstructionError("MissingAccount")


class _Reader:
    """Reads bincode: little-endian integers, keys, and strings with a 64-bit length."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise InstructionError("InvalidInstructionData")
        return self.data[start : self.at]

    def u32(self) -> int:
        return int(struct.unpack("<I", self.take(4))[0])

    def u64(self) -> int:
        return int(struct.unpack("<Q", self.take(8))[0])

    def key(self) -> Pubkey:
        return Pubkey.from_bytes(self.take(32))

    def string(self) -> str:
        try:
            return self.take(self.u64()).decode()
        except UnicodeDecodeError as error:
            raise InstructionError("InvalidInstructionData") from error


def _create_account(invocation: Invocation, reader: _Reader) -> None:
    lamports, space, owner = reader.u64(), reader.u64(), reader.key()
    _require(invocation, 2)
    _create(invocation, lamports, space, owner, signed=invocation.is_signer(1))


def _create_account_with_seed(invocation: Invocation, reader: _Reader) -> None:
    base, seed, lamports, space, owner = reader.key(), reader.string(), reader.u64(), reader.u64(), reader.key()
    _require(invocation, 2)
    _check_seed(invocation, 1, base, seed, owner)
    _create(invocation, lamports, space, owner, signed=_signs(invocation, base), base=base)


def _create(
    invocation: Invocation, lamports: int, space: int, owner: Pubkey, *, signed: bool, base: Pubkey | None = None
) -> None:
    if invocation.account(1).lamports > 0:
        invocation.runtime_log(f"Create Account: account {_address(invocation, 1, base)} already in use")
        raise InstructionError(ALREADY_IN_USE)
    _allocate_space(invocation, 1, space, signed=signed, base=base)
    _assign_owner(invocation, 1, owner, signed=signed, base=base)
    _transfer_lamports(invocation, 0, 1, lamports)


def _assign(invocation: Invocation, reader: _Reader) -> None:
    owner = reader.key()
    _require(invocation, 1)
    _assign_owner(invocation, 0, owner, signed=invocation.is_signer(0))


def _assign_with_seed(invocation: Invocation, reader: _Reader) -> None:
    base, seed, owner = reader.key(), reader.string(), reader.key()
    _require(invocation, 1)
    _check_seed(invocation, 0, base, seed, owner)
    _assign_owner(invocation, 0, owner, signed=_signs(invocation, base), base=base)


def _allocate(invocation: Invocation, reader: _Reader) -> None:
    space = reader.u64()
    _require(invocation, 1)
    _allocate_space(invocation, 0, space, signed=invocation.is_signer(0))


def _allocate_with_seed(invocation: Invocation, reader: _Reader) -> None:
    base, seed, space, owner = reader.key(), reader.string(), reader.u64(), reader.key()
    _require(invocation, 1)
    _check_seed(invocation, 0, base, seed, owner)
    signed = _signs(invocation, base)
    _allocate_space(invocation, 0, space, signed=signed, base=base)
    _assign_owner(invocation, 0, owner, signed=signed, base=base)


def _transfer(invocation: Invocation, reader: _Reader) -> None:
    lamports = reader.u64()
    _require(invocation, 2)
    _transfer_lamports(invocation, 0, 1, lamports)


def _transfer_with_seed(invocation: Invocation, reader: _Reader) -> None:
    lamports, seed, owner = reader.u64(), reader.string(), reader.key()
    _require(invocation, 3)
    if not invocation.is_signer(1):
        invocation.runtime_log(f"Transfer: 'from' account {invocation.key(1)} must sign")
        raise InstructionError("MissingRequiredSignature")
    derived = _with_seed(invocation.key(1), seed, owner)
    if invocation.key(0) != derived:
        invocation.runtime_log(f"Transfer: 'from' address {invocation.key(0)} does not match derived address {derived}")
        raise InstructionError(SEED_MISMATCH)
    _move(invocation, 0, 2, lamports)


def _transfer_lamports(invocation: Invocation, source: int, destination: int, lamports: int) -> None:
    if not invocation.is_signer(source):
        invocation.runtime_log(f"Transfer: `from` account {invocation.key(source)} must sign")
        raise InstructionError("MissingRequiredSignature")
    _move(invocation, source, destination, lamports)


def _move(invocation: Invocation, source: int, destination: int, lamports: int) -> None:
    payer = invocation.account(source)
    if payer.data:
        invocation.runtime_log("Transfer: `from` must not carry data")
        raise InstructionError("InvalidArgument")
    if lamports > payer.lamports:
        invocation.runtime_log(f"Transfer: insufficient lamports {payer.lamports}, need {lamports}")
        raise InstructionError(INSUFFICIENT_LAMPORTS)
    invocation.store_lamports(source, payer.lamports - lamports)
    total = invocation.account(destination).lamports + lamports
    if total >= 1 << 64:
        raise InstructionError("ArithmeticOverflow")
    invocation.store_lamports(destination, total)


def _allocate_space(
    invocation: Invocation, index: int, space: int, *, signed: bool, base: Pubkey | None = None
) -> None:
    if not signed:
        invocation.runtime_log(f"Allocate: 'to' account {_address(invocation, index, base)} must sign")
        raise InstructionError("MissingRequiredSignature")
    account = invocation.account(index)
    if account.data or account.owner != system.PROGRAM_ID:
        invocation.runtime_log(f"Allocate: account {_address(invocation, index, base)} already in use")
        raise InstructionError(ALREADY_IN_USE)
    if space > MAX_ACCOUNT_SIZE:
        invocation.runtime_log(f"Allocate: requested {space}, max allowed {MAX_ACCOUNT_SIZE}")
        raise InstructionError(INVALID_LENGTH)
    invocation.store_data(index, bytes(space))


def _assign_owner(
    invocation: Invocation, index: int, owner: Pubkey, *, signed: bool, base: Pubkey | None = None
) -> None:
    if invocation.account(index).owner == owner:
        return
    if not signed:
        invocation.runtime_log(f"Assign: account {_address(invocation, index, base)} must sign")
        raise InstructionError("MissingRequiredSignature")
    invocation.store_owner(index, owner)


def _check_seed(invocation: Invocation, index: int, base: Pubkey, seed: str, owner: Pubkey) -> None:
    derived = _with_seed(base, seed, owner)
    if invocation.key(index) != derived:
        invocation.runtime_log(f"Create: address {invocation.key(index)} does not match derived address {derived}")
        raise InstructionError(SEED_MISMATCH)


def _with_seed(base: Pubkey, seed: str, owner: Pubkey) -> Pubkey:
    if len(seed.encode()) > MAX_SEED:
        raise InstructionError(SEED_TOO_LONG)
    return Pubkey.create_with_seed(base, seed, owner)


def _signs(invocation: Invocation, base: Pubkey) -> bool:
    return any(use.key == base and use.is_signer for use in invocation.uses)


def _address(invocation: Invocation, index: int, base: Pubkey | None) -> str:
    origin = "None" if base is None else f"Some({base})"
    return f"Address {{ address: {invocation.key(index)}, base: {origin} }}"


_HANDLERS: Final[dict[int, Callable[[Invocation, _Reader], None]]] = {
    0: _create_account,
    1: _assign,
    2: _transfer,
    3: _create_account_with_seed,
    8: _allocate,
    9: _allocate_with_seed,
    10: _assign_with_seed,
    11: _transfer_with_seed,
}
