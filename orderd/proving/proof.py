"""Proves a pool kind: tries swaps in both directions and modes, and compares the results of both judges."""

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
"""The sizes of trial swaps are the vault's balance divided by these."""
MIN_LAMPORTS: Final = 10_000_000
"""Minimum balance of the payer of trials, for two token accounts and the fee."""
_TRIES: Final = 10
_SPARE: Final = 4
"""Candidate pools per pool to be compared, because some cannot be compared."""
_PAUSE_SECONDS: Final = 1.0


@dataclass
class Findings:
    """The result for a kind: the number of compared swaps, and how many of them each judge confirms."""

    kind: PoolKind
    program: Pubkey
    slot: int | None = None
    """The slot of the program's deployment; None if the chain has no executable program."""
    pools: int = 0
    swaps: int = 0
    node_equal: int = 0
    litesvm_equal: int = 0
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_decided(self) -> bool:
        """Whether the result is conclusive: at least one swap was compared."""
        return self.slot is not None and self.swaps > 0

    @property
    def is_proved(self) -> bool:
        return self.is_decided and not self.differences


class Prover:
    """Simulates swaps of ``trader``, a wallet with some SOL. It signs and sends nothing."""

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
        """Raises OrderdError FUNDS_INSUFFICIENT if the wallet has too little SOL for a trial, and RpcError."""
        held = self._rpc.get_balance(self._trader).value
        if held < MIN_LAMPORTS:
            detail = f"the wallet {self._trader} has {held} lamports; a trial spends nothing, but needs {MIN_LAMPORTS}"
            raise OrderdError(ErrorCode.FUNDS_INSUFFICIENT, detail)

    def pools(self, kind: PoolKind, pairs: Sequence[Pair], enough: int, found: Findings) -> list[tuple[OpenPool, Pair]]:
        """Find the pools of the pairs, until there are enough. There are spare ones, because pools with constant
        trading cannot be compared. Their vaults become token sources.
        """
        pools: dict[str, tuple[OpenPool, Pair]] = {}
        for pair in pairs:
            if len(pools) >= enough * _SPARE:
                break
            try:
                liquidity = self._market.liquidity_of(kind, pair)
            except OrderdError as error:
                found.notes.append(f"{error.code}: {error.detail}")
                continue
            found.notes += [refusal.detail for refusal in liquidity.refusals]
            pools |= {pool.address: (pool, pair) for pool in liquidity.pools if pool.address not in pools}
        self._token_sources.add(vault for pool, _ in pools.values() for vault in pool.vaults)
        return list(pools.values())

    def prove(self, found: Findings, pools: Sequence[tuple[OpenPool, Pair]], enough: int) -> None:
        """Compare swaps in these pools and add the results to the findings, until enough pools were compared.

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
        """Compare swaps in a pool, several times if necessary, and return their number. A difference counts if it
        occurs whenever the pool does not change."""
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
            found.notes.append(f"pool {pool} changed during each trial")
            return 0
        found.notes += result.notes
        found.swaps += result.swaps
        found.node_equal += result.node_equal
        found.litesvm_equal += result.litesvm_equal
        found.differences += result.differences
        return result.swaps

    def _try(self, kind: PoolKind, address: str, way: Pair, judge: Judge) -> "_Result | None":
        """Try swaps between two reads of the pool; None if the pool changed in between."""
        first = self._pool_now(kind, address, way)
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
        last = self._pool_now(kind, address, way)
        if last is None or last.read_as is not first.read_as:
            return None
        for trial, *answers in zip(trials, node, litesvm, strict=True):
            result.add(trial, _quoted(trial, last), _Answers(*answers))
        return result

    def _pool_now(self, kind: PoolKind, address: str, way: Pair) -> OpenPool | None:
        return next((pool for pool in self._market.liquidity_of(kind, way).pools if pool.address == address), None)

    def _trials(self, kind: PoolKind, pool: OpenPool, result: "_Result") -> Iterator[Trial]:
        source_account = self._token_sources.of(pool.mint_in, pool.vaults)
        if source_account is None:
            result.notes.append(f"no token account is known that could lend {pool.mint_in}")
            return
        held = [token_amount(each) for each in self._rpc.get_multiple_accounts(pool.vaults).value]
        questions: list[tuple[Callable[[int], Quote], int]] = [(pool.side.quote, held[0] // part) for part in PARTS]
        questions += [(pool.side.quote_out, held[1] // part) for part in PARTS]
        for ask, amount in questions:
            try:
                quote = pool.venue_quote(ask(amount))
                trial = trial_of(self._market.venues[kind], quote, source_account, self._trader)
            except (SwapError, OrderdError):
                continue  # such a swap would never be sent
            if trial is not None:
                yield trial


class _Answers(NamedTuple):
    """The verdicts of both judges."""

    node: Verdict
    litesvm: Verdict


@dataclass
class _Result:
    """The results of the swaps in one pool and direction."""

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
                self.differences.append(f"{_trial_text(trial)}: {judge} returns {paid}")


def _quoted(trial: Trial, pool: OpenPool) -> set[Paid]:
    """The expected amounts: the quote of the first read, or that of the last read, which may be a second later."""
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
