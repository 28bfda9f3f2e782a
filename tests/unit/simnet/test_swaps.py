"""Swaps through the program handlers: what the pool maths says is what moves, and nothing else does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from orderd.amm import cpmm, dlmm
from orderd.simnet.account import Account
from orderd.simnet.faults import Dice, Faults
from orderd.simnet.genesis import (
    CHILLGUY,
    REAL_CPMM_POOL,
    REAL_DLMM_PAIR,
    SOL_USDC_BS4,
    SOL_USDC_BS10,
    SOL_USDC_CPMM,
    STACC,
    USDC,
)
from orderd.simnet.programs import PROGRAMS
from orderd.simnet.programs.disturbed import with_failures, with_outage
from orderd.simnet.runtime import Outcome
from orderd.solana.programs import associated_token, meteora_dlmm, raydium_cpmm, token
from orderd.solana.programs.dlmm_bitmap import arrays_in_order
from orderd.solana.programs.meteora_dlmm import BinArray, LbPair, Swap2, SwapExactOut2
from orderd.solana.programs.raydium_cpmm import AmmConfig, PoolState, SwapBaseInput, SwapBaseOutput
from orderd.solana.programs.token import TokenAccount
from tests.unit.simnet.conftest import LocalChain

SOL = 10**9
U64_MAX = 2**64 - 1


@dataclass
class Cpmm:
    """A CPMM pool on the chain; `forward` is token 0 in."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> PoolState:
        return PoolState.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.mint_0, self.state.mint_1) if forward else (self.state.mint_1, self.state.mint_0)

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.vault_0, self.state.vault_1) if forward else (self.state.vault_1, self.state.vault_0)

    def pool(self) -> cpmm.CpmmPool:
        state = self.state
        config = AmmConfig.decode(self.chain.account(state.amm_config).data)
        return state.to_pool(config, self.chain.amount(state.vault_0), self.chain.amount(state.vault_1))

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> cpmm.CpmmSwap:
        swap = cpmm.swap_exact_out if exact_out else cpmm.swap_exact_in
        return swap(self.pool(), amount, zero_for_one=forward)

    def swap(self, amount: int, limit: int, *, forward: bool, exact_out: bool = False) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        order = SwapBaseOutput(limit, amount) if exact_out else SwapBaseInput(amount, limit)
        trader = self.chain.trader.pubkey()
        return raydium_cpmm.swap(order, self.address, self.state, trader, source, destination, zero_for_one=forward)

    def may_change(self) -> set[Pubkey]:
        return {self.address, self.state.observation}


@dataclass
class Dlmm:
    """A DLMM pair on the chain; `forward` is x in."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> LbPair:
        return LbPair.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.mint_x, self.state.mint_y) if forward else (self.state.mint_y, self.state.mint_x)

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.reserve_x, self.state.reserve_y) if forward else (self.state.reserve_y, self.state.reserve_x)

    def arrays(self, *, forward: bool) -> list[int]:
        return list(islice(arrays_in_order(self.state, None, swap_for_y=forward), 3))

    def all_arrays(self) -> set[int]:
        return {*self.arrays(forward=True), *self.arrays(forward=False)}

    def pool(self) -> dlmm.DlmmPool:
        addresses = (meteora_dlmm.bin_array_address(self.address, index) for index in self.all_arrays())
        return self.state.to_pool([BinArray.decode(self.chain.account(each).data) for each in addresses])

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> dlmm.DlmmSwap:
        swap = dlmm.swap_exact_out if exact_out else dlmm.swap_exact_in
        return swap(self.pool(), amount, swap_for_y=forward, now=self.chain.now)

    def swap(
        self,
        amount: int,
        limit: int,
        *,
        forward: bool,
        exact_out: bool = False,
        arrays: list[int] | None = None,
    ) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        return meteora_dlmm.swap(
            SwapExactOut2(limit, amount) if exact_out else Swap2(amount, limit),
            self.address,
            self.state,
            self.chain.trader.pubkey(),
            source,
            destination,
            bin_arrays=self.arrays(forward=forward) if arrays is None else arrays,
            has_bitmap_extension=False,
        )

    def may_change(self) -> set[Pubkey]:
        return {self.address, *(meteora_dlmm.bin_array_address(self.address, each) for each in self.all_arrays())}


POOLS: dict[str, tuple[type[Cpmm] | type[Dlmm], Pubkey]] = {
    "cpmm SOL/USDC": (Cpmm, SOL_USDC_CPMM),
    "cpmm SOL/STACC": (Cpmm, REAL_CPMM_POOL),
    "dlmm SOL/USDC 4": (Dlmm, SOL_USDC_BS4),
    "dlmm SOL/USDC 10": (Dlmm, SOL_USDC_BS10),
    "dlmm CHILLGUY/SOL": (Dlmm, REAL_DLMM_PAIR),
}


@pytest.fixture(params=POOLS)
def pool(request: pytest.FixtureRequest, chain: LocalChain) -> Cpmm | Dlmm:
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
    """Accounts with plenty of the tokens that the traders have none of."""
    for mint in (STACC, CHILLGUY):
        state = TokenAccount.new(mint, chain.trader.pubkey(), 10**15)
        chain.bank.accounts[chain.held(mint)] = Account(2_039_280, token.PROGRAM_ID, state.encode())


def error_name(outcome: Outcome) -> str:
    """The name in the program's error line."""
    (line,) = [line for line in outcome.logs if "Error Code: " in line]
    return line.split("Error Code: ")[1].split(".")[0]


