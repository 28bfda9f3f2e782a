"""Swaps through the program handlers move exactly what the pool maths computes, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.pools.meteora_damm_v2 import instructions as meteora_damm_v2_instructions
from orderd.pools.meteora_damm_v2.simnet.genesis import SOL_USDC_DAMM_V2
from orderd.pools.meteora_dlmm import accounts as meteora_dlmm_accounts
from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import instructions as meteora_dlmm_instructions
from orderd.pools.meteora_dlmm import program as meteora_dlmm_program
from orderd.pools.meteora_dlmm.simnet.genesis import REAL_DLMM_PAIR, SOL_USDC_BS4, SOL_USDC_BS10
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS
from orderd.pools.raydium_cpmm import accounts as raydium_cpmm_accounts
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm_addresses
from orderd.pools.raydium_cpmm import instructions as raydium_cpmm_instructions
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.pools.raydium_cpmm.simnet.genesis import REAL_CPMM_POOL, SOL_USDC_CPMM
from orderd.simnet.account import LedgerAccount
from orderd.simnet.faults import Dice, Faults
from orderd.simnet.genesis import CHILLGUY, STACC, USDC
from orderd.simnet.invoke import SLOTS_PER_EPOCH, Clock
from orderd.simnet.programs.disturbed import with_failures, with_outage
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.programs.token.errors import INSUFFICIENT_FUNDS
from orderd.simnet.runtime import Outcome, execute
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import TokenAccount
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import (
    STRANGER,
    AmmV4,
    Clmm,
    Cpmm,
    DammV2,
    Dlmm,
    Pool,
    error_code,
    error_name,
    with_account,
)

SOL = 10**9
U64_MAX = 2**64 - 1


POOLS: dict[str, tuple[Callable[[LocalChain, Pubkey], Pool], Pubkey]] = {
    "cpmm SOL/USDC": (Cpmm, SOL_USDC_CPMM),
    "cpmm SOL/STACC": (Cpmm, REAL_CPMM_POOL),
    "clmm SOL/USDC 4": (Clmm, SOL_USDC_CLMM_4BPS),
    "clmm SOL/USDC 25": (Clmm, SOL_USDC_CLMM_25BPS),
    "amm v4 SOL/USDC": (AmmV4, SOL_USDC_AMM_V4),
    "dlmm SOL/USDC 4": (Dlmm, SOL_USDC_BS4),
    "dlmm SOL/USDC 10": (Dlmm, SOL_USDC_BS10),
    "dlmm CHILLGUY/SOL": (Dlmm, REAL_DLMM_PAIR),
    "damm v2 SOL/USDC": (DammV2, SOL_USDC_DAMM_V2),
}


@pytest.fixture(params=POOLS)
def pool(request: pytest.FixtureRequest, chain: LocalChain) -> Pool:
    kind, address = POOLS[request.param]
    give_everything(chain)
    return kind(chain, address)


@pytest.fixture
def raydium(chain: LocalChain) -> Cpmm:
    return Cpmm(chain, SOL_USDC_CPMM)


@pytest.fixture
def meteora(chain: LocalChain) -> Dlmm:
    return Dlmm(chain, SOL_USDC_BS4)


def give_everything(chain: LocalChain) -> None:
    """Fund accounts for tokens that the traders do not hold."""
    for mint in (STACC, CHILLGUY):
        state = TokenAccount.new(mint, chain.trader.pubkey(), 10**15)
        chain.bank.accounts[chain.held(mint)] = LedgerAccount(2_039_280, token.PROGRAM_ID, state.encode())


@pytest.mark.parametrize("exact_out", [False, True], ids=["exact in", "exact out"])
@pytest.mark.parametrize("forward", [True, False], ids=["forward", "backward"])
@pytest.mark.parametrize("size", [1_000, 1_500_000, 40_000_000])
def test_a_swap_moves_exactly_the_computed_amounts(pool: Pool, size: int, forward: bool, exact_out: bool) -> None:
    chain = pool.chain
    expected = pool.quote(size, forward=forward, exact_out=exact_out)
    source, destination = (chain.held(mint) for mint in pool.mints(forward=forward))
    vault_in, vault_out = pool.vaults(forward=forward)
    touched = (source, destination, vault_in, vault_out)
    before = {key: chain.amount(key) for key in touched}
    lamports = chain.lamports()

    limit = expected.amount_in if exact_out else expected.amount_out
    transaction = chain.transaction([pool.swap(size, limit, forward=forward, exact_out=exact_out)])
    outcome = chain.bank.process(transaction)

    assert outcome.error is None
    assert {key: chain.amount(key) - before[key] for key in touched} == {
        source: -expected.amount_in,
        vault_in: expected.amount_in,
        vault_out: -expected.amount_out,
        destination: expected.amount_out,
    }
    assert pool.pool() == expected.pool
    assert chain.lamports() == lamports - outcome.fee
    allowed = {*touched, transaction.payer, *pool.may_change()}
    assert set(outcome.changes(transaction)) <= allowed


def test_the_older_instruction_of_damm_v2_enforces_its_minimum(chain: LocalChain) -> None:
    pool = DammV2(chain, SOL_USDC_DAMM_V2)
    expected = pool.quote(SOL, forward=True).amount_out
    destination = chain.held(USDC)
    before = chain.amount(destination)

    def older(least: int) -> Instruction:
        newer = pool.swap(SOL, least, forward=True)
        order = meteora_damm_v2_instructions.Swap(SOL, least)
        return Instruction(newer.program_id, order.encode(), newer.accounts)

    assert error_name(chain.send(older(expected + 1))) == "ExceededSlippage"
    outcome = chain.send(older(expected))
    assert outcome.error is None
    assert "Program log: Instruction: Swap" in outcome.logs
    assert chain.amount(destination) - before == expected


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "backward"])
def test_a_large_swap_walks_over_bin_arrays(meteora: Dlmm, forward: bool) -> None:
    size = 7_000 * SOL if forward else 775_000 * 10**6
    expected = meteora.quote(size, forward=forward)
    assert len({each.bin_id // 70 for each in expected.changed_bins}) > 1

    outcome = meteora.chain.send(meteora.swap(size, expected.amount_out, forward=forward))

    assert outcome.error is None
    assert meteora.pool() == expected.pool


def test_many_swaps_in_both_directions_match_the_maths(pool: Pool) -> None:
    for number in range(40):
        forward = number % 3 != 0
        expected = pool.quote(50_000 + number, forward=forward)
        assert pool.chain.send(pool.swap(50_000 + number, 1, forward=forward)).error is None
        assert pool.pool() == expected.pool


def test_exact_in_refuses_one_unit_less_than_the_minimum(raydium: Cpmm, meteora: Dlmm) -> None:
    for pool, name in ((raydium, "ExceededSlippage"), (meteora, "ExceededAmountSlippageTolerance")):
        out = pool.quote(SOL, forward=True).amount_out
        before = pool.pool()

        outcome = pool.chain.send(pool.swap(SOL, out + 1, forward=True))

        assert error_name(outcome) == name
        assert pool.pool() == before


def test_exact_out_refuses_one_unit_more_than_the_maximum(raydium: Cpmm, meteora: Dlmm) -> None:
    for pool, name in ((raydium, "ExceededSlippage"), (meteora, "InsufficientInAmount")):
        paid = pool.quote(10**6, forward=True, exact_out=True).amount_in

        outcome = pool.chain.send(pool.swap(10**6, paid - 1, forward=True, exact_out=True))

        assert error_name(outcome) == name


@pytest.mark.parametrize(
    ("bins", "limit", "name"),
    [
        (Fraction(1, 2), 0, "InvalidInput"),
        (Fraction(1, 2), 1, "InsufficientInAmount"),
        (Fraction(1), 1, "InsufficientOutAmount"),
        (Fraction(1), -1, "NotExactAmountOut"),
        (Fraction(3, 2), -1, "InsufficientInAmount"),
        (Fraction(3, 2), Fraction(1, 2), "NotExactAmountOut"),
        (Fraction(1, 2), Fraction(1, 2), "InsufficientInAmount"),
    ],
)
def test_a_purchase_above_its_limit_fails_when_the_input_is_used_up(
    meteora: Dlmm, bins: Fraction, limit: int | Fraction, name: str
) -> None:
    """Measured on the deployed program."""
    first = next(iter(meteora.pool().bins.walk(meteora.state.active_id, downwards=True)))
    amount = int(first.available(swap_for_y=True, limit_orders=True) * bins)
    needed = meteora.quote(amount, forward=True, exact_out=True).amount_in
    most = needed - 1 if limit == -1 else int(limit) if limit in (0, 1) else int(needed * limit)

    assert error_name(meteora.chain.send(meteora.swap(amount, most, forward=True, exact_out=True))) == name


@pytest.mark.parametrize("name", ["InsufficientInAmount", "NotExactAmountOut"])
def test_the_error_of_a_purchase_above_its_limit_means_slippage(name: str) -> None:
    assert meteora_dlmm_program.PROGRAM.error_named(name).code is ErrorCode.TX_SLIPPAGE_EXCEEDED


def test_a_purchase_of_more_than_the_pool_holds_is_reported_only_if_affordable(meteora: Dlmm) -> None:
    swap = partial(meteora.swap, 10**15, forward=True, exact_out=True)

    assert error_name(meteora.chain.send(swap(limit=10**9))) == "NotExactAmountOut"
    assert error_name(meteora.chain.send(swap(limit=U64_MAX))) == "BitmapExtensionAccountIsNotProvided"
    assert error_name(meteora.chain.send(meteora.swap(0, 1, forward=True, exact_out=True))) == "InsufficientOutAmount"


@pytest.mark.parametrize("exact_out", [False, True])
def test_a_swap_beyond_the_curve_panics(raydium: Cpmm, exact_out: bool) -> None:
    """Measured on the deployed program: it has no error for amounts above its reserves."""
    outcome = raydium.chain.send(raydium.swap(U64_MAX, U64_MAX if exact_out else 0, forward=True, exact_out=exact_out))

    assert error_code(outcome) == ("ProgramFailedToComplete" if exact_out else INSUFFICIENT_FUNDS)
    assert error_name(raydium.chain.send(raydium.swap(0, 9, forward=True, exact_out=exact_out))) == "RequireGtViolated"


def test_the_error_is_logged_like_the_real_program(raydium: Cpmm) -> None:
    outcome = raydium.chain.send(raydium.swap(SOL, U64_MAX, forward=True))

    assert outcome.error is not None
    assert outcome.error.to_json() == {"InstructionError": [0, {"Custom": 6005}]}
    program = raydium_cpmm.PROGRAM_ID
    assert outcome.logs[0] == f"Program {program} invoke [1]"
    assert "Error Code: ExceededSlippage. Error Number: 6005." in outcome.logs[2]
    assert outcome.logs[-1] == f"Program {program} failed: custom program error: 0x1775"


def test_the_trader_pays_the_fee_of_a_failed_swap_and_nothing_else(raydium: Cpmm) -> None:
    chain = raydium.chain
    wallet = chain.trader.pubkey()
    before = dict(chain.bank.accounts)

    outcome = chain.send(raydium.swap(SOL, U64_MAX, forward=True))

    assert outcome.fee == 5_000
    paid = before[wallet]._replace(lamports=before[wallet].lamports - 5_000)
    assert chain.bank.accounts == before | {wallet: paid}


def test_more_than_the_trader_has_is_refused(pool: Pool) -> None:
    for mint in pool.mints(forward=True):
        account = pool.chain.held(mint)
        empty = replace(TokenAccount.decode(pool.chain.account(account).data), amount=10)
        pool.chain.bank.accounts[account] = pool.chain.account(account)._replace(data=empty.encode())

    outcome = pool.chain.send(pool.swap(1_000, 1, forward=True))

    if isinstance(pool, AmmV4):  # checks the balance before it calls the token program
        assert error_code(outcome) == 40
    else:
        assert error_code(outcome) == 1
        assert "Program log: Error: insufficient funds" in outcome.logs


def test_a_swap_calls_the_token_program_twice(raydium: Cpmm) -> None:
    outcome = raydium.chain.send(raydium.swap(SOL, 1, forward=True))

    ((index, calls),) = outcome.inner
    assert index == 0
    assert [(call.program_id, call.stack_height) for call in calls] == [(token.PROGRAM_ID, 2)] * 2


def test_units_match_those_of_the_real_programs(raydium: Cpmm, meteora: Dlmm) -> None:
    assert 30_000 < raydium.chain.send(raydium.swap(SOL, 1, forward=True)).units < 34_000
    one_bin = meteora.chain.send(meteora.swap(SOL, 1, forward=True)).units
    many_bins = meteora.chain.send(meteora.swap(3_000 * SOL, 1, forward=True)).units
    assert 38_000 < one_bin < 45_000 < many_bins < 220_000


@pytest.mark.parametrize(
    ("index", "changes", "error"),
    [
        (raydium_cpmm_instructions.AUTHORITY, {"key": STRANGER}, "ConstraintSeeds"),
        (raydium_cpmm_instructions.AMM_CONFIG, {"key": raydium_cpmm_addresses.config_address(0)}, "ConstraintAddress"),
        (raydium_cpmm_instructions.AMM_CONFIG, {"key": STRANGER}, "AccountNotInitialized"),
        (raydium_cpmm_instructions.POOL_STATE, {"key": SOL_USDC_BS4}, "AccountOwnedByWrongProgram"),
        (
            raydium_cpmm_instructions.POOL_STATE,
            {"key": raydium_cpmm_addresses.config_address(9)},
            "AccountDiscriminatorMismatch",
        ),
        (raydium_cpmm_instructions.POOL_STATE, {"key": REAL_CPMM_POOL}, "ConstraintAddress"),
        (raydium_cpmm_instructions.POOL_STATE, {"writable": False}, "ConstraintMut"),
        (raydium_cpmm_instructions.INPUT_TOKEN_ACCOUNT, {"key": STRANGER}, "AccountNotInitialized"),
        (raydium_cpmm_instructions.OUTPUT_TOKEN_ACCOUNT, {"writable": False}, "ConstraintMut"),
        (
            raydium_cpmm_instructions.INPUT_VAULT,
            {"key": raydium_cpmm_addresses.vault_address(REAL_CPMM_POOL, token.NATIVE_MINT)},
            "ConstraintRaw",
        ),
        (
            raydium_cpmm_instructions.OUTPUT_VAULT,
            {"key": raydium_cpmm_addresses.vault_address(SOL_USDC_CPMM, token.NATIVE_MINT)},
            "ConstraintAddress",
        ),
        (raydium_cpmm_instructions.INPUT_TOKEN_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (raydium_cpmm_instructions.OUTPUT_TOKEN_MINT, {"key": token.NATIVE_MINT}, "ConstraintAddress"),
        (
            raydium_cpmm_instructions.OBSERVATION_STATE,
            {"key": raydium_cpmm_addresses.observation_address(REAL_CPMM_POOL)},
            "ConstraintAddress",
        ),
    ],
)
def test_raydium_checks_its_accounts(raydium: Cpmm, index: int, changes: dict[str, object], error: str) -> None:
    outcome = raydium.chain.send(with_account(raydium.swap(SOL, 1, forward=True), index, **changes))

    assert error_name(outcome) == error


@pytest.mark.parametrize(
    ("index", "changes", "error"),
    [
        (meteora_dlmm_instructions.LB_PAIR, {"key": SOL_USDC_CPMM}, "AccountOwnedByWrongProgram"),
        (meteora_dlmm_instructions.LB_PAIR, {"writable": False}, "ConstraintMut"),
        (meteora_dlmm_instructions.LB_PAIR, {"key": SOL_USDC_BS10}, "ConstraintHasOne"),
        (meteora_dlmm_instructions.BITMAP_EXTENSION, {"key": STRANGER}, "ConstraintSeeds"),
        (
            meteora_dlmm_instructions.RESERVE_X,
            {"key": meteora_dlmm_addresses.reserve_address(SOL_USDC_BS10, token.NATIVE_MINT)},
            "ConstraintHasOne",
        ),
        (meteora_dlmm_instructions.USER_TOKEN_IN, {"key": STRANGER}, "AccountNotInitialized"),
        (meteora_dlmm_instructions.TOKEN_Y_MINT, {"key": STACC}, "ConstraintHasOne"),
        (
            meteora_dlmm_instructions.ORACLE,
            {"key": meteora_dlmm_addresses.oracle_address(SOL_USDC_BS10)},
            "ConstraintHasOne",
        ),
        (meteora_dlmm_instructions.TOKEN_X_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (meteora_dlmm_instructions.MEMO_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (meteora_dlmm_instructions.EVENT_AUTHORITY, {"key": STRANGER}, "ConstraintSeeds"),
        (meteora_dlmm_instructions.OWN_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (meteora_dlmm_instructions.BIN_ARRAYS, {"writable": False}, "AccountNotMutable"),
    ],
)
def test_meteora_checks_its_accounts(meteora: Dlmm, index: int, changes: dict[str, object], error: str) -> None:
    outcome = meteora.chain.send(with_account(meteora.swap(SOL, 1, forward=True), index, **changes))

    assert error_name(outcome) == error


def test_the_payer_must_have_signed(raydium: Cpmm, meteora: Dlmm) -> None:
    for pool, payer in ((raydium, raydium_cpmm_instructions.PAYER), (meteora, meteora_dlmm_instructions.USER)):
        unsigned = with_account(pool.swap(SOL, 1, forward=True), payer, key=STRANGER, signer=False)

        assert error_name(pool.chain.send(unsigned)) == "AccountNotSigner"


def test_another_owners_account_cannot_be_spent(raydium: Cpmm) -> None:
    victim = associated_token.address(LocalChain.trader.pubkey(), USDC)
    thief = raydium.chain.bank
    swap = with_account(raydium.swap(SOL, 1, forward=False), raydium_cpmm_instructions.INPUT_TOKEN_ACCOUNT, key=victim)
    state = replace(TokenAccount.decode(thief.accounts[victim].data), owner=STRANGER)
    thief.accounts[victim] = thief.accounts[victim]._replace(data=state.encode())

    outcome = raydium.chain.send(swap)

    assert outcome.error is not None
    assert outcome.error.to_json() == {"InstructionError": [0, {"Custom": 4}]}


def arrays_in_wrong_ways(pool: Dlmm) -> Iterator[list[int]]:
    right = pool.arrays(forward=True)
    yield []
    yield list(reversed(right))
    yield right[:1]


def test_bin_arrays_must_come_in_the_order_of_the_walk(meteora: Dlmm) -> None:
    assert len(meteora.arrays(forward=True)) > 1
    for arrays in arrays_in_wrong_ways(meteora):
        swap = meteora.swap(7_000 * SOL, 1, forward=True, arrays=arrays)

        assert error_name(meteora.chain.send(swap)) == "AccountNotEnoughKeys"


def test_more_than_all_bins_hold_is_refused(meteora: Dlmm) -> None:
    outcome = meteora.chain.send(meteora.swap(100_000 * SOL, 1, forward=True))

    assert error_name(outcome) == "BitmapExtensionAccountIsNotProvided"


def test_an_amount_that_buys_zero_is_refused(raydium: Cpmm, meteora: Dlmm) -> None:
    assert error_name(raydium.chain.send(raydium.swap(1, 0, forward=True))) == "RequireGtViolated"
    assert error_name(meteora.chain.send(meteora.swap(1, 0, forward=True))) == "InsufficientOutAmount"


def test_a_disabled_pool_refuses_swaps(raydium: Cpmm, meteora: Dlmm) -> None:
    accounts = raydium.chain.bank.accounts
    off = replace(raydium.state, status=raydium_cpmm_accounts.PoolStatus.SWAP_DISABLED)
    accounts[raydium.address] = accounts[raydium.address]._replace(data=off.encode())
    disabled = replace(meteora.state, status=meteora_dlmm_accounts.PairStatus.DISABLED)
    accounts[meteora.address] = accounts[meteora.address]._replace(data=disabled.encode())

    assert error_name(raydium.chain.send(raydium.swap(SOL, 1, forward=True))) == "NotApproved"
    assert error_name(meteora.chain.send(meteora.swap(SOL, 1, forward=True))) == "PoolDisabled"


def test_an_unknown_instruction_is_refused(raydium: Cpmm, meteora: Dlmm) -> None:
    for pool in (raydium, meteora):
        swap = pool.swap(SOL, 1, forward=True)
        unknown = Instruction(swap.program_id, b"\x00" * 16, list(swap.accounts))

        assert error_name(pool.chain.send(unknown)) == "InstructionFallbackNotFound"


@pytest.mark.parametrize(("kind", "address"), [(Cpmm, SOL_USDC_CPMM), (Clmm, SOL_USDC_CLMM_4BPS)])
def test_raydium_pools_store_the_epoch_of_their_last_swap(
    chain: LocalChain, kind: type[Cpmm | Clmm], address: Pubkey
) -> None:
    pool = kind(chain, address)
    transaction = chain.transaction([pool.swap(SOL, 1, forward=True)])
    outcome = execute(transaction, chain.bank.accounts.get, Clock(3 * SLOTS_PER_EPOCH, chain.now), PROGRAMS)
    after = outcome.changes(transaction)[address]
    assert outcome.error is None
    assert after is not None
    assert type(pool.state).decode(after.data).recent_epoch == 3


VENUES: dict[VenueName, list[tuple[Callable[[LocalChain, Pubkey], Pool], Pubkey, int, int]]] = {
    VenueName.RAYDIUM: [
        (Cpmm, SOL_USDC_CPMM, 6000, 6005),
        (Clmm, SOL_USDC_CLMM_4BPS, 6001, 6022),
        (AmmV4, SOL_USDC_AMM_V4, 22, 30),
    ],
    VenueName.METEORA: [(Dlmm, SOL_USDC_BS4, 6042, 6003), (DammV2, SOL_USDC_DAMM_V2, 6003, 6002)],
}
"""A pool of each program, with its error codes for a disabled pool and for slippage."""


@pytest.mark.parametrize("struck", VENUES)
def test_an_outage_refuses_every_swap_of_that_venue_only(struck: VenueName) -> None:
    chain = LocalChain(programs=with_outage(PROGRAMS, frozenset({struck})))
    view = chain.bank.view(chain.bank.open.slot)

    def simulate(pool: Pool) -> Outcome:
        return chain.bank.simulate(chain.transaction([pool.swap(SOL, 1, forward=True)]), view)

    for kind, address, closed, _ in VENUES[struck]:
        assert error_code(simulate(kind(chain, address))) == closed
    for spared in VENUES.keys() - {struck}:
        for kind, address, _, _ in VENUES[spared]:
            assert simulate(kind(chain, address)).error is None


@pytest.mark.parametrize("venue", VENUES)
def test_injected_failures_give_landed_swaps_the_slippage_error(venue: VenueName) -> None:
    dice = Dice(Faults(failure_rate=1), seed=1, start=0)
    chain = LocalChain(landing_programs=with_failures(PROGRAMS, dice))

    for kind, address, _, slippage in VENUES[venue]:
        transaction = chain.transaction([kind(chain, address).swap(SOL, 1, forward=True)])
        assert chain.bank.simulate(transaction, chain.bank.view(chain.bank.open.slot)).error is None
        assert error_code(chain.bank.process(transaction)) == slippage


def test_a_transaction_with_several_swaps_fails_as_often_as_with_one() -> None:
    dice = Dice(Faults(failure_rate=0.5), seed=1, start=0)
    chain = LocalChain(landing_programs=with_failures(PROGRAMS, dice))
    pools: list[Pool] = [Cpmm(chain, SOL_USDC_CPMM), AmmV4(chain, SOL_USDC_AMM_V4), Dlmm(chain, SOL_USDC_BS4)]

    def fails() -> bool:
        swaps = [pool.swap(SOL // 100, 1, forward=True) for pool in pools]
        return chain.bank.process(chain.transaction(swaps)).error is not None

    assert 80 < sum(fails() for _ in range(200)) < 120
