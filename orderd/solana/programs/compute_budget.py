"""The Compute Budget program: a transaction's compute unit limit and priority fee.

Layout: the tag (u8), then the value. Instructions come from solders.compute_budget.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from solders.compute_budget import ID, set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction

from orderd.solana.programs.layout import U32, U64, LayoutError, Record

PROGRAM_ID: Final = ID
MAX_COMPUTE_UNITS: Final = 1_400_000
DEFAULT_UNITS_PER_INSTRUCTION: Final = 200_000
MICRO_LAMPORTS: Final = 1_000_000
MAX_LOADED_ACCOUNTS_BYTES: Final = 64 * 1024 * 1024
"""What the accounts of a transaction may have together. agave, ``MAX_LOADED_ACCOUNTS_DATA_SIZE_BYTES``."""


@dataclass(frozen=True, slots=True)
class RequestHeapFrame(Record):
    DISCRIMINATOR = b"\x01"
    size_bytes: U32


@dataclass(frozen=True, slots=True)
class SetComputeUnitLimit(Record):
    DISCRIMINATOR = b"\x02"
    units: U32


@dataclass(frozen=True, slots=True)
class SetComputeUnitPrice(Record):
    """The price in micro-lamports per compute unit."""

    DISCRIMINATOR = b"\x03"
    micro_lamports: U64


@dataclass(frozen=True, slots=True)
class SetLoadedAccountsDataSizeLimit(Record):
    DISCRIMINATOR = b"\x04"
    size_bytes: U32


ComputeBudgetInstruction = RequestHeapFrame | SetComputeUnitLimit | SetComputeUnitPrice | SetLoadedAccountsDataSizeLimit
_INSTRUCTIONS: Final[dict[bytes, type[ComputeBudgetInstruction]]] = {
    kind.DISCRIMINATOR: kind
    for kind in (RequestHeapFrame, SetComputeUnitLimit, SetComputeUnitPrice, SetLoadedAccountsDataSizeLimit)
}


@lru_cache(maxsize=256)
def decode_instruction(data: bytes) -> ComputeBudgetInstruction:
    """Instruction data as its record. Raises LayoutError for an unknown tag."""
    kind = _INSTRUCTIONS.get(data[:1])
    if kind is None:
        raise LayoutError(f"no Compute Budget instruction with tag {data[:1].hex() or 'missing'}")
    return kind.decode(data)


def budget(units: int, micro_lamports_per_unit: int) -> list[Instruction]:
    """Set the compute unit limit and price; a price of 0 is omitted."""
    limit = set_compute_unit_limit(units)
    return [limit, set_compute_unit_price(micro_lamports_per_unit)] if micro_lamports_per_unit else [limit]


def priority_fee(units: int, micro_lamports_per_unit: int) -> int:
    """Lamports paid over the signature fee, rounded up as the runtime does."""
    return -(-units * micro_lamports_per_unit // MICRO_LAMPORTS)
