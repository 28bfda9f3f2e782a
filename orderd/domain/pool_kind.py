"""The venues, and the programs that their pools belong to."""

from enum import StrEnum


class VenueName(StrEnum):
    RAYDIUM = "raydium"
    METEORA = "meteora"


class PoolKind(StrEnum):
    """The program a pool belongs to."""

    RAYDIUM_CPMM = "raydium_cpmm"
    RAYDIUM_CLMM = "raydium_clmm"
    RAYDIUM_AMM_V4 = "raydium_amm_v4"
    METEORA_DLMM = "meteora_dlmm"
    METEORA_DAMM_V2 = "meteora_damm_v2"
