"""The programs that own pools: one row per pool kind.

All code of a kind is in one folder, ``orderd/pools/<kind>``, named by the value of its ``PoolKind`` member. The row is
``PROGRAM`` in the folder's module ``program``. Higher layers (venues, simnet) load their parts from modules that have
the same names in every folder. So a kind is added by its folder and its member.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final, Literal, NamedTuple, get_args

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName

Chain = Literal["simnet", "localnet", "devnet", "mainnet"]
CHAINS: Final[tuple[Chain, ...]] = get_args(Chain)
LOCAL_CHAINS: Final = frozenset[Chain]({"simnet", "localnet"})
"""Chains without real money: simnet, and a local test validator."""


class ProgramError(NamedTuple):
    """An error of a program: its name in the program, and orderd's error code for it.

    An error that ``lasts`` would occur for the next order too: the pool is disabled, or its accounts are invalid.
    """

    name: str
    code: ErrorCode = ErrorCode.TX_FAILED
    lasts: bool = False


class SwapUnits(NamedTuple):
    """Maximum compute units of a swap with its transfers and events, measured on the deployed program.

    ``swap`` is for a swap within one tick or bin, ``per_step`` for each tick or bin that it crosses.
    """

    swap: int
    per_step: int = 0


@dataclass(frozen=True, slots=True)
class PoolProgram:
    """Facts about a program besides its accounts, instructions and maths."""

    kind: PoolKind
    venue: VenueName
    ids: Mapping[Chain, Pubkey]
    """The program id on each chain."""
    units: SwapUnits
    errors: Mapping[int, ProgramError]
    """Errors by number. If several have the same code, simnet injects the first one."""
    is_anchor: bool = True
    """Whether the program is written with Anchor. Anchor programs log error names; their numbers may change between
    releases, and Anchor's own errors about accounts are the same in all programs. Other programs log no names, but
    their numbers are stable."""
    source_account: str | None = None
    """The name of the paying token account in the error logs of an Anchor program, if it logs account names."""

    def error_named(self, name: str) -> ProgramError:
        """The error with this name; TX_FAILED for an unknown one."""
        return next((error for error in self.errors.values() if error.name == name), ProgramError(name))

    def number_of(self, code: ErrorCode) -> int:
        """The first error with this code. Each program has one for slippage and one for a closed pool."""
        return next(number for number, error in self.errors.items() if error.code is code)


def part(kind: PoolKind, name: str) -> ModuleType:
    """A module of a kind's folder, such as ``venue`` or ``simnet.handler``. Raises ImportError if there is none."""
    return import_module(f"orderd.pools.{kind}.{name}")


def program_of(kind: PoolKind) -> PoolProgram:
    """The row of a kind."""
    row: PoolProgram = part(kind, "program").PROGRAM
    return row


def pool_programs() -> list[PoolProgram]:
    """All rows, in the order of the kinds."""
    return [program_of(kind) for kind in PoolKind]


@cache
def _by_address() -> Mapping[str, PoolProgram]:
    return {str(program_id): program for program in pool_programs() for program_id in program.ids.values()}


def program_at(address: str | None) -> PoolProgram | None:
    """The row of the program at an address, on any chain; None if it is not a pool's program."""
    return None if address is None else _by_address().get(address)
