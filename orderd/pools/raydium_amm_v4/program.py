"""The program of Raydium AMM v4: constant product pools; it does not use Anchor.

Errors: raydium-io/raydium-amm, ``program/src/error.rs``.
"""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.pool_programs import CHAINS, PoolProgram, ProgramError, SwapUnits

PROGRAM_ID: Final = Pubkey.from_string("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
DEVNET_PROGRAM_ID: Final = Pubkey.from_string("DRaya7Kj3aMWQSy19kSjvmuwq9docCHofyP9kanQGaav")

PROGRAM: Final = PoolProgram(
    kind=PoolKind.RAYDIUM_AMM_V4,
    venue=VenueName.RAYDIUM,
    ids=dict.fromkeys(CHAINS, PROGRAM_ID) | {"devnet": DEVNET_PROGRAM_ID},
    units=SwapUnits(25_500),  # measured: 21k to 25k for the older instruction, which names more accounts
    errors={  # all known releases share these numbers
        1: ProgramError("InvalidProgramAddress", lasts=True),
        4: ProgramError("InvalidCoinVault", lasts=True),
        5: ProgramError("InvalidPCVault", lasts=True),
        18: ProgramError("InvalidOwner"),
        21: ProgramError("InvalidSignAccount"),
        22: ProgramError("InvalidStatus", ErrorCode.POOL_CLOSED, lasts=True),
        23: ProgramError("InvalidInstruction", lasts=True),
        24: ProgramError("WrongAccountsNumber", lasts=True),
        27: ProgramError("InvalidAmmAccountOwner", lasts=True),
        29: ProgramError("InvalidInput"),
        30: ProgramError("ExceededSlippage", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        31: ProgramError("CalculationExRateFailure"),
        # Also the error for a source account that does not exist.
        38: ProgramError("InvalidSplTokenProgram", ErrorCode.FUNDS_INSUFFICIENT),
        40: ProgramError("InsufficientFunds", ErrorCode.FUNDS_INSUFFICIENT),
        41: ProgramError("ConversionFailure"),
        42: ProgramError("InvalidUserToken"),
        58: ProgramError("UnknownAmmError"),
        59: ProgramError("NotAllowed", lasts=True),
    },
    is_anchor=False,
)
