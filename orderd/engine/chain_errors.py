"""Translates the chain's errors into orderd's error codes."""

from collections.abc import Sequence
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.pool_programs import PoolProgram, program_at
from orderd.solana.program_failure import ProgramFailure, read_failure
from orderd.solana.programs import associated_token, system, token
from orderd.solana.rpc_types import TransactionError

_FUNDS: Final = frozenset(
    {
        "AccountNotFound",
        "InsufficientFunds",
        "InsufficientFundsForFee",
        "InsufficientFundsForRent",
        "ResultWithNegativeLamports",
    }
)
"""The errors of the runtime, the System program and the token programs for insufficient funds."""
_FUNDS_OF: Final = frozenset(
    {None}  # the runtime
    | {str(program) for program in (system.PROGRAM_ID, *token.PROGRAM_IDS, associated_token.PROGRAM_ID)}
)


class ChainError(OrderdError):
    """A failure that the chain reported, with the programs' logs."""

    def __init__(self, code: ErrorCode, detail: str, failure: ProgramFailure, logs: Sequence[str]) -> None:
        super().__init__(code, detail)
        self.failure = failure
        self.logs = logs


def explain(err: TransactionError, logs: Sequence[str]) -> ChainError:
    """The failure of a transaction, landed or simulated, as the error that its order gets."""
    failure = read_failure(err, logs)
    program = program_at(failure.program)
    # An error of Anchor. The first receiver of the token creates the source account; the trade creates the destination.
    # Not every program names the account.
    if (
        program is not None
        and failure.name == "AccountNotInitialized"
        and failure.account in (None, program.source_account)
    ):
        detail = f"the wallet holds none of the token that is sold: the chain answered {failure}"
        return ChainError(ErrorCode.FUNDS_INSUFFICIENT, detail, failure, logs)
    return ChainError(_code(program, failure), f"the chain answered {failure}", failure, logs)


def _code(program: PoolProgram | None, failure: ProgramFailure) -> ErrorCode:
    """By program: the same name may mean another thing elsewhere."""
    if program is not None:
        return program.error_named(failure.name).code
    if failure.name in _FUNDS and failure.program in _FUNDS_OF:
        return ErrorCode.FUNDS_INSUFFICIENT
    return ErrorCode.TX_FAILED
