from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from orderctl.config.settings import Settings
from orderctl.output.failures import exit_code_of_error
from orderd.client import freshness, handshake
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, ConfigError, FollowTimeoutError, RefusedError, UnreachableError
from orderd.client.following import Lost, Resumed, Update
from orderd.client.freshness import Fresh, Stale
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.balances import BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, ResyncRequired, Snapshot
from tests.samples.orders import FILLED, ORDER_ID, history
from tests.socks import socks_proxy
from tests.unit.orderctl.daemon import FakeDaemon

NO_BALANCES = BalancesResult(wallet="w", balances=())
FAR_AWAY = Settings(url="ws://desk.example:3000/")


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with Client(settings) as connected:
        yield connected


def seqs(updates: list[Update]) -> list[int]:
    return [update.event.seq for update in updates if isinstance(update, Event)]


def until_the_end(updates: Iterator[Update], last: int = len(FILLED)) -> list[Update]:
    seen = []
    for update in updates:
        seen.append(update)
        if isinstance(update, Event) and update.event.seq == last:
            return seen
    raise AssertionError("the news ended early")


def test_a_call_returns_a_typed_answer(daemon: FakeDaemon, client: Client) -> None:
    daemon.answers(Method.BALANCES, NO_BALANCES)

    assert client.call(Method.BALANCES, NoParams(), BalancesResult) == NO_BALANCES


def test_a_remote_daemon_is_reached_through_a_socks_proxy(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.answers(Method.BALANCES, NO_BALANCES)
    with socks_proxy({("desk.example", 3000): urlsplit(daemon.url).port or 0}, wants_user=True) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        with Client(FAR_AWAY) as client:
            assert client.call(Method.BALANCES, NoParams(), BalancesResult) == NO_BALANCES

    assert proxy.asked == [("desk.example", 3000)]


def test_a_local_daemon_is_reached_without_a_proxy(
    daemon: FakeDaemon, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.answers(Method.BALANCES, NO_BALANCES)
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "socks5://proxy.example:1")

    assert client.call(Method.BALANCES, NoParams(), BalancesResult) == NO_BALANCES


def test_a_failing_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socks_proxy({}) as proxy, Client(FAR_AWAY) as client:
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        with pytest.raises(UnreachableError, match=r"through the proxy 127\.0\.0\.1:\d+: .* no host is reached there"):
            client.call(Method.BALANCES, NoParams(), BalancesResult)


def test_an_unsupported_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "https://trader:secret@proxy.example")

    with pytest.raises(ConfigError, match="the environment names for http ") as refused, Client(FAR_AWAY) as client:
        client.call(Method.BALANCES, NoParams(), BalancesResult)
    assert "secret" not in str(refused.value)


def test_the_api_key_is_sent_only_in_the_handshake(daemon: FakeDaemon) -> None:
    daemon.answers(Method.BALANCES, NO_BALANCES)
    with Client(Settings(url=daemon.url, api_key="t0k3n")) as client:
        client.call(Method.BALANCES, NoParams(), BalancesResult)

    assert daemon.tokens == ["Bearer t0k3n"]
    assert "t0k3n" not in str(daemon.calls)


def test_a_refusal_has_the_daemons_problem(daemon: FakeDaemon, client: Client) -> None:
    daemon.answers(Method.BALANCES, OrderdError(ErrorCode.AUTH_FORBIDDEN, "the scope read is missing"))

    with pytest.raises(RefusedError, match="the scope read is missing"):
        client.call(Method.BALANCES, NoParams(), BalancesResult)


def test_an_unreachable_daemon_is_a_certain_failure(daemon: FakeDaemon, client: Client) -> None:
    daemon.stop()
    try:
        with pytest.raises(UnreachableError, match="refused"):
            client.call(Method.BALANCES, NoParams(), BalancesResult)
    finally:
        daemon.start()


