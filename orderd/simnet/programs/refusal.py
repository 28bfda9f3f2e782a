"""Errors with which a pool's program refuses a swap."""

from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.solana.pool_programs import program_at


def fail(invocation: Invocation, number: int) -> InstructionError:
    """Log an error as the called pool program does, and return it for the caller to raise."""
    program = program_at(str(invocation.program_id))
    if program is not None and program.is_anchor:
        return anchor.error(invocation, program.errors[number].name, number)
    return InstructionError(number)
