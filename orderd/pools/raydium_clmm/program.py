"""The program of Raydium CLMM: pools of concentrated liquidity. Errors: raydium-io/raydium-clmm,
``programs/amm/src/error.rs``."""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.pool_programs import CHAINS, PoolProgram, ProgramError, SwapUnits

PROGRAM_ID: Final = Pubkey.from_string("CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK")
DEVNET_PROGRAM_ID: Final = Pubkey.from_string("DRayAUgENGQBKVaX8owNhgzkEDyoHTGVEGHVJT1E9pfH")

PROGRAM: Final = PoolProgram(
    kind=PoolKind.RAYDIUM_CLMM,
    venue=VenueName.RAYDIUM,
    ids=dict.fromkeys(CHAINS, PROGRAM_ID) | {"devnet": DEVNET_PROGRAM_ID},
    units=SwapUnits(68_500, per_step=19_000),  # measured: 48.5k to 65.5k without a step, for any number of arrays
    errors={  # numbers of the release on mainnet in April 2026; other releases use others
        6001: ProgramError("NotApproved", ErrorCode.POOL_CLOSED, lasts=True),
        6011: ProgramError("InvalidTickArray"),
        6013: ProgramError("SqrtPriceLimitOverflow"),
        6019: ProgramError("LiquidityInsufficient"),
        6022: ProgramError("TooLittleOutputReceived", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6023: ProgramError("TooMuchInputPaid", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6024: ProgramError("ZeroAmountSpecified"),
        6025: ProgramError("InvalidInputPoolVault", lasts=True),
        6026: ProgramError("TooSmallInputOrOutputAmount"),
        6027: ProgramError("NotEnoughTickArrayAccount"),
        6028: ProgramError("InvalidFirstTickArrayAccount"),
        6040: ProgramError("MissingTickArrayBitmapExtensionAccount"),
        6041: ProgramError("InsufficientLiquidityForDirection"),
        6043: ProgramError("CalculateOverflow"),
    },
    source_account="input_token_account",
)
