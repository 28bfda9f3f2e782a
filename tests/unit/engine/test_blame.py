"""A refused transaction is blamed on a pool, on a route, or on neither."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from orderd.domain.quote import Hop, Route
from orderd.engine.chain_errors import ChainError, explain
from orderd.engine.execution.blame import RouteRefusedError, is_lasting, refusal_of
from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.solana.programs import token
from orderd.solana.rpc_types import TransactionError
from tests.unit.engine.test_building import LEG

FIRST, SECOND, ELSE = (Pubkey.from_bytes(bytes([number]) * 32) for number in (1, 2, 3))
ROUTE = Route((Hop((replace(LEG, pool=str(FIRST)), replace(LEG, pool=str(SECOND)))),))
INSTRUCTIONS = [
    Instruction(ELSE, b"", [AccountMeta(key, False, True) for key in keys])
    for keys in ((), (ELSE,), (ELSE, FIRST), (SECOND, ELSE), (ELSE,))
]
"""Compute budget, token account, the two swaps, and closing an account."""


def logs(program: Pubkey, name: str) -> list[str]:
    return [
        f"Program {program} invoke [1]",
        f"Program log: AnchorError occurred. Error Code: {name}. Error Number: 6000. Error Message: {name}.",
        f"Program {program} failed: custom program error: 0x1770",
    ]


def judged(err: TransactionError, lines: Sequence[str]) -> tuple[RouteRefusedError | None, ChainError]:
    error = explain(err, lines)
    return refusal_of(ROUTE, INSTRUCTIONS, err, error), error


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (raydium_cpmm.PROGRAM_ID, "NotApproved"),
        (raydium_clmm.PROGRAM_ID, "NotApproved"),
        (raydium_clmm.PROGRAM_ID, "ConstraintSeeds"),
        (meteora_dlmm.PROGRAM_ID, "PoolDisabled"),
        (meteora_damm_v2.PROGRAM_ID, "PoolDisabled"),
        (meteora_damm_v2.PROGRAM_ID, "InstructionFallbackNotFound"),
    ],
)
@pytest.mark.parametrize(("index", "pool"), [(2, FIRST), (3, SECOND)])
def test_a_failing_swap_is_blamed_on_its_pool_if_the_error_is_lasting(
    program: Pubkey, name: str, index: int, pool: Pubkey
) -> None:
    refusal, error = judged({"InstructionError": [index, {"Custom": 6000}]}, logs(program, name))
    assert refusal is not None
    assert (refusal.pool, refusal.error) == (str(pool), error)
    assert is_lasting(error)


@pytest.mark.parametrize("index", [99, -2, "2", None, 2.0])
def test_an_instruction_that_is_not_in_the_transaction_is_nobodys_fault(index: object) -> None:
    lines = logs(raydium_cpmm.PROGRAM_ID, "NotApproved")
    assert judged({"InstructionError": [index, {"Custom": 6000}]}, lines)[0] is None


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("PrivilegeEscalation", "Cross-program invocation with unauthorized signer or writable account"),
        ("InvalidSeeds", "Provided seeds do not result in a valid address"),
        ("InvalidInstructionData", "invalid instruction data"),
    ],
)
def test_runtime_errors_are_lasting(cause: str, reason: str) -> None:
    program = raydium_cpmm.PROGRAM_ID
    lines = [f"Program {program} invoke [1]", f"Program {program} failed: {reason}"]
    for each in (lines, []):  # a node may return no logs
        refusal, error = judged({"InstructionError": [2, cause]}, each)
        assert refusal is not None
        assert refusal.pool == str(FIRST)
        assert is_lasting(error)


@pytest.mark.parametrize(("number", "lasts"), [(22, True), (4, True), (59, True), (31, False)])
def test_errors_of_amm_v4_are_classified_by_number(number: int, lasts: bool) -> None:
    program = raydium_amm_v4.PROGRAM_ID
    lines = [f"Program {program} invoke [1]", f"Program {program} failed: custom program error: {number:#x}"]
    refusal, error = judged({"InstructionError": [3, {"Custom": number}]}, lines)
    assert refusal is not None
    assert is_lasting(error) is lasts


def test_a_frozen_vault_is_blamed_on_its_pool() -> None:
    lines = [
        f"Program {raydium_cpmm.PROGRAM_ID} invoke [1]",
        f"Program {token.PROGRAM_ID} invoke [2]",
        f"Program {token.PROGRAM_ID} failed: custom program error: 0x11",
        f"Program {raydium_cpmm.PROGRAM_ID} failed: custom program error: 0x11",
    ]
    refusal, error = judged({"InstructionError": [2, {"Custom": 17}]}, lines)
    assert refusal is not None
    assert is_lasting(error)


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (meteora_dlmm.PROGRAM_ID, "PairInsufficientLiquidity"),
        (raydium_clmm.PROGRAM_ID, "NotEnoughTickArrayAccount"),
        (raydium_cpmm.PROGRAM_ID, "SomethingThatIsNewHere"),
        (raydium_cpmm.PROGRAM_ID, "PoolDisabled"),  # the name belongs to another program
        (ELSE, "NotApproved"),
    ],
)
def test_other_errors_are_blamed_on_the_route_and_not_on_the_pool(program: Pubkey, name: str) -> None:
    refusal, error = judged({"InstructionError": [2, {"Custom": 6000}]}, logs(program, name))
    assert refusal is not None
    assert refusal.pool == str(FIRST)
    assert not is_lasting(error)


@pytest.mark.parametrize(
    ("err", "lines"),
    [
        ({"InstructionError": [2, {"Custom": 6005}]}, logs(raydium_cpmm.PROGRAM_ID, "ExceededSlippage")),
        ({"InstructionError": [1, {"Custom": 1}]}, logs(ELSE, "NotApproved")),
        ({"InstructionError": [4, "InvalidAccountData"]}, []),
        ({"InsufficientFundsForRent": {"account_index": 2}}, []),
        ("BlockhashNotFound", []),
    ],
    ids=["slippage", "another instruction fails", "closing the account fails", "too little for rent", "no blockhash"],
)
def test_errors_outside_of_swaps_are_blamed_on_neither(err: TransactionError, lines: list[str]) -> None:
    assert judged(err, lines)[0] is None


def test_an_empty_wallet_is_blamed_on_neither() -> None:
    lines = logs(meteora_damm_v2.PROGRAM_ID, "AccountNotInitialized")
    assert judged({"InstructionError": [2, {"Custom": 3012}]}, lines)[0] is None


@pytest.mark.parametrize("cause", ["ComputationalBudgetExceeded", "ProgramFailedToComplete"])
@pytest.mark.parametrize("index", [2, 4], ids=["in a swap", "after the swaps"])
def test_running_out_of_compute_units_is_blamed_on_the_route(cause: str, index: int) -> None:
    lines = [f"Program {ELSE} invoke [1]", f"Program {ELSE} failed: exceeded CUs meter at BPF instruction"]
    refusal, error = judged({"InstructionError": [index, cause]}, lines)
    assert refusal is not None
    assert refusal.pool is None
    assert not is_lasting(error)
