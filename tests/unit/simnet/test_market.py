"""The market: repeatable by its seed, alive, and fair to both venues."""

from dataclasses import dataclass

from orderd.simnet.genesis import SOL_USDC_BS4, SOL_USDC_BS10, SOL_USDC_CPMM
from orderd.simnet.market import MAX_TRADES_A_SLOT, Market
from orderd.simnet.market_pools import CpmmMarketPool, DlmmMarketPool
from tests.unit.simnet.conftest import LocalChain

ORDER = 1_500_000_000


@dataclass
class Course:
    """What a market did: the best amounts out of a 1.5 SOL order by venue, and the trades of each slot."""

    raydium: list[int]
    meteora: list[int]
    trades: list[int]
    failures: int


def run(slots: int, *, seed: int = 1, intensity: float = 1.0) -> Course:
    chain = LocalChain()
    market = Market(chain.bank, seed, intensity)
    chain.bank.on_opened.append(market.trade)
    raydium = CpmmMarketPool(SOL_USDC_CPMM, chain.account)
    meteora = [DlmmMarketPool(address, chain.account) for address in (SOL_USDC_BS4, SOL_USDC_BS10)]
    course = Course([], [], [], 0)
    for slot in range(slots):
        chain.now += slot % 5 < 2
        sealed = chain.bank.seal()
        course.trades.append(len(sealed.executed))
        course.failures += sum(each.outcome.error is not None for each in sealed.executed)
        chain.bank.announce_open()
        chain.bank.confirm(sealed)
        course.raydium.append(raydium.quote(ORDER, sells_sol=True, now=chain.now))
        course.meteora.append(max(each.quote(ORDER, sells_sol=True, now=chain.now) for each in meteora))
    return course


def test_the_same_seed_makes_the_same_market() -> None:
    assert run(60, seed=5) == run(60, seed=5)


def test_another_seed_makes_another_market() -> None:
    assert run(60, seed=5).raydium != run(60, seed=6).raydium


def test_each_venue_wins_a_fair_share_of_orders() -> None:
    course = run(600)
    wins = sum(raydium > meteora for raydium, meteora in zip(course.raydium, course.meteora, strict=True))

    assert 0.25 < wins / 600 < 0.75


def test_prices_differ_and_drift_but_stay_near_where_they_began() -> None:
    course = run(600)

    assert len(set(course.raydium)) > 300
    assert max(course.raydium) / min(course.raydium) > 1.001
    assert all(0.975 < each / (ORDER * 0.10166) < 1.025 for each in course.raydium + course.meteora)


def test_trades_are_few_a_slot_and_succeed() -> None:
    course = run(300, intensity=10)

    assert max(course.trades) <= MAX_TRADES_A_SLOT
    assert sum(course.trades) > 300
    assert course.failures == 0
