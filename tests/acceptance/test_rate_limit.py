"""More simultaneous orders than the rate limit allows: they wait in line, and waiting does not count as an attempt."""

from datetime import timedelta
from pathlib import Path

from orderd.domain.events import Started
from orderd.domain.order import EventKind, OrderStatus
from tests.acceptance.audit import audit
from tests.acceptance.cluster import cluster_over
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Story, order, trading
from tests.conftest import running_simnet

LIMIT = 20
WINDOW = timedelta(seconds=2)
WORKED_ON_AT_A_TIME = 10


def start_of(story: Story) -> Started:
    """The only start of an order that never failed."""
    (start,) = [event.data for event in story.events if isinstance(event.data, Started)]
    return start


def has_waited(story: Story) -> bool:
    return any(event.data.kind is EventKind.DEFERRED for event in story.events)


def test_no_window_has_more_starts_than_allowed_and_waiting_is_not_an_attempt(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """The worker starts after the last submission, so that all orders wait, however long their submission takes."""
    limited = {"ORDERD_RATE_LIMIT": str(LIMIT), "ORDERD_RATE_WINDOW_SECONDS": str(int(WINDOW.total_seconds()))}
    with (
        running_simnet(tmp_path) as simnet,
        cluster_over(tmp_path, postgres_url, redis_url, simnet, **limited) as cluster,
    ):
        gateway = cluster.gateway("gateway")
        cluster.start(gateway)
        with trading(gateway.url) as trader:
            ledger = Ledger(tmp_path)
            before = ledger.balances()
            arrivals = [trader.submit(order("SOL", "USDC", "0.01")) for _ in range(4 * LIMIT)]
            cluster.start(cluster.worker("worker"))
            stories = trader.follow_all_to_end(seconds=60)
            audit(trader, stories, ledger, before)

    assert sum(has_waited(story) for story in stories) > LIMIT
    assert {(story.order.status, story.order.attempt) for story in stories} == {(OrderStatus.CONFIRMED, 1)}
    assert {len(story.failures) for story in stories} == {0}
    assert {start_of(story).attempt for story in stories} == {1}

    starts = sorted(
        (event.at, story.id) for story in stories for event in story.events if event.data.kind is EventKind.STARTED
    )
    for (earlier, _), (later, _) in zip(starts, starts[LIMIT:], strict=False):
        assert later - earlier > WINDOW, f"{LIMIT + 1} starts between {earlier} and {later}"
    # As many orders as the limit allows start in one statement, while others are being executed, and Postgres decides
    # which start is stored first. No order may overtake another by more than that.
    places = [arrivals.index(order_id) for _, order_id in starts]
    assert max(abs(place - rank) for rank, place in enumerate(places)) < max(WORKED_ON_AT_A_TIME, LIMIT)
