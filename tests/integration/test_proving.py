"""Quotes are compared with what the chain makes of the swaps. Here both judges are handlers of simnet."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from solders.pubkey import Pubkey

from orderd.domain.quote import PoolKind
from orderd.domain.well_known import WELL_KNOWN
from orderd.proving.judges import Accounts, Deployed, sandboxed
from orderd.proving.market import Market
from orderd.proving.proof import Findings, Prover
from orderd.proving.trial import Paid, Trial
from orderd.simnet.account import Account
from orderd.simnet.actors import TRADERS
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


class Handlers:
    """Simnet's handlers in the place of LiteSVM; what they pay is shown with so much more."""

    def __init__(self, more: int = 0) -> None:
        self._more = more

    def judge(self, trials: Sequence[Trial], accounts: Accounts) -> list[Paid | str]:
        return [self._run(trial, accounts) for trial in trials]

    def _run(self, trial: Trial, accounts: Accounts) -> Paid | str:
        now = clock_of(accounts[CLOCK])
        there = {key: Account(*_parts(account)) for key, account in accounts.items() if account is not None}
        outcome = execute(decode(bytes(trial.transaction)), there.get, Clock(now.slot, now.unix_timestamp), PROGRAMS)
        if outcome.error is not None:
            return str(outcome.error)
        after = dict(zip(trial.keys, outcome.after, strict=True))
        source, destination = (_ours(after[key]) for key in (trial.source, trial.destination))
        paid = trial.paid(accounts, source, destination)
        return paid._replace(received=paid.received + self._more)


def _parts(account: rpc_types.Account) -> tuple[int, Pubkey, bytes, bool]:
    return account.lamports, account.owner, account.data, account.executable


def _ours(account: Account | None) -> rpc_types.Account | None:
    return None if account is None else rpc_types.Account(*account)


@pytest.fixture(scope="module")
def rpc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RpcClient]:
    with running_simnet(tmp_path_factory.mktemp("chain") / "chain") as chain, closing(RpcClient(chain.url)) as client:
        yield client


def proved(rpc: RpcClient, kind: PoolKind, more: int = 0) -> Findings:
    market = Market(rpc, list(PoolKind), "simnet", {})
    prover = Prover(rpc, market, TRADERS[0].pubkey(), deployed=lambda *_: Deployed(5, Handlers(more)))
    all_found = {each: Findings(each, program_of(each).ids["simnet"]) for each in PoolKind}
    chosen = {each: prover.pools(each, PAIRS, 2, found) for each, found in all_found.items()}
    prover.prove(all_found[kind], chosen[kind], 2)
    return all_found[kind]


@pytest.mark.parametrize("kind", PoolKind)
def test_a_kind_whose_swaps_pay_as_quoted_is_proved(rpc: RpcClient, kind: PoolKind) -> None:
    found = proved(rpc, kind)
    assert found.differences == []
    assert found.is_proved
    assert found.slot == 5
    assert found.pools >= 1
    assert found.swaps == found.node_equal == found.litesvm_equal >= 6


def test_a_single_base_unit_more_is_a_difference(rpc: RpcClient) -> None:
    found = proved(rpc, PoolKind.RAYDIUM_CPMM, more=1)
    assert not found.is_proved
    assert found.is_decided
    assert found.litesvm_equal == 0
    assert found.node_equal == found.swaps == len(found.differences)
    assert "LiteSVM says" in found.differences[0]


def test_a_program_that_the_chain_does_not_show_is_undecided(rpc: RpcClient) -> None:
    """Simnet's own handlers are no program that anybody could read."""
    market = Market(rpc, [PoolKind.RAYDIUM_CPMM], "simnet", {})
    found = Findings(PoolKind.RAYDIUM_CPMM, program_of(PoolKind.RAYDIUM_CPMM).ids["simnet"])
    Prover(rpc, market, TRADERS[0].pubkey(), deployed=sandboxed).prove(found, [], 1)
    assert not found.is_decided
    assert found.notes == ["the chain shows no program that could be run"]
