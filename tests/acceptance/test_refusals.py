"""Orders that the market, the wallet or the venues refuse: each fails or expires with a reason and a next step."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from orderd.domain.errors import ERRORS, ErrorCode
from orderd.domain.events import Deferred, Routed
from orderd.domain.order import OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.process.temporary import running_daemon
from orderd.wire.submissions import SubmitParams
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Story, Trader, order, trading
from tests.conftest import QUICK


def ends_of(
    state_dir: Path, settings: Mapping[str, str], orders: Sequence[SubmitParams], outage: Sequence[str]
) -> list[Story]:
    """Trade ``orders`` during an outage of these venues, and audit them."""
    with market(state_dir, settings, outage) as trader:
        ledger = Ledger(state_dir)
        before = ledger.balances()
        trader.submit_all(orders)
        stories = trader.follow_all_to_end(seconds=60)
        audit(trader, stories, ledger, before)
        return stories


@contextmanager
def market(state_dir: Path, settings: Mapping[str, str], outage: Sequence[str]) -> Iterator[Trader]:
    faults = {"ORDERD_SIMNET_FAULTS": json.dumps({"venue_outage": list(outage)})}
    with running_daemon(state_dir, {**QUICK, **settings, **faults}) as daemon, trading(daemon.url) as trader:
        yield trader


def routes_of(story: Story) -> list[Routed]:
    return [event.data for event in story.events if isinstance(event.data, Routed)]


@pytest.mark.parametrize(("down", "up"), [("raydium", "meteora"), ("meteora", "raydium")])
def test_orders_go_to_the_other_venue_while_one_is_down(
    tmp_path: Path, given_database: dict[str, str], down: str, up: str
) -> None:
    stories = ends_of(
        tmp_path, given_database, [order("SOL", "USDC", "1.5"), order("USDC", "SOL", "100")], outage=[down]
    )
    for story in stories:
        assert story.order.status is OrderStatus.CONFIRMED
        assert story.order.venue == up
        (route,) = routes_of(story)
        assert {quote.venue for quote in route.quotes} == {up}
        (refusal,) = route.refusals
        assert refusal.venue == VenueName(down)
        assert refusal.code in ERRORS
        assert refusal.detail


def test_an_order_waits_until_it_expires_while_both_venues_are_down(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    settings = given_database | {"ORDERD_ORDER_TTL_SECONDS": "2"}
    (story,) = ends_of(tmp_path, settings, [order("SOL", "USDC", "1.5")], outage=["raydium", "meteora"])
    assert story.order.status is OrderStatus.EXPIRED
    assert story.order.error is not None
    assert story.order.error.code is ErrorCode.ORDER_EXPIRED
    assert ERRORS[ErrorCode.ROUTE_VENUES_UNAVAILABLE].title in story.order.error.detail
    (wait,) = [event.data for event in story.events if isinstance(event.data, Deferred)]
    assert wait.code is ErrorCode.ROUTE_VENUES_UNAVAILABLE
    assert wait.detail is not None
    assert "raydium: " in wait.detail
    assert "meteora: " in wait.detail
    assert (story.attempts, story.failures) == ((), ())


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        # More than the wallet holds, but not more than the pools can trade.
        (order("SOL", "USDC", "1000.1"), ErrorCode.FUNDS_INSUFFICIENT),
        # The whole balance, which leaves nothing for the fee.
        (order("SOL", "USDC", "1000"), ErrorCode.FUNDS_INSUFFICIENT),
        # A token that the wallet does not hold.
        (order("CHILLGUY", "SOL", "1"), ErrorCode.FUNDS_INSUFFICIENT),
        (order("SOL", "USDC", "20000"), ErrorCode.ROUTE_PRICE_IMPACT),
        (order("SOL", "USDC", "0.000000001"), ErrorCode.ROUTE_AMOUNT_TOO_SMALL),
    ],
)
def test_an_order_that_can_never_be_filled_fails_at_once(
    trader: Trader, refused: SubmitParams, code: ErrorCode
) -> None:
    order_id = trader.submit(refused)
    events = trader.follow(order_id, seconds=30)
    detail = trader.detail(order_id)
    assert events[-1].status is OrderStatus.FAILED
    assert detail.order.error is not None
    assert (detail.order.error.code, detail.order.error.next_step) == (code, ERRORS[code].next_step)
    ((number, failed_with, logs),) = [(failure.attempt, failure.code, failure.logs) for failure in detail.failures]
    assert (number, failed_with) == (1, code)
    assert bool(logs) == (code is ErrorCode.FUNDS_INSUFFICIENT), "logs are stored only if the chain refused"
    assert detail.attempts == ()


@pytest.fixture(scope="module")
def trader(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Trader]:
    """A trader with a new wallet while both venues work."""
    with market(tmp_path_factory.mktemp("orderd"), shared_database, outage=[]) as trader:
        yield trader
