"""Errors of the chain are interpreted by the program that raised them, because names are not unique."""

import pytest

from orderd.domain.errors import ErrorCode
from orderd.engine.chain_errors import explain
from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.solana.programs import system, token

STRANGER = "Stranger11111111111111111111111111111111111"


def refusal(program: object, name: str, cause: str = "AnchorError occurred. ") -> list[str]:
    return [
        f"Program {program} invoke [1]",
        f"Program log: {cause}Error Code: {name}. Error Number: 6005. Error Message: {name}.",
        f"Program {program} failed: custom program error: 0x1775",
    ]


def code(logs: list[str]) -> ErrorCode:
    return explain({"InstructionError": [3, {"Custom": 6005}]}, logs).code


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (raydium_cpmm.PROGRAM_ID, "ExceededSlippage"),
        (raydium_cpmm.DEVNET_PROGRAM_ID, "ExceededSlippage"),
        (raydium_clmm.PROGRAM_ID, "TooLittleOutputReceived"),
        (meteora_dlmm.PROGRAM_ID, "ExceededAmountSlippageTolerance"),
        (meteora_damm_v2.PROGRAM_ID, "ExceededSlippage"),
    ],
)
def test_the_slippage_error_of_each_program_is_recognised(program: object, name: str) -> None:
    assert code(refusal(program, name)) is ErrorCode.TX_SLIPPAGE_EXCEEDED


@pytest.mark.parametrize("name", ["ExceededSlippage", "InsufficientFunds", "AccountNotInitialized", "NotApproved"])
def test_an_error_name_of_another_program_is_not_interpreted(name: str) -> None:
    assert code(refusal(STRANGER, name)) is ErrorCode.TX_FAILED
    assert code(refusal(meteora_dlmm.PROGRAM_ID, "NotApproved")) is ErrorCode.TX_FAILED


@pytest.mark.parametrize(("number", "expected"), [(30, "TX_SLIPPAGE_EXCEEDED"), (40, "FUNDS_INSUFFICIENT")])
def test_errors_of_amm_v4_are_interpreted_by_number(number: int, expected: str) -> None:
    amm_v4 = raydium_amm_v4.PROGRAM_ID
    logs = [f"Program {amm_v4} invoke [1]", f"Program {amm_v4} failed: custom program error: 0x{number:x}"]
    assert explain({"InstructionError": [3, {"Custom": number}]}, logs).code == expected


@pytest.mark.parametrize("program", [system.PROGRAM_ID, token.PROGRAM_ID, token.TOKEN_2022_PROGRAM_ID])
def test_insufficient_funds_are_recognised_from_system_and_token_programs(program: object) -> None:
    logs = [f"Program {program} invoke [1]", f"Program {program} failed: custom program error: 0x1"]
    assert explain({"InstructionError": [3, {"Custom": 1}]}, logs).code is ErrorCode.FUNDS_INSUFFICIENT


@pytest.mark.parametrize(
    ("program", "account", "expected"),
    [
        (raydium_cpmm.PROGRAM_ID, "input_token_account", ErrorCode.FUNDS_INSUFFICIENT),
        (raydium_clmm.PROGRAM_ID, "input_token_account", ErrorCode.FUNDS_INSUFFICIENT),
        (meteora_dlmm.PROGRAM_ID, "user_token_in", ErrorCode.FUNDS_INSUFFICIENT),
        (raydium_clmm.PROGRAM_ID, "tick_array", ErrorCode.TX_FAILED),
        (raydium_clmm.PROGRAM_ID, "user_token_in", ErrorCode.TX_FAILED),  # the name belongs to another program
    ],
)
def test_only_a_missing_source_account_means_insufficient_funds(
    program: object, account: str, expected: ErrorCode
) -> None:
    logs = refusal(program, "AccountNotInitialized", f"AnchorError caused by account: {account}. ")
    error = explain({"InstructionError": [3, {"Custom": 3012}]}, logs)
    assert error.code is expected
    assert ("holds none of the token that is sold" in error.detail) == (expected is ErrorCode.FUNDS_INSUFFICIENT)


def test_the_programs_message_is_part_of_the_error() -> None:
    logs = refusal(raydium_cpmm.PROGRAM_ID, "ExceededSlippage")
    assert explain({"InstructionError": [3, {"Custom": 6005}]}, logs).logs == logs
