"""Orders of random pairs and sizes over all pools of a moving market, checked against the chain's own ledger."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.events import Retrying, Routed
from orderd.domain.order import Floor, OrderStatus
from orderd.process.temporary import Daemon, running_daemon
from orderd.wire.submissions import SubmitParams
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Story, order, trading

ORDERS = 300
TRADES = (
    ("SOL", "USDC", 0.05, 90.0),
    ("USDC", "SOL", 5.0, 9_000.0),
    ("SOL", "CHILLGUY", 0.0005, 0.02),
    ("CHILLGUY", "SOL", 0.1, 1.0),
    ("USDC", "CHILLGUY", 0.05, 2.0),
    ("CHILLGUY", "USDC", 0.1, 1.0),
)
SETTINGS = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_SIMNET_SLOT_MS": "50",
    "ORDERD_POOL_MAX_AGE_MS": "50",
    "ORDERD_RETRY_BASE_MS": "50",
    "ORDERD_MAX_PRICE_IMPACT_BPS": "1000",
    "ORDERD_LOG_LEVEL": "warning",
}


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with running_daemon(tmp_path, SETTINGS) as daemon:
        yield daemon


def random_orders(seed: int) -> list[SubmitParams]:
    chance = random.Random(seed)
    made = []
    for number in range(ORDERS):
        token_in, token_out, least, most = TRADES[number % len(TRADES)]
        size = least * (most / least) ** chance.random()
        made.append(
            order(token_in, token_out, f"{size:.6f}", slippage=chance.choice(("0.05", "0.5", "3")), floor=Floor.EACH)
        )
    return made


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_every_fill_matches_the_ledger_and_none_is_below_its_minimum(daemon: Daemon) -> None:
    ledger = Ledger(daemon.log.parent)
    with trading(daemon.url) as trader:
        before = ledger.balances()
        trader.follow(trader.submit(order("SOL", "CHILLGUY", "0.4", slippage="5")), seconds=30)
        trader.submit_all(random_orders(seed=7))
        stories = trader.follow_all_to_end(seconds=300)
        audit(trader, stories, ledger, before)
    check_only_the_market_refused(stories)
    check_all_shapes_of_routes_occur(stories)


def check_only_the_market_refused(stories: Sequence[Story]) -> None:
    """Orders fail only because the price moved.

    Such an attempt is quoted again; the order fails after three of them.
    """
    codes = Counter(story.order.error.code for story in stories if story.order.error is not None)
    assert codes.keys() <= {ErrorCode.TX_SLIPPAGE_EXCEEDED, ErrorCode.ROUTE_PRICE_IMPACT}, codes
    confirmed = [story for story in stories if story.order.status is OrderStatus.CONFIRMED]
    assert len(confirmed) > ORDERS * 3 // 4, codes
    retried = [story for story in stories if any(isinstance(event.data, Retrying) for event in story.events)]
    for story in retried:
        routed = [event.data for event in story.events if isinstance(event.data, Routed)]
        assert len(routed) >= 2
    failures = [failure for story in stories for failure in story.failures]
    landed = sum(failure.signature is not None for failure in failures)
    summary = (
        f"{len(confirmed)} of {len(stories)} orders filled; {len(retried)} of all were quoted anew, {landed} attempts "
    )
    summary += f"landed below their floor, {len(failures) - landed} were not sent; without a fill: {dict(codes)}"
    print(f"\n{summary}")  # noqa: T201  (figures for people, beside the verdict)
    assert retried
    assert landed


def check_all_shapes_of_routes_occur(stories: Sequence[Story]) -> None:
    shapes = Counter(
        (len(event.data.route), event.data.route[-1].hop)
        for story in stories
        for event in story.events
        if isinstance(event.data, Routed)
    )
    single, split, through = (1, 1), (2, 1), (2, 2)
    assert shapes.keys() >= {single, split, through}, shapes
