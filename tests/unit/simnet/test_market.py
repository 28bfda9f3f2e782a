"""The market is repeatable by its seed, active, fair to both venues, and has one price in all its pools."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from math import log

import pytest

from orderd.domain.pool_kind import VenueName
from orderd.pools.meteora_damm_v2.simnet.genesis import SOL_USDC_DAMM_V2
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4, SOL_USDC_BS10
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.config import MAX_SPREAD_BPS
from orderd.simnet.market import MAX_TRADES_PER_SLOT, PLACES, SimulatedMarket
from orderd.simnet.market_pools import TradedPool
from tests.unit.simnet.conftest import LocalChain

ORDER = 1_500_000_000
RAYDIUM = {SOL_USDC_CPMM, SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS, SOL_USDC_AMM_V4}
FEES_BPS = {
    SOL_USDC_CPMM: 5,
    SOL_USDC_CLMM_4BPS: 4,
    SOL_USDC_CLMM_25BPS: 25,
    SOL_USDC_AMM_V4: 25,
    SOL_USDC_BS4: 4,
    SOL_USDC_BS10: 10,
    SOL_USDC_DAMM_V2: 25,
}


@dataclass
class Course:
    """What a market did per slot.

    The best outputs of a 1.5 SOL order by venue, the trades, and each pool's distance from the deepest pool's price in
    basis points.
    """

    raydium: list[int] = field(default_factory=list)
    meteora: list[int] = field(default_factory=list)
    trades: list[int] = field(default_factory=list)
    gaps: dict[str, list[float]] = field(default_factory=dict)
    failures: int = 0


def run(
    slots: int, *, seed: int = 1, intensity: float = 1.0, spread_bps: Mapping[VenueName, int] | None = None
) -> Course:
    chain = LocalChain()
    market = SimulatedMarket(chain.bank, seed, intensity, spread_bps)
    chain.bank.on_opened.append(market.trade)
    pools = {place.address: place.kind(place.address, chain.account) for place in PLACES}
    course = Course(gaps={str(address): [] for address in pools})
    for slot in range(slots):
        chain.now += slot % 5 < 2
        sealed = chain.bank.seal()
        course.trades.append(len(sealed.executed))
        course.failures += sum(each.outcome.error is not None for each in sealed.executed)
        chain.bank.announce_open()
        chain.bank.confirm(sealed)
        out = {address: pool.quote(ORDER, sells_sol=True, now=chain.now) for address, pool in pools.items()}
        course.raydium.append(max(amount for address, amount in out.items() if address in RAYDIUM))
        course.meteora.append(max(amount for address, amount in out.items() if address not in RAYDIUM))
        price = pools[SOL_USDC_CLMM_4BPS].price()
        for address, pool in pools.items():
            course.gaps[str(address)].append(abs(log(pool.price() / price)) * 10_000)
    return course


@pytest.fixture(scope="module")
def course() -> Course:
    """A market's first 600 slots."""
    return run(600)


def test_the_same_seed_makes_the_same_market() -> None:
    assert run(60, seed=5) == run(60, seed=5)


def test_another_seed_makes_another_market() -> None:
    assert run(60, seed=5).raydium != run(60, seed=6).raydium


def test_each_venue_wins_a_fair_share_of_orders(course: Course) -> None:
    wins = sum(raydium > meteora for raydium, meteora in zip(course.raydium, course.meteora, strict=True))

    assert 0.25 < wins / 600 < 0.75


def test_prices_differ_and_drift_but_stay_near_their_start(course: Course) -> None:
    assert len(set(course.raydium)) > 100
    assert len(set(course.meteora)) > 20  # within one bin a DLMM pool's price does not move
    assert max(course.raydium) / min(course.raydium) > 1.001
    assert all(0.975 < each / (ORDER * 0.10166) < 1.025 for each in course.raydium + course.meteora)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.kind.__name__)
def test_pools_differ_by_no_more_than_arbitrage_allows(course: Course, place: TradedPool) -> None:
    """Prices differ by at most both pools' fees, except briefly after a trade."""
    band = FEES_BPS[place.address] + FEES_BPS[SOL_USDC_CLMM_4BPS] + 3
    apart = [gap > band for gap in course.gaps[str(place.address)]]

    assert sum(apart) < 60
    assert max((len(list(slots)) for out, slots in groupby(apart) if out), default=0) < 20


def test_every_pool_is_traded(course: Course) -> None:
    moved = {address for address, gaps in course.gaps.items() if len(set(gaps)) > 10}

    assert moved | {str(SOL_USDC_CLMM_4BPS)} == set(course.gaps)


def test_trades_are_few_per_slot_and_succeed() -> None:
    course = run(300, intensity=10)

    assert max(course.trades) <= MAX_TRADES_PER_SLOT
    assert sum(course.trades) > 300
    assert course.failures == 0


def test_a_chain_with_fewer_pools_trades_in_those(chain: LocalChain) -> None:
    newer = [SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS, SOL_USDC_AMM_V4, SOL_USDC_DAMM_V2]
    for address in newer:
        del chain.bank.accounts[address]
    chain.bank.on_opened.append(SimulatedMarket(chain.bank, seed=1, intensity=10).trade)

    blocks = [chain.seal() for _ in range(20)]

    executed = [each for block in blocks for each in block.signatures]
    assert executed
    assert not set(newer) & set(chain.bank.accounts)


@pytest.mark.parametrize("spread", [30, -30])
def test_a_spread_stays_between_the_venues(spread: int) -> None:
    course = run(300, spread_bps={VenueName.RAYDIUM: spread, VenueName.METEORA: -spread})
    apart = [log(raydium / meteora) * 10_000 for raydium, meteora in zip(course.raydium, course.meteora, strict=True)]
    settled = apart[100:]
    assert 2 * abs(spread) - 20 < abs(sum(settled) / len(settled)) < 2 * abs(spread) + 20
    assert all((each > 0) == (spread > 0) for each in settled)
    assert course.failures == 0


def test_the_maximum_spread_empties_no_pool() -> None:
    for widest in (MAX_SPREAD_BPS, -MAX_SPREAD_BPS):
        course = run(300, spread_bps={VenueName.RAYDIUM: widest, VenueName.METEORA: -widest})
        assert course.failures == 0
