"""The program's custom errors: their numbers, and their texts in the log."""

from typing import Final

(
    NOT_RENT_EXEMPT,
    INSUFFICIENT_FUNDS,
    INVALID_MINT,
    MINT_MISMATCH,
    OWNER_MISMATCH,
    FIXED_SUPPLY,
    ALREADY_IN_USE,
    _,
    _,
    UNINITIALIZED_STATE,
    NATIVE_NOT_SUPPORTED,
    NON_NATIVE_HAS_BALANCE,
    INVALID_INSTRUCTION,
    INVALID_STATE,
    OVERFLOW,
    AUTHORITY_TYPE_NOT_SUPPORTED,
    MINT_CANNOT_FREEZE,
    ACCOUNT_FROZEN,
    MINT_DECIMALS_MISMATCH,
    NON_NATIVE_NOT_SUPPORTED,
) = range(20)

MINT_REQUIRED_FOR_TRANSFER: Final = 31
"""An error of Token-2022 only."""

TEXT: Final = {
    NOT_RENT_EXEMPT: "Lamport balance below rent-exempt threshold",
    INSUFFICIENT_FUNDS: "insufficient funds",
    INVALID_MINT: "Invalid Mint",
    MINT_MISMATCH: "Account not associated with this Mint",
    OWNER_MISMATCH: "owner does not match",
    FIXED_SUPPLY: "the total supply of this token is fixed",
    ALREADY_IN_USE: "account or token already in use",
    UNINITIALIZED_STATE: "State is uninitialized",
    NATIVE_NOT_SUPPORTED: "Instruction does not support native tokens",
    NON_NATIVE_HAS_BALANCE: "Non-native account can only be closed if its balance is zero",
    INVALID_INSTRUCTION: "Invalid instruction",
    INVALID_STATE: "Invalid account state for operation",
    OVERFLOW: "Operation overflowed",
    AUTHORITY_TYPE_NOT_SUPPORTED: "Account does not support specified authority type",
    MINT_CANNOT_FREEZE: "This token mint cannot freeze accounts",
    ACCOUNT_FROZEN: "Account is frozen",
    MINT_DECIMALS_MISMATCH: "decimals different from the Mint decimals",
    NON_NATIVE_NOT_SUPPORTED: "Instruction does not support non-native tokens",
    MINT_REQUIRED_FOR_TRANSFER: "Mint required for this account to transfer tokens, use `transfer_checked` or "
    "`transfer_checked_with_fee`",
}
