"""The asynchronous client against a daemon that answers, restarts and fails on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from orderctl.config.settings import Settings
from orderd.client.errors import AnswerLostError, RefusedError, UnreachableError, UnreadableError
from orderd.client.link import Link
from orderd.client.news import Closed, News, Opened
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.message import NoParams
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams
from orderd.wire.problem import Problem
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult
from orderd.wire.subscriptions import Event, Heartbeat, Ready, Snapshot
from tests.samples.orders import FILLED, detail_of, history
from tests.socks import socks_proxy
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS, order_id

pytestmark = pytest.mark.asyncio


class Listener:
    """Records notifications, and lets a test wait for one of a type."""

    def __init__(self) -> None:
        self.received: list[News] = []
        self.on_news: Callable[[News], None] = lambda _: None
        self._arrived = asyncio.Event()

    def hear(self, news: News) -> None:
        self.on_news(news)
        self.received.append(news)
        self._arrived.set()

    async def wait_for(self, kind: type[News], count: int = 1) -> None:
        async with asyncio.timeout(10):
            while sum(isinstance(news, kind) for news in self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()


@asynccontextmanager
async def linked(settings: Settings) -> AsyncIterator[tuple[Link, Listener]]:
    link, listener = Link(settings), Listener()
    running = asyncio.create_task(link.run(listener.hear))
    try:
        yield link, listener
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_remote_daemon_is_reached_through_a_socks_proxy(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socks_proxy({("desk.example", 3000): urlsplit(daemon.url).port or 0}) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        async with linked(Settings(url="ws://desk.example:3000/")) as (_, listener):
            await listener.wait_for(Ready)

    assert proxy.asked == [("desk.example", 3000)]


async def test_a_connection_starts_with_active_orders_and_continues_with_events(
    daemon: FakeDaemon, settings: Settings
) -> None:
    daemon.knows(*history(FILLED[:2], order_id(1)))
    daemon.knows(*history(FILLED, order_id(2)))
    async with linked(settings) as (_, listener):
        await listener.wait_for(Ready)
        daemon.publish(history(FILLED, order_id(1))[2])
        daemon.publish(history(FILLED, order_id(3))[0])
        await listener.wait_for(Event, 2)

    opened, snapshot, ready, *events = listener.received
    assert isinstance(opened, Opened)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.order.id == order_id(1)
    assert isinstance(ready, Ready)
    assert [news.event.order_id for news in events if isinstance(news, Event)] == [order_id(1), order_id(3)]


async def test_calls_are_answered_during_a_flood_of_events(daemon: FakeDaemon, settings: Settings) -> None:
    daemon.answers(Method.STATUS, STATUS)
    daemon.answers(Method.ORDER_GET, detail_of(FILLED))
    async with linked(settings) as (link, listener):
        await listener.wait_for(Ready)
        daemon.publish(history(FILLED)[0])
        answers = await asyncio.gather(
            *(link.call(Method.STATUS, NoParams(), StatusResult) for _ in range(20)),
            link.call(Method.ORDER_GET, GetParams(order="0199d3a0"), OrderDetail),
        )

    assert answers == [STATUS] * 20 + [detail_of(FILLED)]


async def test_a_restart_of_the_daemon_is_reported_and_survived(daemon: FakeDaemon, settings: Settings) -> None:
    async with linked(settings) as (link, listener):
        await listener.wait_for(Ready)
        await asyncio.to_thread(daemon.stop)
        await listener.wait_for(Closed, 2)
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await link.call(Method.STATUS, NoParams(), StatusResult)
        daemon.start()
        await listener.wait_for(Ready, 2)

    first, second = [news for news in listener.received if isinstance(news, Closed)][:2]
    assert first.reason == "the daemon restarts"
    assert second.reason == "Connection refused"


async def test_an_unreachable_daemon_is_retried(daemon: FakeDaemon, settings: Settings) -> None:
    daemon.stop()
    async with linked(settings) as (_, listener):
        await listener.wait_for(Closed)
        daemon.start()
        await listener.wait_for(Ready)


async def test_a_call_whose_connection_breaks_has_an_unknown_outcome(daemon: FakeDaemon, settings: Settings) -> None:
    async with linked(settings) as (link, listener):
        daemon.answers(Method.STATUS, lambda _: daemon.drop_connections())
        await listener.wait_for(Ready)
        with pytest.raises(AnswerLostError, match="the network dropped it"):
            await link.call(Method.STATUS, NoParams(), StatusResult)


async def test_a_call_without_an_answer_ends_in_time_and_keeps_the_connection(
    daemon: FakeDaemon, settings: Settings
) -> None:
    daemon.answers(Method.STATUS, None)
    daemon.answers(Method.ORDER_GET, detail_of(FILLED))
    async with linked(settings) as (link, listener):
        await listener.wait_for(Ready)
        link._endpoint = Settings(url=daemon.url, timeout=0.2)
        with pytest.raises(AnswerLostError, match=r"no response to status within 0\.2 s"):
            await link.call(Method.STATUS, NoParams(), StatusResult)
        link._endpoint = settings
        assert await link.call(Method.ORDER_GET, GetParams(order="0199d3a0"), OrderDetail) == detail_of(FILLED)


async def test_a_refusal_does_not_close_the_connection(daemon: FakeDaemon, settings: Settings) -> None:
    daemon.answers(Method.ORDER_GET, OrderdError(ErrorCode.ORDER_NOT_FOUND, "there is no order 0199"))
    async with linked(settings) as (link, listener):
        await listener.wait_for(Ready)
        with pytest.raises(RefusedError, match="there is no order 0199"):
            await link.call(Method.ORDER_GET, GetParams(order="0199d3a0"), OrderDetail)
    assert not any(isinstance(news, Closed) for news in listener.received)


async def test_a_missed_event_causes_a_new_connection(daemon: FakeDaemon, settings: Settings) -> None:
    def refuse_events(news: News) -> None:
        if isinstance(news, Event):
            raise AnswerLostError("lost", "event 4 followed event 2", "ask anew")

    async with linked(settings) as (_, listener):
        listener.on_news = refuse_events
        await listener.wait_for(Ready)
        daemon.publish(history(FILLED)[0])
        await listener.wait_for(Ready, 2)

    (closed,) = [news for news in listener.received if isinstance(news, Closed)]
    assert closed.reason == "event 4 followed event 2"


@pytest.mark.parametrize("when", ["at the door", "at the subscription"])
async def test_a_refused_api_key_ends_the_link(daemon: FakeDaemon, settings: Settings, when: str) -> None:
    error = OrderdError(ErrorCode.AUTH_INVALID, "the token is revoked")
    if when == "at the door":
        daemon.refusal = (401, Problem.of(error).model_dump_json().encode())
    else:
        daemon.answers(Method.ORDERS_SUBSCRIBE, error)
    with pytest.raises(RefusedError, match="the token is revoked"):
        await Link(settings).run(lambda _: None)


async def test_an_invalid_answer_ends_the_link(daemon: FakeDaemon, settings: Settings) -> None:
    daemon.answers(Method.ORDERS_SUBSCRIBE, STATUS)
    with pytest.raises(UnreadableError):
        await Link(settings).run(lambda _: None)


async def test_the_api_key_is_sent_and_not_shown(daemon: FakeDaemon) -> None:
    settings = Settings(url=daemon.url, api_key="secret")
    async with linked(settings) as (_, listener):
        await listener.wait_for(Ready)

    assert daemon.tokens == ["Bearer secret"]
    assert "secret" not in repr(settings)


async def test_a_heartbeat_that_counts_more_events_causes_a_new_connection(
    daemon: FakeDaemon, settings: Settings
) -> None:
    daemon.knows(*history(FILLED[:1], order_id(1)))
    async with linked(settings) as (_, listener):
        await listener.wait_for(Ready)
        daemon.publish(history(FILLED, order_id(1))[1])
        await asyncio.to_thread(daemon.beat)
        await listener.wait_for(Heartbeat)
        assert not any(isinstance(news, Closed) for news in listener.received)
        await asyncio.to_thread(daemon.beat, unheard=1)
        await listener.wait_for(Opened, 2)
    closed = next(news for news in listener.received if isinstance(news, Closed))
    assert closed.reason == "1 of the daemon's events did not arrive"
