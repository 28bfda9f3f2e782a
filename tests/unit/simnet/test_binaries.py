"""Program binaries in place of the local chain's handlers.

LiteSVM contains the binaries of Token, Associated Token Account and Memo: run one instruction at a time on the local
chain's accounts, they answer like the handlers. Binaries of pools are compared by ``make conformance``.
"""

from pathlib import Path

import pytest
from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.simnet.actors import TRADERS
from orderd.simnet.chain import Chain
from orderd.simnet.config import SimnetConfig
from orderd.simnet.invoke import NativeProgram
from orderd.simnet.programs.binaries import Binaries, BinariesError
from orderd.simnet.programs.disturbed import programs_of, with_outage
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import Outcome
from orderd.simnet.transaction import decode
from orderd.solana.pool_programs import program_of
from orderd.solana.programs import associated_token, memo, token
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import error_code
from tests.unit.simnet.test_differential import ASSOCIATED, MEMO_AND_BUDGET, TOKEN, Scenario, move, without_units
from tests.unit.simnet.world import ALICE, BOB, MINTED, NOBODY, PAYER, ata, by_simnet, signed, world

BROUGHT = (token.PROGRAM_ID, associated_token.PROGRAM_ID, memo.PROGRAM_ID)


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    """One instance for all tests, as on a chain: earlier transactions must have no effect."""
    return Binaries()


def on(binaries: Binaries) -> dict[Pubkey, NativeProgram]:
    return {**PROGRAMS, **dict.fromkeys(BROUGHT, NativeProgram(binaries.process))}


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=name)
        for scenarios in (TOKEN, ASSOCIATED, MEMO_AND_BUDGET)
        for name, scenario in scenarios.items()
    ],
)
def test_binaries_answer_like_the_handlers(binaries: Binaries, scenario: Scenario) -> None:
    accounts = world()
    scenario.alter(accounts)
    transaction = signed(scenario.instructions, scenario.signers, LiteSVM().latest_blockhash(), legacy=scenario.legacy)

    by_binaries = by_simnet(transaction, accounts, on(binaries))
    by_handlers = by_simnet(transaction, accounts)

    assert by_binaries == by_handlers
    assert [without_units(line) for line in by_binaries.logs] == [without_units(line) for line in by_handlers.logs]


def test_an_instruction_sees_the_effects_of_earlier_ones(binaries: Binaries) -> None:
    accounts = world()
    blockhash = LiteSVM().latest_blockhash()
    back = token.transfer(ata(BOB), ata(ALICE), BOB.pubkey(), 7)
    transaction = signed([move(5), back, move(MINTED + 2)], [PAYER, ALICE, BOB], blockhash)

    verdict = by_simnet(transaction, accounts, on(binaries))

    assert verdict == by_simnet(transaction, accounts)
    assert verdict.error is None


def test_a_failed_transaction_is_undone(binaries: Binaries) -> None:
    accounts = world()
    blockhash = LiteSVM().latest_blockhash()
    failed = by_simnet(signed([move(5), move(MINTED)], [PAYER, ALICE], blockhash), accounts, on(binaries))
    after = by_simnet(signed([move(MINTED)], [PAYER, ALICE], blockhash), failed.accounts, on(binaries))

    assert failed.error == {"InstructionError": [1, {"Custom": 1}]}
    assert after.error is None


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with the binary of the Associated Token Account program."""
    elf = LiteSVM().get_account(associated_token.PROGRAM_ID)
    assert elf is not None
    (tmp_path / f"{associated_token.PROGRAM_ID}.so").write_bytes(elf.data)
    return tmp_path


def made_by(chain: LocalChain) -> Outcome:
    """The outcome of creating a missing account for wrapped SOL."""
    owner = NOBODY.pubkey()
    return chain.send(associated_token.create_idempotent(chain.trader.pubkey(), owner, token.NATIVE_MINT))


def test_a_binary_of_a_directory_replaces_the_handler(directory: Path) -> None:
    programs = {**PROGRAMS, **Binaries(directory).programs()}
    by_handler, by_binary = made_by(LocalChain()), made_by(LocalChain(landing_programs=programs))

    assert by_binary.error is None
    assert by_binary.after == by_handler.after
    assert [call.program_id for _, calls in by_binary.inner for call in calls] == [
        call.program_id for _, calls in by_handler.inner for call in calls
    ]
    assert by_binary.units != by_handler.units  # the handler's units are rounded


def test_a_chain_runs_the_given_binaries(directory: Path, tmp_path: Path) -> None:
    chain = Chain(SimnetConfig(state_dir=tmp_path / "chain", market=False, programs=directory))
    payer = TRADERS[0]
    create = associated_token.create_idempotent(payer.pubkey(), NOBODY.pubkey(), token.NATIVE_MINT)
    transaction = decode(bytes(signed([create], [payer], chain.bank.open.parent)))

    simulated = chain.bank.simulate(transaction, chain.bank.view(chain.bank.open.slot))
    landed = chain.bank.process(transaction)
    chain.close()

    assert landed.error is None
    assert landed == simulated


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (None, b"", "holds no programs"),
        ("pool.so", b"", "is not named after a program's address"),
        (f"{memo.PROGRAM_ID}.so", b"no binary", "is not a program that can be loaded"),
    ],
)
def test_an_invalid_directory_of_programs_is_refused(
    tmp_path: Path, name: str | None, content: bytes, complaint: str
) -> None:
    if name is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BinariesError, match=complaint):
        Binaries(tmp_path)
    with pytest.raises(BinariesError, match="is not a directory"):
        Binaries(tmp_path / "elsewhere")


def test_an_injected_fault_affects_a_binary_like_a_handler(binaries: Binaries) -> None:
    stricken = with_outage(
        {**PROGRAMS, **dict.fromkeys(programs_of(frozenset(VenueName)), NativeProgram(binaries.process))},
        frozenset(VenueName),
    )
    for kind in PoolKind:
        program = program_of(kind)
        outcome = LocalChain(landing_programs=stricken).send(Instruction(program.ids["simnet"], b"", []))
        assert error_code(outcome) == program.number_of(ErrorCode.POOL_CLOSED)
