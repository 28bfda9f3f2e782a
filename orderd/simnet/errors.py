"""Errors of transactions and instructions, with the texts and the JSON of the real cluster.

    ExecutionError
    ├── InstructionError    one instruction failed: a named error, or a program's own number
    │   └── RuntimeViolationError  it broke a rule of the runtime
    └── TransactionError    the transaction as a whole is refused or failed

Names and texts: anza-xyz/solana-sdk, ``instruction-error`` and ``transaction-error``.
"""

from typing import Any, Final

_INSTRUCTION_TEXT: Final = {
    "AccountAlreadyInitialized": "instruction requires an uninitialized account",
    "AccountNotRentExempt": "An account does not have enough lamports to be rent-exempt",
    "ArithmeticOverflow": "Program arithmetic overflowed",
    "CallDepth": "Cross-program invocation call depth too deep",
    "ComputationalBudgetExceeded": "Computational budget exceeded",
    "ExternalAccountDataModified": "instruction modified data of an account it does not own",
    "ExternalAccountLamportSpend": "instruction spent from the balance of an account it does not own",
    "IllegalOwner": "Provided owner is not allowed",
    "IncorrectProgramId": "incorrect program id for instruction",
    "InsufficientFunds": "insufficient funds for instruction",
    "InvalidAccountData": "invalid account data for instruction",
    "InvalidAccountOwner": "Invalid account owner",
    "InvalidArgument": "invalid program argument",
    "InvalidInstructionData": "invalid instruction data",
    "InvalidSeeds": "Provided seeds do not result in a valid address",
    "MissingAccount": "An account required by the instruction is missing",
    "MissingRequiredSignature": "missing required signature for instruction",
    "ModifiedProgramId": "instruction illegally modified the program id of an account",
    "NotEnoughAccountKeys": "insufficient account keys for instruction",
    "PrivilegeEscalation": "Cross-program invocation with unauthorized signer or writable account",
    "ProgramFailedToComplete": "Program failed to complete",
    "ReadonlyDataModified": "instruction modified data of a read-only account",
    "ReadonlyLamportChange": "instruction changed the balance of a read-only account",
    "UninitializedAccount": "instruction requires an initialized account",
    "UnsupportedProgramId": "Unsupported program id",
}

_TRANSACTION_TEXT: Final = {
    "AccountLoadedTwice": "Account loaded twice",
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "AddressLookupTableNotFound": "Transaction loads an address table account that doesn't exist",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "DuplicateInstruction": "Transaction contains a duplicate instruction ({}) that is not allowed",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InsufficientFundsForRent": "Transaction results in an account ({}) with insufficient funds for rent",
    "InvalidAccountForFee": "This account may not be used to pay transaction fees",
    "InvalidAddressLookupTableIndex": "Transaction address table lookup uses an invalid index",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
    "MaxLoadedAccountsDataSizeExceeded": "Transaction exceeded max loaded accounts data size cap",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "SanitizeFailure": "Transaction failed to sanitize accounts offsets correctly",
    "SignatureFailure": "Transaction did not pass signature verification",
    "UnsupportedVersion": "Transaction version is unsupported",
}


class ExecutionError(Exception):
    """A transaction or an instruction failed."""

    def to_json(self) -> Any:  # noqa: ANN401  (a string or an object, as serde writes a Rust enum)
        raise NotImplementedError


class InstructionError(ExecutionError):
    """An instruction failed with a runtime error (``InstructionError("InvalidSeeds")``) or a custom number.

    ``detail`` replaces the text after "failed:" in the log, if the runtime logs more than the error's name.
    """

    def __init__(self, code: str | int, detail: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return (
            f"custom program error: {self.code:#x}"
            if isinstance(self.code, int)
            else _INSTRUCTION_TEXT.get(self.code, self.code)
        )

    def to_json(self) -> str | dict[str, int]:
        return {"Custom": self.code} if isinstance(self.code, int) else self.code


class RuntimeViolationError(InstructionError):
    """The runtime, not the program, stopped an instruction that broke the runtime's rules."""


class TransactionError(ExecutionError):
    """A transaction was refused, or failed outside its instructions; ``index`` is the account or instruction
    concerned."""

    def __init__(self, code: str, index: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.index = index

    def __str__(self) -> str:
        return _TRANSACTION_TEXT.get(self.code, self.code).format(self.index)

    def to_json(self) -> str | dict[str, Any]:
        match self.code, self.index:
            case code, None:
                return code
            case "InsufficientFundsForRent", index:
                return {"InsufficientFundsForRent": {"account_index": index}}
            case code, index:
                return {code: index}


class FailedInstructionError(TransactionError):
    """The instruction at ``index`` failed, and with it the transaction."""

    def __init__(self, index: int, error: InstructionError) -> None:
        super().__init__("InstructionError", index)
        self.error = error

    def __str__(self) -> str:
        return f"Error processing Instruction {self.index}: {self.error}"

    def to_json(self) -> dict[str, Any]:
        return {"InstructionError": [self.index, self.error.to_json()]}
