"""SPL Token, and the parts that Token-2022 shares with it: mints, token accounts, transfers.

Layouts: solana-program/token, ``program/src/{state,instruction,error}.rs``. Token-2022 accounts carry their extensions
after byte 165, each as type (u16), length (u16) and value; a mint is padded to that byte first.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.token import ID

from orderd.solana.programs.layout import U8, U32, U64, Key, LayoutError, Record, Tail
from orderd.solana.programs.metas import readonly, signer, writable

PROGRAM_ID: Final = ID
TOKEN_2022_PROGRAM_ID: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PROGRAM_IDS: Final = (PROGRAM_ID, TOKEN_2022_PROGRAM_ID)
NATIVE_MINT: Final = Pubkey.from_string("So11111111111111111111111111111111111111112")

MINT_SIZE: Final = 82
ACCOUNT_SIZE: Final = 165
ASSOCIATED_2022_SIZE: Final = 170
"""Size of an associated account of Token-2022, which has the immutable-owner extension."""
ACCOUNT_RENT: Final = 2_039_280
"""Rent-exempt minimum in lamports of an account of ``ACCOUNT_SIZE``: (128 + size) bytes, two years of 3,480 lamports
each."""
EXTENDED_MINT: Final = 1
EXTENDED_ACCOUNT: Final = 2
"""The value of byte 165, before the extensions."""
_MINT_PADDING: Final = ACCOUNT_SIZE + 1 - MINT_SIZE

INSUFFICIENT_FUNDS: Final = 1
ERRORS: Final = {
    0: "NotRentExempt",
    1: "InsufficientFunds",
    2: "InvalidMint",
    3: "MintMismatch",
    4: "OwnerMismatch",
    5: "FixedSupply",
    6: "AlreadyInUse",
    7: "InvalidNumberOfProvidedSigners",
    8: "InvalidNumberOfRequiredSigners",
    9: "UninitializedState",
    10: "NativeNotSupported",
    11: "NonNativeHasBalance",
    12: "InvalidInstruction",
    13: "InvalidState",
    14: "Overflow",
    15: "AuthorityTypeNotSupported",
    16: "MintCannotFreeze",
    17: "AccountFrozen",
    18: "MintDecimalsMismatch",
    19: "NonNativeNotSupported",
}


class AccountState(IntEnum):
    UNINITIALIZED = 0
    INITIALIZED = 1
    FROZEN = 2


class Extension(IntEnum):
    """Extension types of Token-2022 mints. Source: solana-program/token-2022, ``interface/src/extension/mod.rs``."""

    TRANSFER_FEE = 1
    CLOSE_AUTHORITY = 3
    CONFIDENTIAL_TRANSFER = 4
    DEFAULT_STATE = 6
    NON_TRANSFERABLE = 9
    INTEREST = 10
    PERMANENT_DELEGATE = 12
    TRANSFER_HOOK = 14
    CONFIDENTIAL_TRANSFER_FEE = 16
    METADATA_POINTER = 18
    METADATA = 19
    GROUP_POINTER = 20
    GROUP = 21
    GROUP_MEMBER_POINTER = 22
    GROUP_MEMBER = 23
    CONFIDENTIAL_MINT_BURN = 24
    SCALED_AMOUNT = 25
    PAUSABLE = 26


_ADDED_TO_ACCOUNTS: Final = {Extension.TRANSFER_FEE: 8, Extension.TRANSFER_HOOK: 1, Extension.PAUSABLE: 0}
"""Bytes of the account extension for each mint extension: the withheld amount, a flag while a hook runs, nothing."""
_HEADER: Final = 4


@dataclass(frozen=True, slots=True)
class OptionalKey(Record):
    """The program's COption<Pubkey>. After tag 0, the bytes of a removed key may remain."""

    tag: U32
    value: Key

    @classmethod
    def of(cls, key: Pubkey | None) -> Self:
        return cls(0, Pubkey.default()) if key is None else cls(1, key)

    @property
    def key(self) -> Pubkey | None:
        return self.value if self.tag else None


@dataclass(frozen=True, slots=True)
class OptionalU64(Record):
    """The program's COption<u64>."""

    tag: U32
    value: U64


@dataclass(frozen=True, slots=True)
class Mint(Record):
    """A token's mint, 82 bytes. ``supply`` in base units; ``extensions`` are the bytes after the base layout
    (Token-2022)."""

    mint_authority: OptionalKey
    supply: U64
    decimals: U8
    is_initialized: U8
    freeze_authority: OptionalKey
    extensions: Tail = b""

    @classmethod
    def new(cls, decimals: int, *, supply: int = 0, authority: Pubkey | None = None) -> Self:
        return cls(OptionalKey.of(authority), supply, decimals, 1, OptionalKey.of(None))

    def extensions_by_type(self) -> dict[int, bytes]:
        """The extensions by type (see ``Extension``). Raises LayoutError if one is truncated."""
        return dict(_extensions(self.extensions[_MINT_PADDING:]))

    def is_of(self, program: Pubkey) -> bool:
        """Whether these bytes can be a mint of this token program. Needed because a token account can have the same
        length."""
        if program == PROGRAM_ID or not self.extensions:
            return not self.extensions
        return self.extensions[_MINT_PADDING - 1 : _MINT_PADDING] == bytes([EXTENDED_MINT])

    def account_size(self, program: Pubkey) -> int:
        """Size in bytes of an associated account. Raises LayoutError."""
        if program == PROGRAM_ID:
            return ACCOUNT_SIZE
        added = [size for kind, size in _ADDED_TO_ACCOUNTS.items() if kind in self.extensions_by_type()]
        return ASSOCIATED_2022_SIZE + sum(_HEADER + size for size in added)


