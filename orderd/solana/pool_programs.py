"""The programs that pools belong to: one row a pool kind.

All of a kind lies in one folder, ``orderd/pools/<kind>``, which is named by the value of its ``PoolKind`` member. The
row is ``PROGRAM`` in the folder's ``program``; what belongs to a layer above this one (the venue, what simnet needs) is
loaded by that layer, from modules whose names are the same in every folder. So a kind is added by its folder and its
member.
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
"""Where no money is at stake: the local chain of orderd, and a validator that is run for tests."""


class ProgramError(NamedTuple):
    """An error of a program, by the program's own name for it, and what it means to a trader.

    What ``lasts`` would meet the next order as well: the pool is switched off, or its accounts are not as they should
    be.
    """

    name: str
    code: ErrorCode = ErrorCode.TX_FAILED
    lasts: bool = False


class SwapUnits(NamedTuple):
    """Compute units of a swap with its transfers and events, at most, as measured on the deployed program.

    A swap that stays where the price is takes ``swap``, each tick or bin that is crossed ``per_step``.
    """

    swap: int
    per_step: int = 0


@dataclass(frozen=True, slots=True)
class PoolProgram:
    """What is known of a program besides its accounts, its instructions and its maths."""

    kind: PoolKind
    venue: VenueName
    ids: Mapping[Chain, Pubkey]
    """Where it is deployed."""
    units: SwapUnits
    errors: Mapping[int, ProgramError]
    """By number. Of several that mean the same, simnet's faults play the first."""
    is_anchor: bool = True
    """Programs written with Anchor log the names of their errors, whose numbers may move from one release to the next,
    and share those that Anchor has for accounts. Others log no name, and their numbers stay."""
    source_account: str | None = None
    """What an Anchor program calls the token account that pays, where it names the accounts it complains of."""

    def error_named(self, name: str) -> ProgramError:
        """What the program's error means; one that is not known here means nothing more than that it failed."""
        return next((error for error in self.errors.values() if error.name == name), ProgramError(name))

    def number_of(self, code: ErrorCode) -> int:
        """The first of the errors that mean this; each program has one for slippage and one for a closed pool."""
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