def test_a_connection_that_breaks_before_the_answer_leaves_the_outcome_unknown(
    daemon: FakeDaemon, client: Client
) -> None:
    daemon.answers(Method.BALANCES, lambda _: daemon.drop_connections())

    with pytest.raises(AnswerLostError, match="the network dropped it"):
        client.call(Method.BALANCES, NoParams(), BalancesResult)


def test_no_answer_in_time_leaves_the_outcome_unknown(daemon: FakeDaemon, client: Client) -> None:
    """The time is short only once the connection is open."""
    daemon.answers(Method.POOLS, NO_BALANCES)
    daemon.answers(Method.BALANCES, None)
    client.call(Method.POOLS, NoParams(), BalancesResult)
    client._endpoint = Settings(url=daemon.url, timeout=0.1)
    with pytest.raises(AnswerLostError, match="in time"):
        client.call(Method.BALANCES, NoParams(), BalancesResult)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (Method.ORDER_SUBMIT, 5),
        (Method.ORDER_CANCEL, 5),
        (Method.ORDER_RESOLVE, 5),
        (Method.BALANCES, 3),
        (Method.STATUS, 3),
    ],
)
def test_only_a_changing_call_has_an_unknown_outcome(
    daemon: FakeDaemon, client: Client, method: Method, code: int
) -> None:
    daemon.answers(method, lambda _: daemon.drop_connections())

    with pytest.raises(AnswerLostError) as lost:
        client.call(method, NoParams(), BalancesResult)
    assert exit_code_of_error(lost.value) == code


def test_a_late_answer_is_not_taken_for_the_next_calls(daemon: FakeDaemon, settings: Settings, client: Client) -> None:
    daemon.answers(Method.STATUS, None)
    daemon.answers(Method.BALANCES, NO_BALANCES)
    client._endpoint = Settings(url=daemon.url, timeout=1)
    with pytest.raises(AnswerLostError):
        client.call(Method.STATUS, NoParams(), BalancesResult)
    client._endpoint = settings

    assert client.call(Method.BALANCES, NoParams(), BalancesResult) == NO_BALANCES


def test_following_yields_past_and_new_events_once_each(daemon: FakeDaemon, client: Client) -> None:
    events = history(FILLED)
    daemon.knows(*events[:2])
    updates = client.follow(str(ORDER_ID))

    first = next(updates)
    assert isinstance(first, Snapshot)
    assert daemon.subscribed.acquire(timeout=5)
    for event in events[2:]:
        daemon.publish(event)

    assert seqs(until_the_end(updates)) == [1, 2, 3, 4, 5]


def test_following_loses_and_repeats_no_event_over_a_restart(daemon: FakeDaemon, client: Client) -> None:
    events = history(FILLED)
    daemon.knows(*events[:1])
    updates = client.follow(str(ORDER_ID))
    before = until_the_end(updates, last=1)

    daemon.stop()
    daemon.knows(*events[:4])
    lost = next(updates)
    daemon.start()
    after = []
    for update in updates:
        after.append(update)
        if isinstance(update, Event) and update.event.seq == 4:
            break

    assert isinstance(lost, Lost)
    assert lost.reason == "the daemon restarts"
    assert Resumed(replayed=3) in after
    assert seqs(before) + seqs(after) == [1, 2, 3, 4]
    assert daemon.calls[-1] == ("orders.subscribe", {"order": str(ORDER_ID), "after": 1})


def test_a_dropped_connection_is_reopened(daemon: FakeDaemon, client: Client) -> None:
    events = history(FILLED)
    daemon.knows(*events[:3])
    updates = client.follow(str(ORDER_ID))
    before = until_the_end(updates, last=3)
    assert daemon.subscribed.acquire(timeout=5)

    daemon.drop_connections()
    lost = next(updates)
    assert isinstance(lost, Lost)
    assert lost.reason == "the network dropped it"
    assert next(updates) == Resumed(replayed=0)
    assert daemon.subscribed.acquire(timeout=5)
    for event in events[3:]:
        daemon.publish(event)

    assert seqs(before) + seqs(until_the_end(updates)) == [1, 2, 3, 4, 5]


