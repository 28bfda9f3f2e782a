"""What the chain's own words for a failure mean to a trader."""

from collections.abc import Sequence
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.program_failure import read_failure
from orderd.solana.programs import raydium_amm_v4
from orderd.solana.rpc_types import TransactionError

_CODES: Final[dict[str, ErrorCode]] = {
    # Raydium CPMM and CLMM, Meteora DLMM and DAMM v2
    "ExceededSlippage": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "TooLittleOutputReceived": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "ExceededAmountSlippageTolerance": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "ExceededBinSlippageTolerance": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "NotApproved": ErrorCode.POOL_CLOSED,
    "PoolDisabled": ErrorCode.POOL_CLOSED,
    "PairInsufficientLiquidity": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    "InsufficientVault": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    # Raydium AMM v4, which looks at the source account itself
    "InvalidStatus": ErrorCode.POOL_CLOSED,
    "InvalidSplTokenProgram": ErrorCode.FUNDS_INSUFFICIENT,
    # The runtime, the System program and the Token program
    "AccountNotFound": ErrorCode.FUNDS_INSUFFICIENT,
    "InsufficientFunds": ErrorCode.FUNDS_INSUFFICIENT,
    "InsufficientFundsForFee": ErrorCode.FUNDS_INSUFFICIENT,
    "InsufficientFundsForRent": ErrorCode.FUNDS_INSUFFICIENT,
    "ResultWithNegativeLamports": ErrorCode.FUNDS_INSUFFICIENT,
    # The source account is made by whoever first receives the token
    "AccountNotInitialized": ErrorCode.FUNDS_INSUFFICIENT,
}
_AMM_V4: Final = frozenset({str(raydium_amm_v4.PROGRAM_ID), str(raydium_amm_v4.DEVNET_PROGRAM_ID)})


def explain(err: TransactionError, logs: Sequence[str]) -> OrderdError:
    """The failure of a transaction, landed or simulated, as the error that its order gets."""
    failure = read_failure(err, logs)
    name = failure.name
    if failure.program in _AMM_V4:  # It logs no names.
        name = raydium_amm_v4.ERRORS.get(failure.number or 0, name)
    return OrderdError(_CODES.get(name, ErrorCode.TX_FAILED), f"the chain answered {failure}")
