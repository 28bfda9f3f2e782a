"""Programs that fail by configuration: one whose pools are switched off, or one whose price has just moved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2_layout
from orderd.pools.meteora_damm_v2.simnet import handler as meteora_damm_v2
from orderd.pools.meteora_dlmm import program as meteora_dlmm_layout
from orderd.pools.meteora_dlmm.simnet import handler as meteora_dlmm
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4_layout
from orderd.pools.raydium_amm_v4.simnet import handler as raydium_amm_v4
from orderd.pools.raydium_clmm import program as raydium_clmm_layout
from orderd.pools.raydium_clmm.simnet import handler as raydium_clmm
from orderd.pools.raydium_cpmm import program as raydium_cpmm_layout
from orderd.pools.raydium_cpmm.simnet import handler as raydium_cpmm
from orderd.simnet.faults import Dice, Venue
from orderd.simnet.invoke import Invocation, Program

VENUE_PROGRAMS: Final[Mapping[Venue, tuple[Pubkey, ...]]] = {
    "raydium": (
        raydium_cpmm_layout.PROGRAM_ID,
        raydium_clmm_layout.PROGRAM_ID,
        raydium_amm_v4_layout.PROGRAM_ID,
    ),
    "meteora": (meteora_dlmm_layout.PROGRAM_ID, meteora_damm_v2_layout.PROGRAM_ID),
}

_HANDLERS: Final = {
    raydium_cpmm_layout.PROGRAM_ID: raydium_cpmm,
    raydium_clmm_layout.PROGRAM_ID: raydium_clmm,
    raydium_amm_v4_layout.PROGRAM_ID: raydium_amm_v4,
    meteora_dlmm_layout.PROGRAM_ID: meteora_dlmm,
    meteora_damm_v2_layout.PROGRAM_ID: meteora_damm_v2,
}


def with_outage(programs: Mapping[Pubkey, Program], venues: frozenset[Venue]) -> Mapping[Pubkey, Program]:
    """The programs, with every swap of these venues refused as if its pool were disabled."""
    stricken = {program_id for venue in venues for program_id in VENUE_PROGRAMS[venue]}

    def refuse(invocation: Invocation) -> None:
        handler = _HANDLERS[invocation.program_id]
        raise handler.fail(invocation, handler.POOL_DISABLED)

    return {key: replace(each, process=refuse) if key in stricken else each for key, each in programs.items()}


def with_refusals(programs: Mapping[Pubkey, Program], pools: frozenset[str]) -> Mapping[Pubkey, Program]:
    """The programs, with every swap in these pools refused as if they were disabled."""
    refusing = {Pubkey.from_string(pool) for pool in pools}

    def look(invocation: Invocation) -> None:
        handler = _HANDLERS[invocation.program_id]
        if any(use.key in refusing for use in invocation.uses):
            raise handler.fail(invocation, handler.POOL_DISABLED)
        programs[invocation.program_id].process(invocation)

    return {key: replace(each, process=look) if key in _HANDLERS else each for key, each in programs.items()}


def with_failures(programs: Mapping[Pubkey, Program], dice: Dice) -> Mapping[Pubkey, Program]:
    """The programs, with a share of the swaps failing with the program's slippage error."""

    def disturb(invocation: Invocation) -> None:
        handler = _HANDLERS[invocation.program_id]
        if dice.fails_swap():
            raise handler.fail(invocation, handler.SLIPPAGE)
        programs[invocation.program_id].process(invocation)

    return {key: replace(each, process=disturb) if key in _HANDLERS else each for key, each in programs.items()}
