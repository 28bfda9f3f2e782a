"""The router collects all pools of a batch's pairs with one request, and one failure counts for all."""

import threading
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind
from orderd.domain.well_known import WELL_KNOWN
from orderd.engine.routing.cooling import Cooling
from orderd.engine.routing.quote_collection import Answers, QuoteCollector
from orderd.simnet.genesis import Genesis
from orderd.venues.pool_venue import venue_class
from orderd.venues.reading import read_batch
from tests.unit.venues.chain import Chain

NOW = 1_800_000_000
SOL, USDC, CHILLGUY = (token.mint for token in WELL_KNOWN["simnet"][:3])
PAIRS = [(SOL, USDC), (SOL, CHILLGUY)]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def chain_at_genesis() -> Chain:
    chain, block = Chain(), Genesis(NOW).block()
    chain.accounts = {
        key: (account.owner, account.data) for key, account in block.changed.items() if account is not None
    }
    return chain


@pytest.fixture
def chain() -> Chain:
    return chain_at_genesis()


@pytest.fixture
def collector(chain: Chain, clock: Clock) -> QuoteCollector:
    rpc = chain.rpc()
    venues = [venue_class(kind)(rpc, clock=clock, unix_time=lambda: NOW) for kind in PoolKind]
    read = partial(read_batch, rpc)
    return QuoteCollector(venues, read=read, cooling=Cooling(), timeout_ms=60_000, max_slot_lag=20, threads=2)


def addresses(answers: dict[tuple[str, str], Answers]) -> list[set[str]]:
    return [{pool.address for pool in answers[pair].pools} for pair in PAIRS]


def test_known_pools_of_all_venues_and_pairs_are_read_in_one_request(
    collector: QuoteCollector, chain: Chain, clock: Clock
) -> None:
    first = addresses(collector.ask(PAIRS))
    assert {pool.kind for pool in collector.ask(PAIRS)[SOL, USDC].pools} == {*PoolKind}
    chain.methods.clear()
    clock.now, chain.slot = 1.0, chain.slot + 1
    again = collector.ask(PAIRS)
    assert addresses(again) == first
    assert {pool.slot for answer in again.values() for pool in answer.pools} == {chain.slot}
    assert chain.methods == ["getMultipleAccounts"]
    collector.ask(PAIRS)
    assert len(chain.methods) == 1, "a recent reading must be shared"


def test_an_unchanged_pool_is_not_decoded_again(collector: QuoteCollector, chain: Chain, clock: Clock) -> None:
    def sides() -> list[object]:
        clock.now += 1.0
        return [pool.side for pool in collector.ask(PAIRS[:1])[PAIRS[0]].pools]

    collector.ask(PAIRS[:1])
    seen = [sides() for _ in range(2)]
    for before, after in pairwise(seen):
        assert all(one.side.pool is other.side.pool for one, other in zip(before, after, strict=True))  # type: ignore[attr-defined]


def test_a_failing_node_is_queried_once_and_reported_by_all_venues(
    collector: QuoteCollector, chain: Chain, clock: Clock
) -> None:
    collector.ask(PAIRS)
    clock.now = 1.0
    chain.status = 429
    answers = collector.ask(PAIRS)
    for pair in PAIRS:
        assert {refusal.code for refusal in answers[pair].refusals} == {ErrorCode.RPC_RATE_LIMITED}
        assert answers[pair].silent, "known pools without a price must be silent"
    chain.status = 200
    assert all(addresses(collector.ask(PAIRS)))


def test_a_hanging_reading_is_late_for_all_and_shared_by_later_requests(chain: Chain, clock: Clock) -> None:
    rpc = chain.rpc()
    venues = [venue_class(kind)(rpc, clock=clock, unix_time=lambda: NOW) for kind in PoolKind]
    read = partial(read_batch, rpc)
    collector = QuoteCollector(venues, read=read, cooling=Cooling(), timeout_ms=60_000, max_slot_lag=20, threads=2)
    collector.ask(PAIRS)
    clock.now = 1.0
    chain.gate = threading.Event()
    hasty = QuoteCollector(venues, read=read, cooling=Cooling(), timeout_ms=20, max_slot_lag=20, threads=2)
    late = hasty.ask(PAIRS)
    assert {refusal.code for pair in PAIRS for refusal in late[pair].refusals} == {ErrorCode.SERVICE_TIMEOUT}
    chain.gate.set()
    assert all(addresses(collector.ask(PAIRS)))


class SlowLookups(Chain):
    """Lists pools only after the test, once it is ``slow``."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.over = threading.Event()

    def _getProgramAccounts(self, *params: Any) -> Any:  # noqa: N802  (the method's name)
        if self.slow:
            self.over.wait()
        return super()._getProgramAccounts(*params)


def test_hanging_lookups_do_not_block_known_pools(clock: Clock) -> None:
    chain = SlowLookups()
    chain.accounts = chain_at_genesis().accounts
    rpc = chain.rpc()
    venues = [venue_class(kind)(rpc, clock=clock, unix_time=lambda: NOW) for kind in PoolKind]
    read = partial(read_batch, rpc)
    collector = QuoteCollector(venues, read=read, cooling=Cooling(), timeout_ms=200, max_slot_lag=20, threads=1)
    assert collector.ask(PAIRS[:1])[PAIRS[0]].pools
    try:
        chain.slow = True
        unknown = collector.ask(PAIRS[1:])[PAIRS[1]]
        assert {refusal.code for refusal in unknown.refusals} == {ErrorCode.SERVICE_TIMEOUT}
        clock.now = 1.0
        known = collector.ask(PAIRS[:1])[PAIRS[0]]
        assert {pool.kind for pool in known.pools} == {*PoolKind}
    finally:
        chain.over.set()


def test_a_cancelled_reading_blocks_no_other_reading(chain: Chain, clock: Clock) -> None:
    rpc = chain.rpc()
    venue = venue_class(PoolKind.RAYDIUM_CPMM)(rpc, clock=clock, unix_time=lambda: NOW)
    assert venue.liquidity(SOL, USDC).pools
    for begins in (False, True):
        clock.now += 1.0
        reading = venue.reading(SOL, USDC)
        if begins:
            next(reading)
        reading.close()
        assert venue.liquidity(SOL, USDC).pools
