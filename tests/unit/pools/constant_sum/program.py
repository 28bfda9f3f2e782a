"""The program of the imaginary kind, which exists only on the local chain."""

from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.solana.pool_programs import PoolProgram, ProgramError, SwapUnits

PROGRAM_ID: Final = Pubkey.from_bytes(b"constant sum".ljust(32, b"."))

PROGRAM: Final = PoolProgram(
    kind=PoolKind("constant_sum"),
    venue=VenueName.RAYDIUM,
    ids={"simnet": PROGRAM_ID},
    units=SwapUnits(5_000),
    errors={
        6000: ProgramError("SoldOut", ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY),
        6001: ProgramError("PoolIsClosed", ErrorCode.POOL_CLOSED, lasts=True),
        6002: ProgramError("TooLittlePaid", ErrorCode.TX_SLIPPAGE_EXCEEDED),
        6003: ProgramError("NotItsVault", lasts=True),
    },
    source_account="source",
)
