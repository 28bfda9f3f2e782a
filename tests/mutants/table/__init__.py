"""All mutants, by subject."""

from typing import Final

from tests.mutants.mutant import Mutant
from tests.mutants.table import (
    clock,
    execution,
    families,
    floor,
    halts,
    intake,
    journal,
    money,
    pools,
    port,
    proof,
    resting,
    restoring,
    settlement,
    streams,
    tokens,
    trader,
)

MUTANTS: Final[tuple[Mutant, ...]] = (
    *execution.MUTANTS,
    *floor.MUTANTS,
    *halts.MUTANTS,
    *journal.MUTANTS,
    *money.MUTANTS,
    *intake.MUTANTS,
    *port.MUTANTS,
    *streams.MUTANTS,
    *clock.MUTANTS,
    *trader.MUTANTS,
    *settlement.MUTANTS,
    *proof.MUTANTS,
    *resting.MUTANTS,
    *restoring.MUTANTS,
    *families.MUTANTS,
    *pools.MUTANTS,
    *tokens.MUTANTS,
)
