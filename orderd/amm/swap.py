"""What all swaps share: the reasons for a refusal, integer limits, and rounding."""

from enum import StrEnum
from typing import Final

U32_MAX: Final = (1 << 32) - 1
U64_MAX: Final = (1 << 64) - 1
U128_MAX: Final = (1 << 128) - 1


class SwapErrorKind(StrEnum):
    """The reason why a pool refuses a swap. The programs refuse the same swaps, under other names."""

    ZERO_INPUT = "zero_input"
    ZERO_OUTPUT = "zero_output"
    INSUFFICIENT_LIQUIDITY = "insufficient_liquidity"
    AMOUNT_IN_EXCEEDS_U64 = "amount_in_exceeds_u64"
    VAULT_BALANCE_OVERFLOW = "vault_balance_overflow"
    MATH_OVERFLOW = "math_overflow"
    INVALID_PRICE_LIMIT = "invalid_price_limit"
    UNSUPPORTED_FEE_MODE = "unsupported_fee_mode"
    OUTPUT_FALLS_SHORT = "output_falls_short"
    UNFORESEEN = "unforeseen"


_EXPLANATIONS: Final = {
    SwapErrorKind.ZERO_INPUT: "nothing would be paid in; ask for a greater amount",
    SwapErrorKind.ZERO_OUTPUT: "nothing would be paid out, the amount is too small for this pool; use a greater amount",
    SwapErrorKind.INSUFFICIENT_LIQUIDITY: "the pool does not hold enough for this amount; use a smaller one",
    SwapErrorKind.AMOUNT_IN_EXCEEDS_U64: "the amount in does not fit in 64 bits; use a smaller amount",
    SwapErrorKind.VAULT_BALANCE_OVERFLOW: "the pool's vault could not hold the amount in; use a smaller amount",
    SwapErrorKind.INVALID_PRICE_LIMIT: "the price limit is not ahead of the price; set it lower to sell, higher to buy",
    SwapErrorKind.UNSUPPORTED_FEE_MODE: "the pool's fee follows a rule that is not known here; use another pool",
    SwapErrorKind.OUTPUT_FALLS_SHORT: "rounded down, the pool would pay less than was asked for; use another amount",
    SwapErrorKind.UNFORESEEN: "the pool is in an unexpected state; use another pool",
    SwapErrorKind.MATH_OVERFLOW: "the program's arithmetic overflows; use a smaller amount or another pool",
}


class SwapError(Exception):
    """The pool cannot make this swap; ``kind`` says why. The pool is unchanged."""

    def __init__(self, kind: SwapErrorKind) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.kind}: {_EXPLANATIONS[self.kind]}"


def less_fee(amount: int, fee: int) -> int:
    """The amount less a fee. Raises SwapError if the fee is negative or exceeds the amount, as the programs do."""
    if not 0 <= fee <= amount:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return amount - fee


def ceil_div(dividend: int, divisor: int) -> int:
    """The quotient rounded up. Raises ZeroDivisionError."""
    return -(-dividend // divisor)
