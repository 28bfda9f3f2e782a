"""A kind's pools, tried in both directions and both modes, until all agree or it is clear that they do not."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.amm.side import Quote
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.proving.judges import Deployed, Judge, Untried, Verdict, by_node, sandboxed
from orderd.proving.market import Pair, ProvingMarket
from orderd.proving.token_sources import TokenSources
from orderd.proving.trial import Paid, Trial, trial_of
from orderd.solana.chain_time import CLOCK
from orderd.solana.rpc import RpcClient, RpcRateLimitedError
from orderd.venues.account_facts import token_amount
from orderd.venues.base import OpenPool

PARTS: Final = (1_000_000, 10_000, 200)
"""Sizes of swaps: what a vault holds, divided by these."""
MIN_LAMPORTS: Final = 10_000_000
"""Of the wallet that trials name as the payer: for two token accounts and the fee."""
_TRIES: Final = 10
_SPARE: Final = 4
"""How many times as many pools are looked up as are to be compared."""
_PAUSE_SECONDS: Final = 1.0


@dataclass
class Findings:
    """What was seen of a kind: how many swaps were compared, and how many each judge says as quoted."""

    kind: PoolKind
    program: Pubkey
    slot: int | None = None
    """Since when the program is what it is; None if the chain shows none that could be run."""
    pools: int = 0
    swaps: int = 0
    node_equal: int = 0
    litesvm_equal: int = 0
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_decided(self) -> bool:
        """Whether it says anything of the program: some swap was compared."""
        return self.slot is not None and self.swaps > 0

    @property
    def is_proved(self) -> bool:
        return self.is_decided and not self.differences


class Prover:
    """Tries swaps of ``trader``, a wallet that has some SOL. It signs and sends nothing."""

    def __init__(
        self,
        rpc: RpcClient,
        market: ProvingMarket,
        trader: Pubkey,
        *,
        deployed: Callable[[RpcClient, Pubkey], Deployed] = sandboxed,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rpc = rpc
        self._market = market
        self._trader = trader
        self._deployed = deployed
        self._sleep = sleep
        self._token_sources = TokenSources(rpc)

    def check_trader(self) -> None:
        """Raises OrderdError FUNDS_INSUFFICIENT if the wallet could not pay for a trial, and RpcError."""
        held = self._rpc.get_balance(self._trader).value
        if held < MIN_LAMPORTS:
            detail = f"the wallet {self._trader} has {held} lamports; a trial spends nothing, but needs {MIN_LAMPORTS}"
            raise OrderdError(ErrorCode.FUNDS_INSUFFICIENT, detail)

    def pools(self, kind: PoolKind, pairs: Sequence[Pair], enough: int, found: Findings) -> list[tuple[OpenPool, Pair]]:
        """Of the pairs, one after another, until there are enough, and more: those that others trade in all the time
        cannot be compared. What they hold may be lent from now on.
        """
        pools: dict[str, tuple[OpenPool, Pair]] = {}
        for pair in pairs:
            if len(pools) >= enough * _SPARE:
                break
            try:
                liquidity = self._market.look(kind, pair)
            except OrderdError as error:
                found.notes.append(f"{error.code}: {error.detail}")
                continue
            found.notes += [refusal.detail for refusal in liquidity.refusals]
            pools |= {pool.address: (pool, pair) for pool in liquidity.pools if pool.address not in pools}
        self._token_sources.add(vault for pool, _ in pools.values() for vault in pool.vaults)
        return list(pools.values())

    def prove(self, found: Findings, pools: Sequence[tuple[OpenPool, Pair]], enough: int) -> None:
        """Add to the findings what these pools show, until enough were compared.

        Raises RpcError if the node does not answer.
        """
        try:
            found.slot, litesvm = self._deployed(self._rpc, found.program)
        except ValueError as error:
            found.notes.append(str(error))
            return
        for pool, pair in pools:
            if found.pools >= enough:
                break
            compared = [self._compare(pool.address, way, litesvm, found) for way in (pair, (pair[1], pair[0]))]
            found.pools += any(compared)
        if not found.swaps:
            found.notes.append("no swap could be compared")

    def _compare(self, pool: str, way: Pair, judge: Judge, found: Findings) -> int:
        """How many swaps were compared. A difference counts when it is there each time that the pool stands still."""
        result: _Result | None = None
        for _ in range(_TRIES):
            try:
                result = self._try(found.kind, pool, way, judge) or result
            except RpcRateLimitedError as error:
                self._sleep(error.retry_after or _PAUSE_SECONDS)
                continue
            if result is not None and not result.differences:
                break
        if result is None:
            found.notes.append(f"pool {pool} moved each time that it was tried")
            return 0
        found.notes += result.notes
        found.swaps += result.swaps
        found.node_equal += result.node_equal
        found.litesvm_equal += result.litesvm_equal
        found.differences += result.differences
        return result.swaps

    def _try(self, kind: PoolKind, address: str, way: Pair, judge: Judge) -> "_Result | None":
        """Swaps between two looks at the pool; None where these differ."""
        first = self._look(kind, address, way)
        if first is None:
            return _Result(notes=[f"pool {address} does not swap now"])
        result = _Result()
        trials = list(self._trials(kind, first, result))
        if not trials:
            return result
        keys = [CLOCK, *dict.fromkeys(key for trial in trials for key in trial.keys if key != CLOCK)]
        accounts = dict(zip(keys, self._rpc.get_multiple_accounts(keys).value, strict=True))
        node = by_node(self._rpc, trials, accounts)
        litesvm = judge.judge(trials, accounts)
        last = self._look(kind, address, way)
        if last is None or last.read_as is not first.read_as:
            return None
        for trial, *answers in zip(trials, node, litesvm, strict=True):
            result.add(trial, _quoted(trial, last), _Answers(*answers))
        return result

    def _look(self, kind: PoolKind, address: str, way: Pair) -> OpenPool | None:
        return next((pool for pool in self._market.look(kind, way).pools if pool.address == address), None)

    def _trials(self, kind: PoolKind, pool: OpenPool, result: "_Result") -> Iterator[Trial]:
        source_account = self._token_sources.of(pool.mint_in, pool.vaults)
        if source_account is None:
            result.notes.append(f"nobody is known who could lend {pool.mint_in}")
            return
        held = [token_amount(each) for each in self._rpc.get_multiple_accounts(pool.vaults).value]
        questions: list[tuple[Callable[[int], Quote], int]] = [(pool.side.quote, held[0] // part) for part in PARTS]
        questions += [(pool.side.quote_out, held[1] // part) for part in PARTS]
        for ask, amount in questions:
            try:
                quote = pool.venue_quote(ask(amount))
                trial = trial_of(self._market.venues[kind], quote, source_account, self._trader)
            except (SwapError, OrderdError):
                continue  # what the maths refuses is never sent
            if trial is not None:
                yield trial


class _Answers(NamedTuple):
    """By both judges: what is paid, or why nothing is."""

    node: Verdict
    litesvm: Verdict


@dataclass
class _Result:
    """What the swaps of one pool in one direction show."""

    swaps: int = 0
    node_equal: int = 0
    litesvm_equal: int = 0
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, trial: Trial, quoted: set[Paid], answers: _Answers) -> None:
        for each in answers:
            if isinstance(each, Untried):
                self.notes.append(f"{_trial_text(trial)}: not tried: {each.reason}")
                return
        self.swaps += 1
        self.node_equal += answers.node in quoted
        self.litesvm_equal += answers.litesvm in quoted
        for judge, each in (("the node", answers.node), ("LiteSVM", answers.litesvm)):
            if each not in quoted:
                paid = f"{each.spent} for {each.received}" if isinstance(each, Paid) else each
                self.differences.append(f"{_trial_text(trial)}: {judge} says {paid}")


def _quoted(trial: Trial, pool: OpenPool) -> set[Paid]:
    """What is quoted: as at the first look, or a second later, as at the last one."""
    quote, amounts = trial.quote, {Paid(trial.quote.amount_out, trial.quote.amount_in)}
    try:
        later = pool.side.quote_out(quote.amount_out) if quote.exact_out else pool.side.quote(quote.amount_in)
    except SwapError:
        return amounts
    return amounts | {Paid(later.amount_out, later.amount_in)}


def _trial_text(trial: Trial) -> str:
    quote = trial.quote
    mode = "exact output" if quote.exact_out else "exact input"
    return f"pool {quote.pool}, {mode}, {quote.amount_in} of {quote.mint_in} for {quote.amount_out} of {quote.mint_out}"
