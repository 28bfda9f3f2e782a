"""Demonstration settings of the local chain change what happens to orders."""

from decimal import Decimal
from pathlib import Path

import pytest

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Confirmed, Routed, Submitted
from orderd.domain.order import OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.process.temporary import running_daemon
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Story, order, trading
from tests.conftest import QUICK


def story_of(state_dir: Path, settings: dict[str, str]) -> Story:
    """Trade one order with these settings and audit it."""
    with running_daemon(state_dir, settings) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(state_dir)
        before = ledger.balances()
        trader.submit_all([order("SOL", "USDC", "1.5")])
        stories = trader.follow_all_to_end(seconds=60)
        audit(trader, stories, ledger, before)
    (story,) = stories
    return story


def test_a_success_rate_of_zero_fails_every_attempt_on_chain(tmp_path: Path, given_database: dict[str, str]) -> None:
    story = story_of(tmp_path, QUICK | given_database | {"ORDERD_SIMNET_SUCCESS_RATE": "0"})
    assert story.order.status is OrderStatus.FAILED
    assert story.order.error is not None
    assert story.order.error.code is ErrorCode.TX_SLIPPAGE_EXCEEDED
    assert [attempt.outcome for attempt in story.attempts] == ["failed"] * 3
    assert all(attempt.slot is not None for attempt in story.attempts), "a failed attempt did not land"


def test_an_order_is_confirmed_after_the_configured_delay(tmp_path: Path, given_database: dict[str, str]) -> None:
    slots = 40
    settings = QUICK | given_database | {"ORDERD_SIMNET_CONFIRM_MS": str(slots * int(QUICK["ORDERD_SIMNET_SLOT_MS"]))}
    story = story_of(tmp_path, settings)
    assert story.order.status is OrderStatus.CONFIRMED
    signed = next(event.at for event in story.events if isinstance(event.data, Submitted))
    confirmed = next(event.at for event in story.events if isinstance(event.data, Confirmed))
    assert (confirmed - signed).total_seconds() >= 0.9 * slots * 0.025


@pytest.mark.parametrize(("dearer", "cheaper"), [tuple(VenueName), tuple(VenueName)[::-1]])
def test_a_sale_is_routed_to_the_venue_that_pays_more(
    tmp_path: Path, given_database: dict[str, str], dearer: VenueName, cheaper: VenueName
) -> None:
    settings = QUICK | given_database | {"ORDERD_SIMNET_MARKET": "true"}
    settings |= {
        f"ORDERD_SIMNET_{dearer.upper()}_SPREAD_BPS": "50",
        f"ORDERD_SIMNET_{cheaper.upper()}_SPREAD_BPS": "-50",
    }
    with running_daemon(tmp_path, settings) as daemon, trading(daemon.url) as trader:
        while gap(daemon.url, dearer, cheaper) < Decimal("1.007"):
            pass  # the market takes some slots to reach the spread
        trader.submit_all([order("SOL", "USDC", "1.5")])
        (story,) = trader.follow_all_to_end(seconds=60)
    route = next(event.data for event in story.events if isinstance(event.data, Routed))
    assert {leg.venue for leg in route.route} == {dearer}


def gap(url: str, dearer: VenueName, cheaper: VenueName) -> Decimal:
    """The price of SOL at the best pool of one venue, relative to the other venue's."""
    asked = QuoteParams(token_in="SOL", token_out="USDC", amount_in="1.5")
    with Client(Settings(url=url)) as client:
        quotes = client.call(Method.QUOTE, asked, QuoteResult).quotes
    best = {venue: max(Decimal(quote.amount_out) for quote in quotes if quote.venue == venue) for venue in VenueName}
    return best[dearer] / best[cheaper]
