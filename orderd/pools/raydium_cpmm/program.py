"""The program of Raydium CPMM (cp-swap): constant product pools.

Errors: raydium-io/raydium-cp-swap, ``programs/cp-swap/src/error.rs``.
"""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.pool_programs import CHAINS, PoolProgram, ProgramError, SwapUnits

PROGRAM_ID: Final = Pubkey.from_string("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C")
DEVNET_PROGRAM_ID: Final = Pubkey.from_string("DRaycpLY18LhpbydsBWbVJtxpNv9oXPgjRSfpF2bWpYb")

PROGRAM: Final = PoolProgram(
    kind=PoolKind.RAYDIUM_CPMM,
    venue=VenueName.RAYDIUM,
    ids=dict.fromkeys(CHAINS, PROGRAM_ID) | {"devnet": DEVNET_PROGRAM_ID},
    units=SwapUnits(34_000),  # measured: 30.8k to 33.9k
    errors={
        6000: ProgramError("NotApproved", ErrorCode.POOL_CLOSED, lasts=True),
        6001: ProgramError("InvalidOwner", lasts=True),
        6002: ProgramError("EmptySupply"),
        6003: ProgramError("InvalidInput"),
        6004: ProgramError("IncorrectLpMint"),
        6005: ProgramError("ExceededSlippage", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6006: ProgramError("ZeroTradingTokens"),
        6007: ProgramError("NotSupportMint", lasts=True),
        6008: ProgramError("InvalidVault", lasts=True),
        6009: ProgramError("InitLpAmountTooLess"),
        6012: ProgramError("InsufficientVault", ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY),
    },
    source_account="input_token_account",
)
