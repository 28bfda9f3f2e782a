"""The Compute Budget program: its instructions are read before anything runs; running them only costs units."""

from orderd.simnet.invoke import Invocation

UNITS = 150


def process(invocation: Invocation) -> None:
    """Raises InstructionError ComputationalBudgetExceeded."""
    invocation.consume(UNITS)
