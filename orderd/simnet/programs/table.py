"""Which program answers to which address."""

from collections.abc import Mapping
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
from orderd.simnet.invoke import Program
from orderd.simnet.programs import associated_token, compute_budget, memo, system, token
from orderd.solana.programs import associated_token as associated_token_layout
from orderd.solana.programs import compute_budget as compute_budget_layout
from orderd.solana.programs import memo as memo_layout
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
