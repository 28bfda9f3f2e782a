"""The chain's programs: native handlers that check and change accounts as the real programs do."""

from collections.abc import Mapping
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.invoke import Program
from orderd.simnet.programs import (
    associated_token,
    compute_budget,
    memo,
    meteora_damm_v2,
    meteora_dlmm,
    raydium_amm_v4,
    raydium_clmm,
    raydium_cpmm,
    system,
    token,
)
from orderd.solana.programs import associated_token as associated_token_layout
from orderd.solana.programs import compute_budget as compute_budget_layout
from orderd.solana.programs import memo as memo_layout
from orderd.solana.programs import meteora_damm_v2 as meteora_damm_v2_layout
from orderd.solana.programs import meteora_dlmm as meteora_dlmm_layout
from orderd.solana.programs import raydium_amm_v4 as raydium_amm_v4_layout
from orderd.solana.programs import raydium_clmm as raydium_clmm_layout
from orderd.solana.programs import raydium_cpmm as raydium_cpmm_layout
from orderd.solana.programs import system as system_layout
from orderd.solana.programs import token as token_layout

PROGRAMS: Final[Mapping[Pubkey, Program]] = {
    system_layout.PROGRAM_ID: Program(system.process, builtin=True),
    compute_budget_layout.PROGRAM_ID: Program(compute_budget.process, builtin=True),
    token_layout.PROGRAM_ID: Program(token.process),
    associated_token_layout.PROGRAM_ID: Program(associated_token.process),
    memo_layout.PROGRAM_ID: Program(memo.process),
    raydium_cpmm_layout.PROGRAM_ID: Program(raydium_cpmm.process),
    raydium_clmm_layout.PROGRAM_ID: Program(raydium_clmm.process),
    raydium_amm_v4_layout.PROGRAM_ID: Program(raydium_amm_v4.process),
    meteora_dlmm_layout.PROGRAM_ID: Program(meteora_dlmm.process),
    meteora_damm_v2_layout.PROGRAM_ID: Program(meteora_damm_v2.process),
}
