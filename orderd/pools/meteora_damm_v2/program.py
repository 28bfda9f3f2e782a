"""The program of Meteora DAMM v2 (cp-amm): pools with one price range.

Errors: MeteoraAg/damm-v2, ``programs/cp-amm/src/error.rs``, release 0.2.
"""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.pool_programs import CHAINS, PoolProgram, ProgramError, SwapUnits

PROGRAM_ID: Final = Pubkey.from_string("cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG")

PROGRAM: Final = PoolProgram(
    kind=PoolKind.METEORA_DAMM_V2,
    venue=VenueName.METEORA,
    ids=dict.fromkeys(CHAINS, PROGRAM_ID),
    units=SwapUnits(24_000, per_step=20_500),  # measured: 17.5k to 23.3k, and 43.2k for a purchase under a rate limiter
    errors={
        6000: ProgramError("MathOverflow"),
        6001: ProgramError("InvalidFee", lasts=True),
        6002: ProgramError("ExceededSlippage", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6003: ProgramError("PoolDisabled", ErrorCode.POOL_CLOSED, lasts=True),
        6006: ProgramError("AmountIsZero"),
        6007: ProgramError("TypeCastFailed"),
        6010: ProgramError("InvalidActivationType", lasts=True),
        6015: ProgramError("PriceRangeViolation"),
        6017: ProgramError("InvalidCollectFeeMode", lasts=True),
        6018: ProgramError("InvalidInput"),
        6023: ProgramError("InsufficientLiquidity"),
        6047: ProgramError("InvalidBaseFeeMode", lasts=True),
        6049: ProgramError("FailToValidateSingleSwapInstruction", lasts=True),
        6051: ProgramError("UndeterminedError"),
        6052: ProgramError("InvalidPoolVersion", lasts=True),
    },
)
