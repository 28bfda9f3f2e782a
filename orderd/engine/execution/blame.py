"""Finds the cause of a refused transaction: one pool, for all orders; this route, for this order; or no pool.

The index of the failed instruction identifies its leg, and the program's own name for the error says whether the pool
will refuse the next order too. Names are per program, as in ``chain_errors``: numbers move between releases. A refusal
that may be temporary does not concern other orders, and does not fail this one while there are other pools.
"""

from collections.abc import Sequence
from typing import Final

from solders.instruction import Instruction

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import Route
from orderd.engine.chain_errors import ChainError
from orderd.solana.pool_programs import program_at
from orderd.solana.program_failure import OUT_OF_UNITS
from orderd.solana.programs import token
from orderd.solana.rpc_types import TransactionError

_RUNTIME: Final = frozenset(
    {
        "ExternalAccountDataModified",
        "ExternalAccountLamportSpend",
        "IllegalOwner",
        "IncorrectProgramId",
        "InvalidAccountData",
        "InvalidAccountOwner",
        "InvalidInstructionData",
        "InvalidSeeds",
        "MissingAccount",
        "MissingRequiredSignature",
        "NotEnoughAccountKeys",
        "PrivilegeEscalation",
        "ReadonlyDataModified",
        "ReadonlyLamportChange",
        "UnsupportedProgramId",
    }
)
"""Errors of the runtime for invalid instructions. anza-xyz/solana-sdk, ``instruction-error``."""

_ANCHOR: Final = frozenset(
    {
        "AccountDidNotDeserialize",
        "AccountDiscriminatorMismatch",
        "AccountDiscriminatorNotFound",
        "AccountNotEnoughKeys",
        "AccountNotInitialized",
        "AccountNotMutable",
        "AccountNotSigner",
        "AccountOwnedByWrongProgram",
        "ConstraintAddress",
        "ConstraintHasOne",
        "ConstraintMut",
        "ConstraintOwner",
        "ConstraintRaw",
        "ConstraintSeeds",
        "ConstraintSigner",
        "ConstraintTokenMint",
        "ConstraintTokenOwner",
        "ConstraintTokenTokenProgram",
        "DeclaredProgramIdMismatch",
        "InstructionDidNotDeserialize",
        "InstructionFallbackNotFound",
        "InvalidProgramId",
    }
)
"""Anchor's errors for invalid accounts and instructions. ``lang/src/error.rs``."""

_TOKEN: Final = frozenset({"AccountFrozen", "InvalidMint", "InvalidState", "MintMismatch", "OwnerMismatch"})
"""Errors of a token program for a vault that does not belong to the pool, or is frozen."""

_TOKEN_PROGRAMS: Final = frozenset(map(str, token.PROGRAM_IDS))

_NO_POOLS: Final = frozenset({ErrorCode.FUNDS_INSUFFICIENT, ErrorCode.TX_SLIPPAGE_EXCEEDED})
"""Errors that the wallet or the market causes."""


class RouteRefusedError(Exception):
    """The route was refused; another one may be possible. ``error`` is the attempt's error if there is none.

    ``pool`` is the pool that refused; None if the route as a whole is too large. Pools that have only ``moved`` may be
    used again in their new state.
    """

    def __init__(self, route: Route, error: OrderdError, pool: str | None, *, moved: bool = False) -> None:
        super().__init__(str(error))
        self.route = route
        self.error = error
        self.pool = pool
        self.moved = moved


def refusal_of(
    route: Route, instructions: Sequence[Instruction], err: TransactionError, error: ChainError
) -> RouteRefusedError | None:
    """The part of the route that caused the failure of a transaction with these instructions; None if no part did."""
    if error.failure.name == OUT_OF_UNITS:
        return RouteRefusedError(route, error, None)
    index = _failed_instruction(err)
    if index is None or not 0 <= index < len(instructions) or error.code in _NO_POOLS:
        return None
    named = {str(meta.pubkey) for meta in instructions[index].accounts}
    pool = next((leg.pool for leg in route.legs if leg.pool in named), None)
    return None if pool is None else RouteRefusedError(route, error, pool)


def is_lasting(error: ChainError) -> bool:
    """Whether the pool that is to blame would refuse the next order as well."""
    name, program = error.failure.name, program_at(error.failure.program)
    if program is not None:
        return name in _RUNTIME or (program.is_anchor and name in _ANCHOR) or program.error_named(name).lasts
    if error.failure.program in _TOKEN_PROGRAMS:
        return name in _RUNTIME or name in _TOKEN
    return error.failure.program is None and name in _RUNTIME


def _failed_instruction(err: TransactionError) -> int | None:
    detail = err.get("InstructionError") if isinstance(err, dict) else None
    return detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], int) else None
