"""What the chain's own words for a failure mean to a trader."""

from collections.abc import Sequence
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.rpc_types import TransactionError
from orderd.solana.transaction import ProgramFailure, read_failure

# By name, scoped by nothing but the programs' own logs: the numbers have moved between releases.
_CODES: Final[dict[str, ErrorCode]] = {
    "ExceededSlippage": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "ExceededAmountSlippageTolerance": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "ExceededBinSlippageTolerance": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "InsufficientFunds": ErrorCode.FUNDS_INSUFFICIENT,
    "InsufficientFundsForFee": ErrorCode.FUNDS_INSUFFICIENT,
    "InsufficientFundsForRent": ErrorCode.FUNDS_INSUFFICIENT,
    "AccountNotFound": ErrorCode.FUNDS_INSUFFICIENT,
    "ResultWithNegativeLamports": ErrorCode.FUNDS_INSUFFICIENT,
    "NotApproved": ErrorCode.POOL_CLOSED,
    "PoolDisabled": ErrorCode.POOL_CLOSED,
}
