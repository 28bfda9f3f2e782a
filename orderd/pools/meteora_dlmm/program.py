"""The program of Meteora DLMM (lb_clmm): pools with price bins. Errors: MeteoraAg/dlmm-sdk, ``idls/dlmm.json`` (lb_clmm
0.12.0)."""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.pool_programs import CHAINS, PoolProgram, ProgramError, SwapUnits

PROGRAM_ID: Final = Pubkey.from_string("LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo")

PROGRAM: Final = PoolProgram(
    kind=PoolKind.METEORA_DLMM,
    venue=VenueName.METEORA,
    ids=dict.fromkeys(CHAINS, PROGRAM_ID),
    units=SwapUnits(47_700, per_step=6_800),  # measured: up to 41.9k and 5.6k, for a purchase 44.6k and 6.8k
    errors={
        6002: ProgramError("InvalidInput"),
        6003: ProgramError("ExceededAmountSlippageTolerance", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6004: ProgramError("ExceededBinSlippageTolerance", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6007: ProgramError("ZeroLiquidity"),
        6009: ProgramError("BinArrayNotFound"),
        6010: ProgramError("InvalidTokenMint", lasts=True),
        6012: ProgramError("PairInsufficientLiquidity", ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY),
        6018: ProgramError("MathOverflow"),
        6019: ProgramError("TypeCastFailed"),
        6027: ProgramError("InvalidBinArray"),
        6028: ProgramError("NonContinuousBinArrays"),
        6033: ProgramError("MissingOracle", lasts=True),
        6036: ProgramError("BitmapExtensionAccountIsNotProvided"),
        6037: ProgramError("CannotFindNonZeroLiquidityBinArrayId"),
        6038: ProgramError("BinIdOutOfBound"),
        6039: ProgramError("InsufficientOutAmount"),
        6042: ProgramError("PoolDisabled", ErrorCode.POOL_CLOSED, lasts=True),
        6057: ProgramError("NotExactAmountOut", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6069: ProgramError("NotSupportMint", lasts=True),
        6085: ProgramError("UndeterminedError"),
        6104: ProgramError("InsufficientInAmount", ErrorCode.TX_SLIPPAGE_EXCEEDED),
    },
    source_account="user_token_in",
)