def test_a_daemon_that_answers_no_ping_is_disconnected_silently(
    daemon: FakeDaemon, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.knows(*history(FILLED)[:1])
    updates = client.follow(str(ORDER_ID))
    with monkeypatch.context() as soon:
        soon.setattr(handshake, "KEEPALIVE_SECONDS", 0.05)
        until_the_end(updates, last=1)

    # The connection that follows has time for its pings: on a busy machine the first one may be lost before the daemon
    # hangs, but it is lost once.
    with daemon.hanging():
        lost = next(updates)
    assert isinstance(lost, Lost)
    assert isinstance(next(updates), Resumed)
    assert caplog.records == []


def test_a_repeated_event_is_yielded_once(daemon: FakeDaemon, client: Client) -> None:
    events = history(FILLED)
    daemon.knows(*events[:3])
    updates = client.follow(str(ORDER_ID))
    before = until_the_end(updates, last=3)
    assert daemon.subscribed.acquire(timeout=5)

    daemon.publish(events[2], stored=False)
    for event in events[3:]:
        daemon.publish(event)

    assert seqs(before) + seqs(until_the_end(updates)) == [1, 2, 3, 4, 5]


def test_a_gap_is_filled_by_resubscribing(daemon: FakeDaemon, client: Client) -> None:
    events = history(FILLED)
    daemon.knows(*events[:1])
    updates = client.follow(str(ORDER_ID))
    before = until_the_end(updates, last=1)
    assert daemon.subscribed.acquire(timeout=5)

    daemon.knows(*events[:3])  # two events that are not delivered
    daemon.publish(events[3])
    daemon.publish(events[4])

    assert seqs(before) + seqs(until_the_end(updates)) == [1, 2, 3, 4, 5]


def test_an_unknown_order_is_not_retried(daemon: FakeDaemon, client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        next(client.follow("nothing-here"))

    assert refused.value.problem.code is ErrorCode.ORDER_NOT_FOUND
    assert len(daemon.calls) == 1


def test_a_daemon_that_was_never_reachable_is_not_retried(daemon: FakeDaemon, client: Client) -> None:
    daemon.stop()
    try:
        with pytest.raises(UnreachableError):
            next(client.follow(str(ORDER_ID)))
    finally:
        daemon.start()


def test_following_ends_at_its_timeout(daemon: FakeDaemon, client: Client) -> None:
    daemon.knows(*history(FILLED)[:1])

    with pytest.raises(FollowTimeoutError, match="is still active"):
        for _ in client.follow(str(ORDER_ID), seconds=0.05):
            pass


def test_an_order_at_the_timeout_is_reported_as_active(daemon: FakeDaemon, client: Client) -> None:
    active = uuid4()
    daemon.knows(*history(FILLED))
    daemon.knows(*history(FILLED[:2], active))

    with pytest.raises(FollowTimeoutError, match=f"{active} is still active"):
        for _ in client.follow_all([str(ORDER_ID), str(active)], seconds=0.5):
            pass


class TestHeartbeat:
    def test_regular_heartbeats_are_not_reported(self, daemon: FakeDaemon, client: Client) -> None:
        events = history(FILLED)
        daemon.heartbeat_seconds = 5
        daemon.knows(*events[:2])
        updates = client.follow(str(ORDER_ID))
        before = until_the_end(updates, last=2)
        for event in events[2:]:
            daemon.beat()
            daemon.publish(event)

        assert [type(update) for update in before + until_the_end(updates)] == [Snapshot] + [Event] * 5

    def test_silence_and_its_end_are_reported(
        self, daemon: FakeDaemon, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(freshness, "MISSED_BEATS", 0.05)
        events = history(FILLED)
        daemon.heartbeat_seconds = 1
        daemon.knows(*events[:4])
        updates = client.follow(str(ORDER_ID))
        until_the_end(updates, last=4)

        stale = next(updates)
        assert isinstance(stale, Stale)
        assert stale.reason == "the daemon sends nothing"
        assert stale.since < datetime.now(UTC)
        daemon.publish(events[4])
        rest = list(updates)
        assert [type(update) for update in rest] in ([Event], [Event, Fresh])  # the event is the order's last
        assert seqs(rest) == [5]

    def test_an_outage_of_the_daemons_database_and_its_end_are_reported(
        self, daemon: FakeDaemon, client: Client
    ) -> None:
        daemon.heartbeat_seconds = 5
        daemon.knows(*history(FILLED)[:1])
        updates = client.follow(str(ORDER_ID))
        until_the_end(updates, last=1)

        daemon.beat(behind=timedelta(minutes=2))
        stale = next(updates)
        daemon.beat()
        assert isinstance(stale, Stale)
        assert stale.reason == "the daemon cannot reach its database"
        assert datetime.now(UTC) - stale.since >= timedelta(minutes=2)
        assert next(updates) == Fresh()

    def test_a_wrong_count_of_events_causes_a_new_subscription(self, daemon: FakeDaemon, client: Client) -> None:
        events = history(FILLED)
        daemon.heartbeat_seconds = 5
        daemon.knows(*events[:1])
        updates = client.follow(str(ORDER_ID))
        before = until_the_end(updates, last=1)
        assert daemon.subscribed.acquire(timeout=5)

        daemon.knows(*events)  # the order ends with events that are not delivered
        daemon.beat(unheard=4)
        lost = next(updates)
        assert isinstance(lost, Lost)
        assert lost.reason == "4 of the daemon's events did not arrive"
        assert seqs(before) + seqs(until_the_end(updates)) == [1, 2, 3, 4, 5]

    def test_a_daemon_without_heartbeats_may_be_silent(
        self, daemon: FakeDaemon, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(freshness, "MISSED_BEATS", 0.0)
        daemon.knows(*history(FILLED)[:1])
        updates = client.follow(str(ORDER_ID), seconds=0.05)
        until_the_end(updates, last=1)
        with pytest.raises(FollowTimeoutError):
            next(updates)


class TestResync:
    def test_an_order_of_a_restored_database_starts_over(self, daemon: FakeDaemon, client: Client) -> None:
        events = history(FILLED)
        daemon.knows(*events[:4])
        updates = client.follow(str(ORDER_ID))
        until_the_end(updates, last=4)
        assert daemon.subscribed.acquire(timeout=5)

        daemon.knows(*events[:2])
        daemon.drop_connections()
        lost, resumed, resync, snapshot = (next(updates) for _ in range(4))
        assert isinstance(lost, Lost)
        assert resumed == Resumed(replayed=0)
        assert isinstance(resync, ResyncRequired)
        assert (resync.reason, resync.after, resync.seq) == ("AHEAD", 4, 2)
        assert isinstance(snapshot, Snapshot)
        assert daemon.subscribed.acquire(timeout=5)
        for event in events[2:]:
            daemon.publish(event)
        assert seqs(until_the_end(updates)) == [3, 4, 5]

    def test_an_order_without_its_first_events_is_followed_from_its_snapshot(
        self, daemon: FakeDaemon, client: Client
    ) -> None:
        events = history(FILLED)
        daemon.knows(*events[:4], kept=1)
        updates = client.follow(str(ORDER_ID))
        resync, snapshot = next(updates), next(updates)
        assert isinstance(resync, ResyncRequired)
        assert resync.reason == "GONE"
        assert isinstance(snapshot, Snapshot)
        assert daemon.subscribed.acquire(timeout=5)
        daemon.publish(events[4], stored=False)
        assert seqs(list(updates)) == [5]

    def test_an_ended_order_without_events_is_over(self, daemon: FakeDaemon, client: Client) -> None:
        daemon.knows(*history(FILLED), kept=2)
        assert [type(update) for update in client.follow(str(ORDER_ID))] == [ResyncRequired, Snapshot]
