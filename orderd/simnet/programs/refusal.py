"""How a pool's program refuses a swap."""

from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.solana.pool_programs import program_at


def fail(invocation: Invocation, number: int) -> InstructionError:
    """An error of the pool program that was called, logged as that logs it; to be raised by the caller."""
    program = program_at(str(invocation.program_id))
    if program is not None and program.is_anchor:
        return anchor.error(invocation, program.errors[number].name, number)
    return InstructionError(number)
