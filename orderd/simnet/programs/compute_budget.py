"""The Compute Budget program. Its instructions are read before the transaction runs; running them only costs units."""

from orderd.simnet.invoke import Invocation

UNITS = 150


def process(invocation: Invocation) -> None:
    """Raises InstructionError ComputationalBudgetExceeded."""
    invocation.consume(UNITS)
