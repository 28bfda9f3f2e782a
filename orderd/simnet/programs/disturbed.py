"""Programs with injected faults: all pools disabled, some pools disabled, or a slippage error."""

from collections.abc import Mapping
from dataclasses import replace

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.simnet.errors import InstructionError
from orderd.simnet.faults import Dice
from orderd.simnet.invoke import Invocation, NativeProgram, TransactionRun
from orderd.simnet.programs.refusal import fail
from orderd.solana.pool_programs import pool_programs, program_at


def programs_of(venues: frozenset[VenueName]) -> set[Pubkey]:
    """The addresses of the programs of these venues."""
    return {program.ids["simnet"] for program in pool_programs() if program.venue in venues}


def with_outage(
    programs: Mapping[Pubkey, NativeProgram], venues: frozenset[VenueName]
) -> Mapping[Pubkey, NativeProgram]:
    """The programs, with every swap of these venues refused as if its pool were disabled."""
    affected = programs_of(venues)

    def refuse(invocation: Invocation) -> None:
        raise _failure(invocation, ErrorCode.POOL_CLOSED)

    return {key: replace(each, process=refuse) if key in affected else each for key, each in programs.items()}


def with_refusals(programs: Mapping[Pubkey, NativeProgram], pools: frozenset[str]) -> Mapping[Pubkey, NativeProgram]:
    """The programs, with every swap in these pools refused as if they were disabled."""
    if not pools:
        return programs
    refusing = {Pubkey.from_string(pool) for pool in pools}

    def process(invocation: Invocation) -> None:
        if any(use.key in refusing for use in invocation.uses):
            raise _failure(invocation, ErrorCode.POOL_CLOSED)
        programs[invocation.program_id].process(invocation)

    trading = programs_of(frozenset(VenueName))
    return {key: replace(each, process=process) if key in trading else each for key, each in programs.items()}


def with_failures(programs: Mapping[Pubkey, NativeProgram], dice: Dice) -> Mapping[Pubkey, NativeProgram]:
    """The programs, with a fraction of the transactions failing at their first swap with the program's slippage
    error."""
    swapping: TransactionRun | None = None

    def disturb(invocation: Invocation) -> None:
        nonlocal swapping
        if invocation.execution is not swapping:
            swapping = invocation.execution
            if dice.fails_swaps():
                raise _failure(invocation, ErrorCode.TX_SLIPPAGE_EXCEEDED)
        programs[invocation.program_id].process(invocation)

    trading = programs_of(frozenset(VenueName))
    return {key: replace(each, process=disturb) if key in trading else each for key, each in programs.items()}


def _failure(invocation: Invocation, code: ErrorCode) -> InstructionError:
    """The called program's error for an error code of orderd."""
    program = program_at(str(invocation.program_id))
    assert program is not None
    return fail(invocation, program.number_of(code))
