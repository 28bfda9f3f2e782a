"""What the chain's own words for a failure mean to a trader."""

from collections.abc import Sequence
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.solana.program_failure import ProgramFailure, read_failure
from orderd.solana.programs import associated_token, system, token
from orderd.solana.rpc_types import TransactionError

_FUNDS: Final = dict.fromkeys(
    (
        "AccountNotFound",
        "InsufficientFunds",
        "InsufficientFundsForFee",
        "InsufficientFundsForRent",
        "ResultWithNegativeLamports",
    ),
    ErrorCode.FUNDS_INSUFFICIENT,
)
_CPMM: Final = {
    "ExceededSlippage": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "NotApproved": ErrorCode.POOL_CLOSED,
    "InsufficientVault": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
}
_CLMM: Final = {
    "TooLittleOutputReceived": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "NotApproved": ErrorCode.POOL_CLOSED,
}
_AMM_V4: Final = {
    "ExceededSlippage": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "InvalidStatus": ErrorCode.POOL_CLOSED,
    "InsufficientFunds": ErrorCode.FUNDS_INSUFFICIENT,
    "InvalidSplTokenProgram": ErrorCode.FUNDS_INSUFFICIENT,  # what it says of a source account that does not exist
}
_DLMM: Final = {
    "ExceededAmountSlippageTolerance": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "ExceededBinSlippageTolerance": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "PoolDisabled": ErrorCode.POOL_CLOSED,
    "PairInsufficientLiquidity": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
}
_DAMM_V2: Final = {
    "ExceededSlippage": ErrorCode.TX_SLIPPAGE_EXCEEDED,
    "PoolDisabled": ErrorCode.POOL_CLOSED,
}
_CODES: Final[dict[str | None, dict[str, ErrorCode]]] = {
    None: _FUNDS,  # the runtime
    **{
        str(program): codes
        for codes, programs in (
            (
                _FUNDS,
                (
                    system.PROGRAM_ID,
                    token.PROGRAM_ID,
                    token.TOKEN_2022_PROGRAM_ID,
                    associated_token.PROGRAM_ID,
                ),
            ),
            (_CPMM, (raydium_cpmm.PROGRAM_ID, raydium_cpmm.DEVNET_PROGRAM_ID)),
            (_CLMM, (raydium_clmm.PROGRAM_ID, raydium_clmm.DEVNET_PROGRAM_ID)),
            (_AMM_V4, (raydium_amm_v4.PROGRAM_ID, raydium_amm_v4.DEVNET_PROGRAM_ID)),
            (_DLMM, (meteora_dlmm.PROGRAM_ID,)),
            (_DAMM_V2, (meteora_damm_v2.PROGRAM_ID,)),
        )
        for program in programs
    },
}
"""By program: the same name may mean another thing elsewhere."""
_SOURCES: Final = frozenset({None, "input_token_account", "user_token_in"})
"""What the programs call the account that pays. DAMM v2 does not name it."""


class ChainError(OrderdError):
    """A failure that the chain told, with the programs' logs."""

    def __init__(self, code: ErrorCode, detail: str, failure: ProgramFailure, logs: Sequence[str]) -> None:
        super().__init__(code, detail)
        self.failure = failure
        self.logs = logs


def explain(err: TransactionError, logs: Sequence[str]) -> ChainError:
    """The failure of a transaction, landed or simulated, as the error that its order gets."""
    failure = read_failure(err, logs)
    known = _CODES.get(failure.program, {})
    # Anchor's own word. The source account is made by whoever first receives the token; the destination, by the trade.
    if failure.name == "AccountNotInitialized" and known and failure.account in _SOURCES:
        detail = f"the wallet holds none of the token that is sold: the chain answered {failure}"
        return ChainError(ErrorCode.FUNDS_INSUFFICIENT, detail, failure, logs)
    return ChainError(known.get(failure.name, ErrorCode.TX_FAILED), f"the chain answered {failure}", failure, logs)