@dataclass(frozen=True, slots=True)
class TokenAccount(Record):
    """The holder and amount of a mint's tokens, 165 bytes. ``amount`` in base units; for wrapped SOL ``is_native``
    holds the rent."""

    mint: Key
    owner: Key
    amount: U64
    delegate: OptionalKey
    state: U8
    is_native: OptionalU64
    delegated_amount: U64
    close_authority: OptionalKey
    extensions: Tail = b""

    @classmethod
    def new(cls, mint: Pubkey, owner: Pubkey, amount: int = 0, *, native_rent: int | None = None) -> Self:
        """An initialized account; ``native_rent`` lamports make it one of wrapped SOL."""
        native = OptionalU64(0, 0) if native_rent is None else OptionalU64(1, native_rent)
        none = OptionalKey.of(None)
        return cls(mint, owner, amount, none, AccountState.INITIALIZED, native, 0, none)


@dataclass(frozen=True, slots=True)
class Transfer(Record):
    DISCRIMINATOR = b"\x03"
    amount: U64


@dataclass(frozen=True, slots=True)
class MintTo(Record):
    DISCRIMINATOR = b"\x07"
    amount: U64


@dataclass(frozen=True, slots=True)
class Burn(Record):
    DISCRIMINATOR = b"\x08"
    amount: U64


@dataclass(frozen=True, slots=True)
class CloseAccount(Record):
    DISCRIMINATOR = b"\x09"


@dataclass(frozen=True, slots=True)
class TransferChecked(Record):
    DISCRIMINATOR = b"\x0c"
    amount: U64
    decimals: U8


@dataclass(frozen=True, slots=True)
class SyncNative(Record):
    DISCRIMINATOR = b"\x11"


@dataclass(frozen=True, slots=True)
class InitializeAccount3(Record):
    DISCRIMINATOR = b"\x12"
    owner: Key


@dataclass(frozen=True, slots=True)
class InitializeMint2(Record):
    """Without a freeze authority, the program expects one byte 0 and nothing after it."""

    DISCRIMINATOR = b"\x14"
    decimals: U8
    mint_authority: Key
    has_freeze_authority: U8 = 0
    freeze_authority: Tail = b""


TokenInstruction = (
    Transfer | MintTo | Burn | CloseAccount | TransferChecked | SyncNative | InitializeAccount3 | InitializeMint2
)
_INSTRUCTIONS: Final[dict[bytes, type[TokenInstruction]]] = {
    kind.DISCRIMINATOR: kind
    for kind in (
        Transfer,
        MintTo,
        Burn,
        CloseAccount,
        TransferChecked,
        SyncNative,
        InitializeAccount3,
        InitializeMint2,
    )
}


def decode_instruction(data: bytes) -> TokenInstruction:
    """Instruction data as its record. Raises LayoutError for an instruction that is not listed here."""
    kind = _INSTRUCTIONS.get(data[:1])
    if kind is None:
        raise LayoutError(f"no SPL Token instruction with tag {data[:1].hex() or 'missing'}")
    return kind.decode(data)


def transfer_checked(
    source: Pubkey,
    mint: Pubkey,
    destination: Pubkey,
    owner: Pubkey,
    amount: int,
    decimals: int,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Transfer ``amount`` base units; the program refuses a wrong mint or wrong decimals."""
    accounts = [writable(source), readonly(mint), writable(destination), signer(owner)]
    return Instruction(program_id, TransferChecked(amount, decimals).encode(), accounts)


def transfer(
    source: Pubkey, destination: Pubkey, owner: Pubkey, amount: int, program_id: Pubkey = PROGRAM_ID
) -> Instruction:
    """Transfer ``amount`` base units."""
    accounts = [writable(source), writable(destination), signer(owner)]
    return Instruction(program_id, Transfer(amount).encode(), accounts)


def mint_to(
    mint: Pubkey, destination: Pubkey, authority: Pubkey, amount: int, program_id: Pubkey = PROGRAM_ID
) -> Instruction:
    """Mint ``amount`` base units; ``authority`` is the mint authority and signs."""
    accounts = [writable(mint), writable(destination), signer(authority)]
    return Instruction(program_id, MintTo(amount).encode(), accounts)


def sync_native(account: Pubkey) -> Instruction:
    """Make the amount of a wrapped SOL account equal to its lamports above the rent."""
    return Instruction(PROGRAM_ID, SyncNative().encode(), [writable(account)])


def close_account(account: Pubkey, destination: Pubkey, owner: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Instruction:
    """Close an empty account, or one of wrapped SOL; all its lamports go to ``destination``."""
    accounts = [writable(account), writable(destination), signer(owner)]
    return Instruction(program_id, CloseAccount().encode(), accounts)


def initialize_account3(account: Pubkey, mint: Pubkey, owner: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Instruction:
    """Initialize an allocated account as a token account."""
    return Instruction(program_id, InitializeAccount3(owner).encode(), [writable(account), readonly(mint)])


def initialize_mint2(mint: Pubkey, decimals: int, authority: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Instruction:
    """Initialize an allocated account as a mint without a freeze authority."""
    return Instruction(program_id, InitializeMint2(decimals, authority).encode(), [writable(mint)])


def _extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER:
        kind, length = struct.unpack_from("<HH", data)
        if kind == 0:  # uninitialized: the rest is room for later extensions
            return
        if len(data) < _HEADER + length:
            raise LayoutError(f"extension {kind} takes {length} bytes, {len(data) - _HEADER} are there")
        yield kind, data[_HEADER : _HEADER + length]
        data = data[_HEADER + length :]
