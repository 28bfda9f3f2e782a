"""A refused transaction speaks against a pool, against a route, or against neither."""

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
"""Budget, account, the two swaps, and closing an account."""


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
def test_the_failing_instruction_leads_to_the_pool_and_the_name_says_that_it_lasts(
    program: Pubkey, name: str, index: int, pool: Pubkey
) -> None:
    refusal, error = judged({"InstructionError": [index, {"Custom": 6000}]}, logs(program, name))
    assert refusal is not None
    assert (refusal.pool, refusal.error) == (str(pool), error)
    assert is_lasting(error)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("PrivilegeEscalation", "Cross-program invocation with unauthorized signer or writable account"),
        ("InvalidSeeds", "Provided seeds do not result in a valid address"),
        ("InvalidInstructionData", "invalid instruction data"),
    ],
)
def test_what_the_runtime_cannot_allow_lasts(cause: str, reason: str) -> None:
    program = raydium_cpmm.PROGRAM_ID
    lines = [f"Program {program} invoke [1]", f"Program {program} failed: {reason}"]
    for each in (lines, []):  # a node may keep the logs to itself
        refusal, error = judged({"InstructionError": [2, cause]}, each)
        assert refusal is not None
        assert refusal.pool == str(FIRST)
        assert is_lasting(error)


@pytest.mark.parametrize(("number", "lasts"), [(22, True), (4, True), (59, True), (31, False)])
def test_amm_v4_is_judged_by_its_numbers(number: int, lasts: bool) -> None:
    program = raydium_amm_v4.PROGRAM_ID
    lines = [f"Program {program} invoke [1]", f"Program {program} failed: custom program error: {number:#x}"]
    refusal, error = judged({"InstructionError": [3, {"Custom": number}]}, lines)
    assert refusal is not None
    assert is_lasting(error) is lasts


def test_a_vault_that_is_frozen_is_the_pools() -> None:
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
        (raydium_cpmm.PROGRAM_ID, "PoolDisabled"),  # another program's word
        (ELSE, "NotApproved"),
    ],
)
def test_what_is_not_known_to_last_is_this_orders_matter_alone(program: Pubkey, name: str) -> None:
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
def test_what_is_no_pools_doing_speaks_against_no_route(err: TransactionError, lines: list[str]) -> None:
    assert judged(err, lines)[0] is None


def test_a_wallet_without_the_token_speaks_against_no_route() -> None:
    lines = logs(meteora_damm_v2.PROGRAM_ID, "AccountNotInitialized")
    assert judged({"InstructionError": [2, {"Custom": 3012}]}, lines)[0] is None


@pytest.mark.parametrize("cause", ["ComputationalBudgetExceeded", "ProgramFailedToComplete"])
@pytest.mark.parametrize("index", [2, 4], ids=["in a swap", "behind the swaps"])
def test_running_out_of_compute_units_speaks_against_the_route_as_a_whole(cause: str, index: int) -> None:
    lines = [f"Program {ELSE} invoke [1]", f"Program {ELSE} failed: exceeded CUs meter at BPF instruction"]
    refusal, error = judged({"InstructionError": [index, cause]}, lines)
    assert refusal is not None
    assert refusal.pool is None
    assert not is_lasting(error)
