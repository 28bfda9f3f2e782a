"""How current the shown data is, according to the daemon's heartbeats."""

from datetime import UTC, datetime, timedelta

from orderctl.tui.desk import Desk
from orderd.client.news import Closed, Opened
from orderd.wire.subscriptions import Heartbeat, Ready

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def beat(behind: float) -> Heartbeat:
    return Heartbeat(at=NOW, as_of=NOW - timedelta(seconds=behind), subscriptions=())


def test_data_of_a_lagging_daemon_is_stale_until_it_caught_up() -> None:
    desk = Desk("ws://here/", clock=lambda: NOW)
    for news in (Opened(), Ready(subscription=1, orders=0), beat(behind=0.5)):
        desk.receive(news)
    assert desk.stale_since() is None

    desk.receive(beat(behind=60))
    assert desk.stale_since() == NOW - timedelta(seconds=60)

    desk.receive(beat(behind=1))
    assert desk.stale_since() is None


def test_a_new_connection_is_not_stale() -> None:
    desk = Desk("ws://here/", clock=lambda: NOW)
    for news in (Opened(), Ready(subscription=1, orders=0), beat(behind=60), Closed("the daemon restarts", 1.0)):
        desk.receive(news)
    for news in (Opened(), Ready(subscription=1, orders=0)):
        desk.receive(news)
    assert desk.stale_since() is None


def test_nothing_is_stale_before_the_first_message() -> None:
    desk = Desk("ws://here/", clock=lambda: NOW)

    desk.receive(Opened())

    assert desk.received_at is None
    assert desk.stale_since() is None
