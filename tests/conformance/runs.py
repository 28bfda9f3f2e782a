"""Executes many consecutive transactions on both sides, and counts the results as rows of a table."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet.invoke import NativeProgram
from orderd.simnet.programs.binaries import Binaries
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import execute
from orderd.simnet.transaction import Transaction
from orderd.solana.pool_programs import program_of
from tests.conformance import amm_v4, base_fees
from tests.conformance.judge import Judgement, compare, judge
from tests.conformance.orders import KINDS, Make, World, orders, route, waits

ORDERS: Final = 1_000
ROUTES: Final = 500
Prepare = Callable[[World, Random], None]
"""Changes pools of the first block."""
RESET_AFTER: Final = 50
"""Number of transactions after which the pools return to their state in the first block."""


@dataclass
class Row:
    """The results of a kind, or of routes over all kinds."""

    name: str
    landed: int = 0
    refused: int = 0
    known: int = 0
    differences: list[str] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def add(self, judgement: Judgement) -> None:
        if judgement.is_known:
            self.known += 1
        elif judgement.binaries.error is None:
            self.landed += 1
            self.ratios.append(judgement.units_ratio)
        else:
            self.refused += 1
        self.differences += judgement.differences

    @property
    def units(self) -> str:
        return f"{min(self.ratios):.2f} to {max(self.ratios):.2f}" if self.ratios else "-"


def rows(directory: Path, count: int = ORDERS, count_routes: int = ROUTES) -> list[Row]:
    """A row for each kind whose binary is available, and for routes if all are. Raises BinariesError."""
    binaries = Binaries(directory).programs()
    kinds = [kind for kind in KINDS if program_of(kind).ids["simnet"] in binaries]
    found = [_run(kind, count, binaries, orders(kind)) for kind in kinds]
    if PoolKind.METEORA_DAMM_V2 in kinds:
        make = orders(PoolKind.METEORA_DAMM_V2)
        found.append(_run("meteora_damm_v2, other base fees", count, binaries, make, base_fees.prepare))
    if len(kinds) == len(KINDS):
        found.append(_run("routes", count_routes, binaries, route))
    if program_of(PoolKind.RAYDIUM_AMM_V4).ids["simnet"] in binaries:
        found.append(_run_amm_v4("raydium_amm_v4, former instructions", count, binaries))
    return found


def _run(
    name: str, count: int, binaries: Mapping[Pubkey, NativeProgram], make: Make, prepare: Prepare | None = None
) -> Row:
    """Each transaction runs on the accounts as the binaries left them after the previous one.

    Compute units of prepared pools are not compared: the handlers know them only for the pools of the first block.
    """
    random, row, world = Random(name), Row(name), World()
    pauses = waits(random)
    for number in range(count):
        if number % RESET_AFTER == 0:
            world = World()
            if prepare is not None:
                prepare(world, random)
        chain = world.chain
        chain.now += next(pauses)
        chain.seal()
        transaction = _made(world, random, make)
        judgement = judge(
            transaction, chain.bank.accounts, chain.bank.clock(), binaries, compares_units=prepare is None
        )
        row.add(judgement)
        chain.bank.replace(judgement.binaries.changes(transaction))
    return row


def _run_amm_v4(name: str, count: int, binaries: Mapping[Pubkey, NativeProgram]) -> Row:
    """The handler runs current instructions and the binary former ones, so their compute units are not compared."""
    random, row, world = Random(name), Row(name), World()
    for number in range(count):
        if number and number % RESET_AFTER == 0:
            world = World()
        chain = world.chain
        *both, is_dust = amm_v4.swaps(world, random)
        ours, theirs = (chain.transaction([swap]) for swap in both)
        load, clock = chain.bank.accounts.get, chain.bank.clock()
        real = execute(theirs, load, clock, {**PROGRAMS, **binaries})
        seen = dict(zip(theirs.keys, real.after, strict=True))
        after = tuple(seen.get(key, load(key)) for key in ours.keys)
        handlers = execute(ours, load, clock, PROGRAMS)
        judgement = compare(ours, handlers, replace(real, after=after, units=handlers.units))
        known = is_dust and bool(judgement.differences)
        row.add(replace(judgement, is_known=True, differences=()) if known else judgement)
        chain.bank.replace(real.changes(theirs))
    return row


def _made(world: World, random: Random, make: Make) -> Transaction:
    """The first generated transaction that fits into a packet."""
    while True:
        with suppress(ValueError):
            return world.chain.transaction(make(world, random))
