"""Finds why a transaction failed, from the runtime's error and the programs' logs.

A program's error numbers can change between its releases, so an error is identified by the name that its program logs
("Error Code: ExceededSlippage"), and by number only for programs whose numbers never change. Programs call each other:
the lines "Program <id> invoke [depth]", "... success" and "... failed: <reason>" show which one failed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orderd.solana.pool_programs import program_at
from orderd.solana.programs import associated_token, system, token
from orderd.solana.rpc_types import TransactionError

_INVOKE: Final = re.compile(r"Program (\w+) invoke \[\d+\]")
_SUCCESS: Final = re.compile(r"Program (\w+) success")
_FAILED: Final = re.compile(r"Program (\w+) failed: (.*)")
_NAMED: Final = re.compile(r"Program log: (?:AnchorError caused by account: (\w+)\. |.*)Error Code: (\w+)\.")
_NUMBER: Final = re.compile(r"custom program error: 0x([0-9a-f]+)")
_OUT_OF_UNITS: Final = re.compile(r"exceeded CUs meter|[Cc]omputational budget exceeded")

OUT_OF_UNITS: Final = "ComputationalBudgetExceeded"
"""The runtime's error name; also used if the runtime reports ProgramFailedToComplete for lack of units."""

_STABLE: Final = {
    str(system.PROGRAM_ID): system.ERRORS,
    **{str(program): token.ERRORS for program in token.PROGRAM_IDS},
    str(associated_token.PROGRAM_ID): associated_token.ERRORS,
}
"""Errors by number, of programs that do not own pools."""


@dataclass(frozen=True, slots=True)
class ProgramFailure:
    """The cause of a failure. ``program`` is None if the runtime refused the transaction before any program failed.

    ``account`` is the program's name for the account that caused the error, if logged.
    """

    program: str | None
    name: str
    number: int | None
    account: str | None = None

    def __str__(self) -> str:
        about = f" about {self.account}" if self.account else ""
        return f"{self.name}{about} in program {self.program}" if self.program else self.name


def read_failure(err: TransactionError, logs: Sequence[str]) -> ProgramFailure:
    """The cause of a failure, as precise as the logs allow."""
    failure = _first_failure(logs)
    if failure is None:
        return ProgramFailure(None, *_runtime_error(err))
    program, reason, (account, named) = failure
    number = _custom_number(reason)
    if _OUT_OF_UNITS.search(reason):
        return ProgramFailure(program, OUT_OF_UNITS, None)
    name = named or _name_of(program, number)
    return ProgramFailure(program, name or _runtime_error(err)[0], number, account)


def _first_failure(logs: Sequence[str]) -> tuple[str, str, tuple[str | None, str | None]] | None:
    """The innermost program that failed, its reason, and the account and the error that it named.

    A failure runs up through the callers, so the first failed line is the innermost one.
    """
    depth = 0
    names: dict[int, tuple[str | None, str | None]] = {}
    for line in logs:
        if _INVOKE.fullmatch(line):
            depth += 1
        elif _SUCCESS.fullmatch(line) and depth:
            names.pop(depth, None)
            depth -= 1
        elif match := _NAMED.match(line):
            names[depth] = match[1], match[2]
        elif match := _FAILED.fullmatch(line):
            return match[1], match[2], names.get(depth, (None, None))
    return None


def _name_of(program: str, number: int | None) -> str | None:
    """The name for a custom error number; None if the program's numbers are not stable."""
    if number is None:
        return None
    pools = program_at(program)
    if pools is None:
        return _STABLE.get(program, {}).get(number)
    return pools.errors[number].name if not pools.is_anchor and number in pools.errors else None


def _custom_number(reason: str) -> int | None:
    match = _NUMBER.search(reason)
    return int(match[1], 16) if match else None


def _runtime_error(err: TransactionError) -> tuple[str, int | None]:
    """The name, or the custom number, in the runtime's own error."""
    if isinstance(err, str):
        return err, None
    kind, detail = next(iter(err.items()), ("Unknown", None))
    if kind != "InstructionError" or not isinstance(detail, list) or len(detail) != 2:
        return kind, None
    cause = detail[1]
    if isinstance(cause, dict) and isinstance(cause.get("Custom"), int):
        return f"Custom({cause['Custom']})", cause["Custom"]
    return str(next(iter(cause), "Unknown") if isinstance(cause, dict) else cause), None