@pytest.mark.parametrize("exact_out", [False, True], ids=["exact in", "exact out"])
@pytest.mark.parametrize("forward", [True, False], ids=["forward", "backward"])
@pytest.mark.parametrize("size", [1_000, 1_500_000, 40_000_000])
def test_a_swap_moves_exactly_what_the_maths_says(pool: Cpmm | Dlmm, size: int, forward: bool, exact_out: bool) -> None:
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


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "backward"])
def test_a_large_swap_walks_over_bin_arrays(meteora: Dlmm, forward: bool) -> None:
    size = 7_000 * SOL if forward else 775_000 * 10**6
    expected = meteora.quote(size, forward=forward)
    assert len({each.bin_id // 70 for each in expected.changed_bins}) > 1

    outcome = meteora.chain.send(meteora.swap(size, expected.amount_out, forward=forward))

    assert outcome.error is None
    assert meteora.pool() == expected.pool


def test_many_swaps_in_both_directions_stay_on_the_maths(pool: Cpmm | Dlmm) -> None:
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
    for pool, name in ((raydium, "ExceededSlippage"), (meteora, "ExceededAmountSlippageTolerance")):
        paid = pool.quote(10**6, forward=True, exact_out=True).amount_in

        outcome = pool.chain.send(pool.swap(10**6, paid - 1, forward=True, exact_out=True))

        assert error_name(outcome) == name


def test_the_error_stands_in_the_log_as_the_program_writes_it(raydium: Cpmm) -> None:
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
    paid = replace(before[wallet], lamports=before[wallet].lamports - 5_000)
    assert chain.bank.accounts == before | {wallet: paid}


def test_more_than_the_trader_has_fails_in_the_token_program(pool: Cpmm | Dlmm) -> None:
    for mint in pool.mints(forward=True):
        account = pool.chain.held(mint)
        empty = replace(TokenAccount.decode(pool.chain.account(account).data), amount=10)
        pool.chain.bank.accounts[account] = replace(pool.chain.account(account), data=empty.encode())

    outcome = pool.chain.send(pool.swap(1_000, 1, forward=True))

    assert outcome.error is not None
    assert outcome.error.to_json() == {"InstructionError": [0, {"Custom": 1}]}
    assert "Program log: Error: insufficient funds" in outcome.logs


def test_a_swap_calls_the_token_program_twice(raydium: Cpmm) -> None:
    outcome = raydium.chain.send(raydium.swap(SOL, 1, forward=True))

    ((index, calls),) = outcome.inner
    assert index == 0
    assert [(call.program_id, call.stack_height) for call in calls] == [(token.PROGRAM_ID, 2)] * 2


def test_units_are_like_those_measured_on_the_real_programs(raydium: Cpmm, meteora: Dlmm) -> None:
    assert 30_000 < raydium.chain.send(raydium.swap(SOL, 1, forward=True)).units < 34_000
    one_bin = meteora.chain.send(meteora.swap(SOL, 1, forward=True)).units
    many_bins = meteora.chain.send(meteora.swap(3_000 * SOL, 1, forward=True)).units
    assert 38_000 < one_bin < 45_000 < many_bins < 220_000


def with_account(instruction: Instruction, index: int, **changes: object) -> Instruction:
    """The instruction with another account, or another right, at `index`."""
    metas = list(instruction.accounts)
    old = metas[index]
    metas[index] = AccountMeta(
        changes.get("key", old.pubkey),  # type: ignore[arg-type]
        changes.get("signer", old.is_signer),  # type: ignore[arg-type]
        changes.get("writable", old.is_writable),  # type: ignore[arg-type]
    )
    return Instruction(instruction.program_id, bytes(instruction.data), metas)


STRANGER = Pubkey.from_bytes(bytes([9] * 32))


@pytest.mark.parametrize(
    ("index", "changes", "error"),
    [
        (raydium_cpmm.AUTHORITY, {"key": STRANGER}, "ConstraintSeeds"),
        (raydium_cpmm.AMM_CONFIG, {"key": raydium_cpmm.config_address(0)}, "ConstraintAddress"),
        (raydium_cpmm.AMM_CONFIG, {"key": STRANGER}, "AccountNotInitialized"),
        (raydium_cpmm.POOL_STATE, {"key": SOL_USDC_BS4}, "AccountOwnedByWrongProgram"),
        (raydium_cpmm.POOL_STATE, {"key": raydium_cpmm.config_address(9)}, "AccountDiscriminatorMismatch"),
        (raydium_cpmm.POOL_STATE, {"key": REAL_CPMM_POOL}, "ConstraintAddress"),
        (raydium_cpmm.POOL_STATE, {"writable": False}, "ConstraintMut"),
        (raydium_cpmm.INPUT_TOKEN_ACCOUNT, {"key": STRANGER}, "AccountNotInitialized"),
        (raydium_cpmm.OUTPUT_TOKEN_ACCOUNT, {"writable": False}, "ConstraintMut"),
        (
            raydium_cpmm.INPUT_VAULT,
            {"key": raydium_cpmm.vault_address(REAL_CPMM_POOL, token.NATIVE_MINT)},
            "ConstraintRaw",
        ),
        (
            raydium_cpmm.OUTPUT_VAULT,
            {"key": raydium_cpmm.vault_address(SOL_USDC_CPMM, token.NATIVE_MINT)},
            "ConstraintAddress",
        ),
        (raydium_cpmm.INPUT_TOKEN_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (raydium_cpmm.OUTPUT_TOKEN_MINT, {"key": token.NATIVE_MINT}, "ConstraintAddress"),
        (
            raydium_cpmm.OBSERVATION_STATE,
            {"key": raydium_cpmm.observation_address(REAL_CPMM_POOL)},
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
        (meteora_dlmm.LB_PAIR, {"key": SOL_USDC_CPMM}, "AccountOwnedByWrongProgram"),
        (meteora_dlmm.LB_PAIR, {"writable": False}, "ConstraintMut"),
        (meteora_dlmm.LB_PAIR, {"key": SOL_USDC_BS10}, "ConstraintHasOne"),
        (meteora_dlmm.BITMAP_EXTENSION, {"key": STRANGER}, "ConstraintSeeds"),
        (
            meteora_dlmm.RESERVE_X,
            {"key": meteora_dlmm.reserve_address(SOL_USDC_BS10, token.NATIVE_MINT)},
            "ConstraintHasOne",
        ),
        (meteora_dlmm.USER_TOKEN_IN, {"key": STRANGER}, "AccountNotInitialized"),
        (meteora_dlmm.TOKEN_Y_MINT, {"key": STACC}, "ConstraintHasOne"),
        (meteora_dlmm.ORACLE, {"key": meteora_dlmm.oracle_address(SOL_USDC_BS10)}, "ConstraintHasOne"),
        (meteora_dlmm.TOKEN_X_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (meteora_dlmm.MEMO_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (meteora_dlmm.EVENT_AUTHORITY, {"key": STRANGER}, "ConstraintSeeds"),
        (meteora_dlmm.PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (meteora_dlmm.BIN_ARRAYS, {"writable": False}, "AccountNotMutable"),
    ],
)
def test_meteora_checks_its_accounts(meteora: Dlmm, index: int, changes: dict[str, object], error: str) -> None:
    outcome = meteora.chain.send(with_account(meteora.swap(SOL, 1, forward=True), index, **changes))

    assert error_name(outcome) == error


def test_the_payer_must_have_signed(raydium: Cpmm, meteora: Dlmm) -> None:
    for pool, payer in ((raydium, raydium_cpmm.PAYER), (meteora, meteora_dlmm.USER)):
        unsigned = with_account(pool.swap(SOL, 1, forward=True), payer, key=STRANGER, signer=False)

        assert error_name(pool.chain.send(unsigned)) == "AccountNotSigner"


def test_another_s_account_cannot_be_spent(raydium: Cpmm) -> None:
    victim = associated_token.address(LocalChain.trader.pubkey(), USDC)
    thief = raydium.chain.bank
    swap = with_account(raydium.swap(SOL, 1, forward=False), raydium_cpmm.INPUT_TOKEN_ACCOUNT, key=victim)
    state = replace(TokenAccount.decode(thief.accounts[victim].data), owner=STRANGER)
    thief.accounts[victim] = replace(thief.accounts[victim], data=state.encode())

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

    assert error_name(outcome) == "CannotFindNonZeroLiquidityBinArrayId"


def test_an_amount_that_buys_nothing_is_refused(raydium: Cpmm, meteora: Dlmm) -> None:
    assert error_name(raydium.chain.send(raydium.swap(1, 0, forward=True))) == "ZeroTradingTokens"
    assert error_name(meteora.chain.send(meteora.swap(1, 0, forward=True))) == "InsufficientOutAmount"


def test_a_pool_that_is_switched_off_refuses(raydium: Cpmm, meteora: Dlmm) -> None:
    accounts = raydium.chain.bank.accounts
    off = replace(raydium.state, status=raydium_cpmm.PoolStatus.SWAP_DISABLED)
    accounts[raydium.address] = replace(accounts[raydium.address], data=off.encode())
    disabled = replace(meteora.state, status=meteora_dlmm.PairStatus.DISABLED)
    accounts[meteora.address] = replace(accounts[meteora.address], data=disabled.encode())

    assert error_name(raydium.chain.send(raydium.swap(SOL, 1, forward=True))) == "NotApproved"
    assert error_name(meteora.chain.send(meteora.swap(SOL, 1, forward=True))) == "PoolDisabled"


def test_an_unknown_instruction_is_refused(raydium: Cpmm, meteora: Dlmm) -> None:
    for pool in (raydium, meteora):
        swap = pool.swap(SOL, 1, forward=True)
        unknown = Instruction(swap.program_id, b"\x00" * 16, list(swap.accounts))

        assert error_name(pool.chain.send(unknown)) == "InstructionFallbackNotFound"


def test_an_outage_refuses_every_swap_of_that_venue_only() -> None:
    chain = LocalChain(programs=with_outage(PROGRAMS, frozenset({"raydium"})))
    raydium, meteora = Cpmm(chain, SOL_USDC_CPMM), Dlmm(chain, SOL_USDC_BS4)
    view = chain.bank.view(chain.bank.open.slot)

    def simulate(pool: Cpmm | Dlmm) -> Outcome:
        return chain.bank.simulate(chain.transaction([pool.swap(SOL, 1, forward=True)]), view)

    assert error_name(simulate(raydium)) == "NotApproved"
    assert simulate(meteora).error is None


def test_failures_strike_swaps_that_land_with_the_slippage_error() -> None:
    dice = Dice(Faults(failure_rate=1), seed=1, start=0)
    chain = LocalChain(landing_programs=with_failures(PROGRAMS, dice))

    for pool, name in (
        (Cpmm(chain, SOL_USDC_CPMM), "ExceededSlippage"),
        (Dlmm(chain, SOL_USDC_BS4), "ExceededAmountSlippageTolerance"),
    ):
        transaction = chain.transaction([pool.swap(SOL, 1, forward=True)])
        assert chain.bank.simulate(transaction, chain.bank.view(chain.bank.open.slot)).error is None
        assert error_name(chain.bank.process(transaction)) == name
