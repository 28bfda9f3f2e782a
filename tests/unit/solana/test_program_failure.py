"""The cause of a failed transaction, read from the programs' logs."""

from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.solana.program_failure import OUT_OF_UNITS, read_failure
from orderd.solana.programs import token
from orderd.solana.rpc_types import TransactionError

CPMM, TOKEN = str(raydium_cpmm.PROGRAM_ID), str(token.PROGRAM_ID)
BUDGET = "ComputeBudget111111111111111111111111111111"
CUSTOM_6005 = {"InstructionError": [4, {"Custom": 6005}]}


def test_a_programs_error_is_read_by_name() -> None:
    logs = [
        f"Program {BUDGET} invoke [1]",
        f"Program {BUDGET} success",
        f"Program {CPMM} invoke [1]",
        "Program log: Instruction: SwapBaseInput",
        "Program log: AnchorError thrown in programs/cp-swap/src/instructions/swap_base_input.rs:109. "
        "Error Code: ExceededSlippage. Error Number: 6005. Error Message: Exceeds desired slippage limit.",
        f"Program {CPMM} consumed 30991 of 199850 compute units",
        f"Program {CPMM} failed: custom program error: 0x1775",
    ]
    failure = read_failure(CUSTOM_6005, logs)
    assert (failure.program, failure.name, failure.number) == (CPMM, "ExceededSlippage", 6005)
    assert str(failure) == f"ExceededSlippage in program {CPMM}"


def test_the_innermost_program_is_the_one_that_failed() -> None:
    logs = [
        f"Program {CPMM} invoke [1]",
        "Program log: Instruction: SwapBaseInput",
        f"Program {TOKEN} invoke [2]",
        "Program log: Instruction: TransferChecked",
        "Program log: Error: insufficient funds",
        f"Program {TOKEN} consumed 4200 of 180000 compute units",
        f"Program {TOKEN} failed: custom program error: 0x1",
        f"Program {CPMM} consumed 24000 of 199850 compute units",
        f"Program {CPMM} failed: custom program error: 0x1",
    ]
    failure = read_failure({"InstructionError": [4, {"Custom": 1}]}, logs)
    assert (failure.program, failure.name, failure.number) == (TOKEN, "InsufficientFunds", 1)


def test_an_unnamed_error_is_not_interpreted_for_a_program_with_changing_numbers() -> None:
    logs = [f"Program {CPMM} invoke [1]", f"Program {CPMM} failed: custom program error: 0x1775"]
    failure = read_failure(CUSTOM_6005, logs)
    assert (failure.name, failure.number) == ("Custom(6005)", 6005)


def test_an_error_name_logged_by_a_successful_call_is_ignored() -> None:
    logs = [
        f"Program {CPMM} invoke [1]",
        f"Program {TOKEN} invoke [2]",
        "Program log: AnchorError occurred. Error Code: Harmless. Error Number: 6000. Error Message: x.",
        f"Program {TOKEN} success",
        f"Program {CPMM} failed: custom program error: 0x2",
    ]
    assert read_failure({"InstructionError": [0, {"Custom": 2}]}, logs).name == "Custom(2)"


def test_the_account_that_a_program_names_as_the_cause_is_reported() -> None:
    logs = [
        f"Program {CPMM} invoke [1]",
        "Program log: AnchorError caused by account: input_token_account. Error Code: AccountNotInitialized. "
        "Error Number: 3012. Error Message: The program expected this account to be already initialized.",
        f"Program {CPMM} failed: custom program error: 0xbc4",
    ]
    failure = read_failure({"InstructionError": [2, {"Custom": 3012}]}, logs)
    assert (failure.name, failure.account) == ("AccountNotInitialized", "input_token_account")
    assert str(failure) == f"AccountNotInitialized about input_token_account in program {CPMM}"


def test_an_unnamed_error_is_interpreted_for_a_program_with_fixed_numbers() -> None:
    amm_v4 = str(raydium_amm_v4.PROGRAM_ID)
    logs = [f"Program {amm_v4} invoke [1]", f"Program {amm_v4} failed: custom program error: 0x1e"]
    assert read_failure({"InstructionError": [2, {"Custom": 30}]}, logs).name == "ExceededSlippage"


def test_a_memo_cannot_imitate_an_error() -> None:
    memo = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
    logs = [
        f"Program {memo} invoke [1]",
        'Program log: Memo (len 31): "Error Code: ExceededSlippage."',
        f"Program {memo} success",
        f"Program {TOKEN} invoke [1]",
        f"Program {TOKEN} failed: custom program error: 0x4",
    ]
    failure = read_failure({"InstructionError": [1, {"Custom": 4}]}, logs)
    assert (failure.program, failure.name) == (TOKEN, "OwnerMismatch")


def test_running_out_of_compute_units_is_named_by_the_runtime() -> None:
    logs = [f"Program {CPMM} invoke [1]", f"Program {CPMM} failed: exceeded CUs meter at BPF instruction"]
    failure = read_failure({"InstructionError": [2, "ComputationalBudgetExceeded"]}, logs)
    assert (failure.program, failure.name, failure.number) == (CPMM, "ComputationalBudgetExceeded", None)


def test_an_incomplete_program_without_units_ran_out_of_units() -> None:
    logs = [f"Program {CPMM} invoke [1]", f"Program {CPMM} failed: exceeded CUs meter at BPF instruction"]
    assert read_failure({"InstructionError": [2, "ProgramFailedToComplete"]}, logs).name == OUT_OF_UNITS
    logs = [f"Program {CPMM} invoke [1]", f"Program {CPMM} failed: Access violation in unknown section"]
    assert read_failure({"InstructionError": [2, "ProgramFailedToComplete"]}, logs).name == "ProgramFailedToComplete"


def test_an_error_of_the_runtime_has_no_program() -> None:
    refusals: list[tuple[TransactionError, str]] = [
        ("BlockhashNotFound", "BlockhashNotFound"),
        ("InsufficientFundsForFee", "InsufficientFundsForFee"),
        ({"InsufficientFundsForRent": {"account_index": 0}}, "InsufficientFundsForRent"),
        ({"DuplicateInstruction": 3}, "DuplicateInstruction"),
        ({}, "Unknown"),
    ]
    for err, name in refusals:
        failure = read_failure(err, [])
        assert (failure.program, failure.name) == (None, name)
        assert str(failure) == name


def test_only_the_number_is_known_without_logs() -> None:
    failure = read_failure(CUSTOM_6005, [])
    assert (failure.program, failure.name, failure.number) == (None, "Custom(6005)", 6005)


def test_an_instruction_error_with_details_is_named() -> None:
    err = {"InstructionError": [0, {"BorshIoError": "Unknown"}]}
    assert read_failure(err, []).name == "BorshIoError"
