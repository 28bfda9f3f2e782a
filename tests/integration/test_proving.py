"""``orderd prove``: quotes are compared with the results of swaps on the chain. Simnet's handlers play both judges."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.domain.well_known import WELL_KNOWN
from orderd.proving.judges import Accounts, Deployed, Untried, Verdict, sandboxed
from orderd.proving.market import ProvingMarket
from orderd.proving.proof import Findings, Prover
from orderd.proving.trial import Trial
from orderd.simnet.account import LedgerAccount
from orderd.simnet.actors import TRADERS
from orderd.simnet.errors import TransactionError
from orderd.simnet.invoke import Clock
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import execute
from orderd.simnet.transaction import decode
from orderd.solana import rpc_types
from orderd.solana.chain_time import CLOCK, clock_of
from orderd.solana.pool_programs import program_of
from orderd.solana.rpc import RpcClient
from tests.conftest import running_simnet

SOL, USDC, *_ = (token.mint for token in WELL_KNOWN["simnet"])
PAIRS = [(SOL, USDC)]
TRADER = TRADERS[0].pubkey()


class Handlers:
    """Simnet's handlers in place of LiteSVM; the amounts they pay are increased by ``more``."""

    def __init__(self, more: int = 0, untried: str = "") -> None:
        self._more = more
        self._untried = untried

    def judge(self, trials: Sequence[Trial], accounts: Accounts) -> list[Verdict]:
        return [self._run(trial, accounts) for trial in trials]

    def _run(self, trial: Trial, accounts: Accounts) -> Verdict:
        if self._untried:
            return Untried(self._untried)
        now = clock_of(accounts[CLOCK])
        there = {key: LedgerAccount(*_parts(account)) for key, account in accounts.items() if account is not None}
        clock = Clock(now.slot, now.unix_timestamp)
        try:
            outcome = execute(decode(bytes(trial.transaction)), there.get, clock, PROGRAMS)
        except TransactionError as error:
            return Untried(str(error))
        if outcome.error is not None:
            return str(outcome.error)
        after = dict(zip(trial.keys, outcome.after, strict=True))
        source, destination = (_ours(after[key]) for key in (trial.source, trial.destination))
        paid = trial.paid(accounts, source, destination)
        return paid._replace(received=paid.received + self._more)


def _parts(account: rpc_types.ChainAccount) -> tuple[int, Pubkey, bytes, bool]:
    return account.lamports, account.owner, account.data, account.executable


def _ours(account: LedgerAccount | None) -> rpc_types.ChainAccount | None:
    return None if account is None else rpc_types.ChainAccount(*account)


@pytest.fixture(scope="module")
def rpc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RpcClient]:
    with running_simnet(tmp_path_factory.mktemp("chain") / "chain") as chain, closing(RpcClient(chain.url)) as client:
        yield client


def proved(rpc: RpcClient, kind: PoolKind, judge: Handlers | None = None, trader: Pubkey = TRADER) -> Findings:
    market = ProvingMarket(rpc, list(PoolKind), "simnet", {})
    prover = Prover(rpc, market, trader, deployed=lambda *_: Deployed(5, judge or Handlers()))
    all_found = {each: Findings(each, program_of(each).ids["simnet"]) for each in PoolKind}
    chosen = {each: prover.pools(each, PAIRS, 2, found) for each, found in all_found.items()}
    prover.prove(all_found[kind], chosen[kind], 2)
    return all_found[kind]


@pytest.mark.parametrize("kind", PoolKind)
def test_a_kind_whose_swaps_pay_their_quotes_is_proved(rpc: RpcClient, kind: PoolKind) -> None:
    found = proved(rpc, kind)
    assert found.differences == []
    assert found.is_proved
    assert found.slot == 5
    assert found.pools >= 1
    assert found.swaps == found.node_equal == found.litesvm_equal >= 6


def test_a_difference_of_one_base_unit_is_reported(rpc: RpcClient) -> None:
    found = proved(rpc, PoolKind.RAYDIUM_CPMM, Handlers(more=1))
    assert not found.is_proved
    assert found.is_decided
    assert found.litesvm_equal == 0
    assert found.node_equal == found.swaps == len(found.differences)
    assert "LiteSVM returns" in found.differences[0]


def test_a_program_without_a_binary_on_the_chain_is_undecided(rpc: RpcClient) -> None:
    """Simnet's own handlers have no binary."""
    market = ProvingMarket(rpc, [PoolKind.RAYDIUM_CPMM], "simnet", {})
    found = Findings(PoolKind.RAYDIUM_CPMM, program_of(PoolKind.RAYDIUM_CPMM).ids["simnet"])
    Prover(rpc, market, TRADER, deployed=sandboxed).prove(found, [], 1)
    assert not found.is_decided
    assert found.notes == ["the chain has no executable program"]


def test_a_failure_before_the_swap_proves_nothing_about_the_program(rpc: RpcClient) -> None:
    """For example a frozen account of the lender, or a wallet that cannot pay."""
    found = proved(rpc, PoolKind.RAYDIUM_CPMM, Handlers(untried="frozen"))
    assert (found.is_decided, found.differences) == (False, [])
    assert any("not tried: frozen" in note for note in found.notes)
    penniless = proved(rpc, PoolKind.RAYDIUM_CPMM, trader=Pubkey.new_unique())
    assert (penniless.is_decided, penniless.differences) == (False, [])
    assert any("not tried: AccountNotFound" in note for note in penniless.notes)


def test_a_wallet_that_cannot_pay_is_refused_before_any_trial(rpc: RpcClient) -> None:
    market = ProvingMarket(rpc, [PoolKind.RAYDIUM_CPMM], "simnet", {})
    Prover(rpc, market, TRADER).check_trader()
    with pytest.raises(OrderdError) as refused:
        Prover(rpc, market, Pubkey.new_unique()).check_trader()
    assert refused.value.code is ErrorCode.FUNDS_INSUFFICIENT
