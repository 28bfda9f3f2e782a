"""The differences between the handlers and the binaries, which execute one transaction on the same accounts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount
from orderd.simnet.errors import FailedInstructionError
from orderd.simnet.invoke import Clock, NativeProgram
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import Outcome, execute
from orderd.simnet.transaction import Transaction
from tests.conformance.exceptions import compared, is_known

UNITS_WITHIN: Final = 0.1
_ERROR_NAME: Final = re.compile(r"Error Code: (\w+)\.")


@dataclass(frozen=True)
class Judgement:
    """Both outcomes and their differences. If the difference of the verdicts ``is_known``, nothing else is compared."""

    handlers: Outcome
    binaries: Outcome
    is_known: bool
    differences: tuple[str, ...]

    @property
    def units_ratio(self) -> float:
        """The compute units of the handlers divided by those of the binaries."""
        return self.handlers.units / self.binaries.units


def judge(
    transaction: Transaction,
    accounts: Mapping[Pubkey, LedgerAccount],
    clock: Clock,
    binaries: Mapping[Pubkey, NativeProgram],
    *,
    compares_units: bool = True,
) -> Judgement:
    handlers = execute(transaction, accounts.get, clock, PROGRAMS)
    real = execute(transaction, accounts.get, clock, {**PROGRAMS, **binaries})
    return compare(transaction, handlers, real, compares_units=compares_units)


def compare(transaction: Transaction, handlers: Outcome, real: Outcome, *, compares_units: bool = True) -> Judgement:
    """Compare the two outcomes of a transaction."""
    ours, theirs = _verdict(handlers), _verdict(real)
    if ours != theirs:
        if _is_known(transaction, ours, theirs) or _ran_out(transaction.unit_limit, handlers, real):
            return Judgement(handlers, real, True, ())
        return Judgement(handlers, real, False, (f"verdict {ours}, binary {theirs}",))
    return Judgement(
        handlers, real, False, tuple(_differences(transaction, handlers, real, compares_units=compares_units))
    )


class _Verdict(NamedTuple):
    """The index of the failed instruction, and its error: the name in the log, or the chain's code."""

    instruction: int
    name: str | None


_LANDED: Final = _Verdict(256, None)


def _verdict(outcome: Outcome) -> _Verdict:
    if outcome.error is None:
        return _LANDED
    assert isinstance(outcome.error, FailedInstructionError)
    assert outcome.error.index is not None
    names = [name for line in outcome.logs for name in _ERROR_NAME.findall(line)]
    return _Verdict(outcome.error.index, names[-1] if names else str(outcome.error.error.code))


def _is_known(transaction: Transaction, ours: _Verdict, theirs: _Verdict) -> bool:
    """Whether the difference of the first instruction whose verdicts differ is known."""
    first = min(ours.instruction, theirs.instruction)
    program = transaction.keys[transaction.instructions[first].program]
    return is_known(program, *(each.name if each.instruction == first else None for each in (ours, theirs)))


def _ran_out(unit_limit: int, *outcomes: Outcome) -> bool:
    """Whether both have used nearly all of their units."""
    return all(each.units > unit_limit * (1 - UNITS_WITHIN) for each in outcomes)


def _differences(transaction: Transaction, handlers: Outcome, real: Outcome, *, compares_units: bool) -> Iterator[str]:
    for key, ours, theirs in zip(transaction.keys, handlers.after, real.after, strict=True):
        mine, other = compared(ours), compared(theirs)
        if mine != other:
            yield f"account {key}: {_different_bytes(mine, other)}"
    if compares_units and real.error is None and abs(handlers.units / real.units - 1) > UNITS_WITHIN:
        yield f"units {handlers.units}, binary {real.units}"


def _different_bytes(ours: LedgerAccount | None, theirs: LedgerAccount | None) -> str:
    if ours is None or theirs is None or len(ours.data) != len(theirs.data):
        return "missing on one side, or of another size"
    at = [index for index, (one, other) in enumerate(zip(ours.data, theirs.data, strict=True)) if one != other]
    text = f"{len(at)} of {len(theirs.data)} bytes, the first at {at[:1]}; owner {theirs.owner}"
    return text if ours.lamports == theirs.lamports else f"{text}; lamports"
