"""CPU time of the thread that runs a pass of the triggers, independent of other load.

The pass runs in this process. Other threads read the pools from a dict, so reading is not included.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

from solders.keypair import Keypair

from benchmarks.many_pairs import Pairs, token_of
from orderd.domain.pool_kind import PoolKind
from orderd.domain.well_known import WELL_KNOWN
from orderd.engine.execution.building import Builder
from orderd.engine.execution.wallet_funds import FundsCheck
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.router import Router
from orderd.engine.triggers.watch import Triggers
from orderd.simnet.actors import IDENTITY
from orderd.simnet.bank import Bank
from orderd.simnet.genesis import Genesis
from orderd.solana.keys import Wallet
from orderd.venues.pool_venue import venue_class
from orderd.venues.reading import read_batch
from tests.unit.venues.chain import Chain

_NOW: Final = 1_800_000_000
_TIMES: Final = 3
_RECHECK_SECONDS: Final = 2.5
"""Longer than the interval at which pairs without hints of changes are checked."""
_REREAD_SECONDS: Final = 31.0
"""Longer than the interval at which all pairs are read again."""


class Passes(NamedTuple):
    """CPU seconds of one pass over all pairs."""

    first: float
    """All orders are read and added."""
    read_again: float
    """A pair is read again, as each is every half a minute, and all are checked again."""
    unchanged: float
    changed: float


def passes(pairs: int) -> Passes:
    """Measure passes over the resting orders in the database, whose prices are not met."""
    market, chain, clock = _market(pairs)
    triggers = _triggers(chain, clock, pairs)
    first = _cpu(triggers.run_once)
    unchanged, changed = [], []
    for _ in range(_TIMES):
        clock.seconds += _RECHECK_SECONDS
        unchanged.append(_cpu(triggers.run_once))
        _move(market, chain, pairs)
        clock.seconds += _RECHECK_SECONDS
        changed.append(_cpu(triggers.run_once))
    clock.seconds += _REREAD_SECONDS
    return Passes(first, _cpu(triggers.run_once), statistics.median(unchanged), statistics.median(changed))


class _Clock:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class _Market(NamedTuple):
    bank: Bank
    pools: Pairs


def _market(pairs: int) -> tuple[_Market, Chain, _Clock]:
    block = Genesis(_NOW).block()
    bank = Bank(
        {key: account for key, account in block.changed.items() if account is not None},
        block,
        blockhashes={},
        statuses={},
        programs={},
        landing_programs={},
        clock=lambda: _NOW,
        collector=IDENTITY.pubkey(),
        finality_slots=1,
    )
    market, chain = _Market(bank, Pairs(bank, pairs)), Chain()
    _show(market, chain)
    return market, chain, _Clock()


def _move(market: _Market, chain: Chain, pairs: int) -> None:
    for pair in range(pairs):
        market.pools.move(pair)
    _show(market, chain)


def _show(market: _Market, chain: Chain) -> None:
    chain.slot += 1
    chain.accounts = {key: (account.owner, account.data) for key, account in market.bank.accounts.items()}


def _triggers(chain: Chain, clock: _Clock, pairs: int) -> Triggers:
    """Triggers that have discovered all pairs, as in a running worker."""
    rpc = chain.rpc()
    sol, usdc = WELL_KNOWN["simnet"][:2]
    router = Router(
        [venue_class(kind)(rpc, clock=clock, unix_time=lambda: _NOW) for kind in PoolKind],
        read=partial(read_batch, rpc),
        intermediates=(sol, usdc),
        timeout_ms=60_000,
        max_price_impact_bps=500,
        guard=PriceGuard(10_000),
        max_slot_lag=20,
        unit_price=lambda: 0,
        threads=1,
    )
    router.pools([(each.mint, token_of(pair).mint) for pair in range(pairs) for each in (sol, usdc)])
    router.discover()
    wallet, nothing = Wallet(Keypair()), cast("Any", None)
    builder = Builder(router, rpc, wallet, nothing, FundsCheck(rpc, wallet.address), blockhash_age=3_600.0)
    markets = NewMarkets(router, rpc, builder.fits)
    return Triggers(router, builder.fits, markets, nothing, _send, nothing, clock=clock)


def _send(order_ids: Sequence[object]) -> None:
    assert not order_ids, "an order was fired"


def _cpu(run: Callable[[], object]) -> float:
    began = time.thread_time()
    run()
    return time.thread_time() - began
