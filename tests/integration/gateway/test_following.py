"""What can be followed, what a follower hears while there is nothing new, and what it is told when it cannot resume."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.connection import database
from orderd.domain.errors import ErrorCode
from orderd.gateway.streaming import heartbeat
from orderd.metrics.port import GAPS_FILLED
from orderd.wire.subscriptions import Event, Heartbeat, Position, Ready, ResyncRequired, Snapshot
from tests.integration import orders
from tests.integration.gateway.conftest import CallRefusedError, Client, Rig, deferred

pytestmark = pytest.mark.asyncio


async def submit(client: Client, name: str, token_in: str = "SOL", token_out: str = "USDC") -> UUID:
    terms = {"token_in": token_in, "token_out": token_out, "amount_in": "1", "client_order_id": name}
    return UUID((await client.call("order.submit", **terms))["order"]["id"])


async def until_ready(client: Client) -> list[tuple[UUID, int]]:
    """Order id and seq of the snapshots of a subscription that begins."""
    snapshots = []
    while isinstance(notification := await client.next(), Snapshot):
        snapshots.append((notification.order.id, notification.order.seq))
    assert isinstance(notification, Ready)
    assert notification.orders == len(snapshots)
    return snapshots


async def test_news_of_a_new_order_are_reported_without_reading_it(rig: Rig) -> None:
    """Whose it is, is known before anybody can publish them."""
    async with rig.client() as client:
        await client.call("orders.subscribe")
        await until_ready(client)
        await _no_more_sweeps(rig)  # which would read what is late for over a second
        read_before = GAPS_FILLED._value.get()
        names = [str(number) for number in range(20)]
        submitted = [await submit(client, name) for name in names]
        news = [await client.next() for _ in names]
    assert [each.event.order_id for each in news if isinstance(each, Event)] == submitted
    assert GAPS_FILLED._value.get() == read_before


class TestFilters:
    async def test_several_orders_are_followed_by_one_subscription_each_from_where_it_says(self, rig: Rig) -> None:
        async with rig.client() as client:
            first, second, other = [await submit(client, name) for name in ("first", "second", "other")]
            await rig.happen(second, deferred(), deferred())
            await client.call("orders.subscribe", orders=[{"order": "first"}, {"order": str(second), "after": 1}])
            assert isinstance(await client.next(), Snapshot)
            assert isinstance(await client.next(), Snapshot)
            assert await client.events(2) == [(second, 2), (second, 3)]
            assert await client.next() == Ready(subscription=1, orders=2)
            await rig.happen(other, deferred())
            await rig.happen(second, deferred(), publish=False)
            await rig.happen(second, deferred())
            await rig.happen(first, deferred())
            assert sorted(await client.events(3)) == sorted([(second, 4), (second, 5), (first, 2)])
            assert client.notifications.empty()

    @pytest.mark.parametrize(
        ("tokens", "followed"),
        [
            ({"token_in": "SOL", "token_out": "USDC"}, ["sol-usdc"]),
            ({"token_in": "sol"}, ["sol-usdc", "sol-chillguy"]),
            ({"token_out": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"}, ["sol-usdc", "chillguy-usdc"]),
            ({"token_in": "SOL", "kind": "market"}, ["sol-usdc", "sol-chillguy"]),
        ],
    )
    async def test_a_pair_is_followed_old_orders_and_new_ones(
        self, rig: Rig, tokens: dict[str, str], followed: list[str]
    ) -> None:
        pairs = [("SOL", "USDC"), ("SOL", "CHILLGUY"), ("CHILLGUY", "USDC"), ("USDC", "SOL")]
        async with rig.client() as client, rig.client() as trader:
            old = {f"{sell}-{buy}".lower(): await submit(trader, f"old-{sell}-{buy}", sell, buy) for sell, buy in pairs}
            await client.call("orders.subscribe", **tokens)
            assert await until_ready(client) == [(old[name], 1) for name in followed]
            for order_id in old.values():
                await rig.happen(order_id, deferred(), publish=False)
                await rig.happen(order_id, deferred())
            expected = [(old[name], seq) for name in followed for seq in (2, 3)]
            assert sorted(await client.events(len(expected))) == sorted(expected)
            new = {f"{sell}-{buy}".lower(): await submit(trader, f"new-{sell}-{buy}", sell, buy) for sell, buy in pairs}
            assert sorted(await client.events(len(followed))) == sorted((new[name], 1) for name in followed)
            assert client.notifications.empty()

    async def test_an_order_of_another_gateway_is_told_to_those_who_follow_its_pair(self, rig: Rig) -> None:
        """This gateway has not seen its submission, and learns from Postgres what it trades."""
        async with rig.client() as client:
            await client.call("orders.subscribe", token_in="USDC")
            await until_ready(client)
            rig.gateway._hub.learn = lambda *_: None  # type: ignore[method-assign]
            bought = await submit(client, "buys", "USDC", "SOL")
            await submit(client, "sells", "SOL", "USDC")
            await rig.happen(bought, deferred())
            assert await client.events(2) == [(bought, 1), (bought, 2)]
            assert client.notifications.empty()

    async def test_orders_of_another_kind_are_not_told(self, rig: Rig) -> None:
        async with rig.client() as client:
            market = await submit(client, "market")
            with database.connection_context():
                other = orders.pending()
                database.execute_sql("UPDATE orders SET kind = 'limit' WHERE id = %s", (str(other),))
            await client.call("orders.subscribe", kind="market")
            assert await until_ready(client) == [(market, 1)]
            for order_id in (other, market):
                await rig.happen(order_id, deferred(), publish=False)
                await rig.happen(order_id, deferred(), publish=False)
            assert await client.events(2) == [(market, 2), (market, 3)]
            assert client.notifications.empty()

    @pytest.mark.parametrize(
        ("params", "complaint"),
        [
            ({"after": 1}, "after: can only be given together with order"),
            ({"order": "mine", "orders": [{"order": "mine"}]}, "orders: cannot be given together with order"),
            (
                {"order": "mine", "token_in": "SOL"},
                "token_in, token_out, kind: can only be given where no order is named",
            ),
            (
                {"order": "mine", "kind": "market"},
                "token_in, token_out, kind: can only be given where no order is named",
            ),
            ({"kind": "iceberg"}, "kind: should be 'market', 'limit'"),
            ({"orders": [{"order": "mine"}, {"order": "mine"}]}, "is named twice"),
            ({"orders": [{"order": "mine"}] * 101}, "orders: "),
            ({"account": "nobody"}, "account: there is none with the name or id nobody"),
        ],
    )
    async def test_what_does_not_go_together_is_refused(self, rig: Rig, params: dict[str, Any], complaint: str) -> None:
        async with rig.client() as client:
            await submit(client, "mine")
            with pytest.raises(CallRefusedError) as refused:
                await client.call("orders.subscribe", **params)
        assert refused.value.problem.code is ErrorCode.REQUEST_INVALID
        assert complaint in refused.value.problem.detail

    async def test_an_unknown_token_is_reported_from_an_unknown_order(self, rig: Rig) -> None:
        async with rig.client() as client:
            with pytest.raises(CallRefusedError) as token:
                await client.call("orders.subscribe", token_in="DOGE")
            with pytest.raises(CallRefusedError) as order:
                await client.call("orders.subscribe", orders=[{"order": "0190abcd"}])
        assert token.value.problem.code is ErrorCode.TOKEN_UNKNOWN
        assert order.value.problem.code is ErrorCode.ORDER_NOT_FOUND

    async def test_who_administers_may_follow_another_account(self, rig: Rig) -> None:
        theirs = uuid4()
        with database.connection_context():
            database.execute_sql("INSERT INTO accounts (id, name) VALUES (%s, 'desk two')", (str(theirs),))
        async with rig.client() as client:
            mine = await submit(client, "moved")
            await submit(client, "kept")
            with database.connection_context():
                database.execute_sql("UPDATE orders SET account_id = %s WHERE id = %s", (str(theirs), str(mine)))
            await client.call("orders.subscribe", account="desk two")
            assert await until_ready(client) == [(mine, 1)]
            await client.call("orders.subscribe", account=str(theirs), order="moved")
            assert await until_ready(client) == [(mine, 1)]
            with pytest.raises(CallRefusedError) as refused:
                await client.call("orders.subscribe", account="default", order="moved")
            assert refused.value.problem.code is ErrorCode.ORDER_NOT_FOUND


class TestResync:
    async def test_a_follower_that_is_ahead_of_the_daemon_is_told_to_begin_again(self, rig: Rig) -> None:
        """As after a database was restored from a backup."""
        async with rig.client() as client:
            order_id = await submit(client, "restored")
            await client.call("orders.subscribe", order="restored", after=7)
            assert await client.next() == ResyncRequired(
                subscription=1, order_id=order_id, after=7, seq=1, reason="AHEAD"
            )
            assert await until_ready(client) == [(order_id, 1)]
            await rig.happen(order_id, deferred())
            assert await client.events(1) == [(order_id, 2)]

    @pytest.mark.parametrize("kept", [0, 1, 2])
    async def test_a_follower_whose_events_are_gone_is_told_to_begin_again(self, rig: Rig, kept: int) -> None:
        async with rig.client() as client:
            order_id = await submit(client, "pruned")
            await rig.happen(order_id, *(deferred() for _ in range(4)))
            with database.connection_context():
                database.execute_sql(
                    "DELETE FROM order_events WHERE order_id = %s AND seq <= %s", (str(order_id), 5 - kept)
                )
            await client.call("orders.subscribe", order="pruned", after=1)
            assert await client.next() == ResyncRequired(
                subscription=1, order_id=order_id, after=1, seq=5, reason="GONE"
            )
            assert await until_ready(client) == [(order_id, 5)]
            await rig.happen(order_id, deferred())
            assert await client.events(1) == [(order_id, 6)]

    async def test_a_follower_that_has_everything_resumes_even_where_the_events_are_gone(self, rig: Rig) -> None:
        async with rig.client() as client:
            order_id = await submit(client, "seen")
            with database.connection_context():
                database.execute_sql("DELETE FROM order_events WHERE order_id = %s", (str(order_id),))
            await client.call("orders.subscribe", order="seen", after=1)
            assert await until_ready(client) == [(order_id, 1)]

    async def test_of_several_orders_only_the_one_that_cannot_resume_begins_again(self, rig: Rig) -> None:
        async with rig.client() as client:
            good, bad = await submit(client, "good"), await submit(client, "gone")
            await rig.happen(good, deferred())
            await client.call("orders.subscribe", orders=[{"order": "good", "after": 1}, {"order": "gone", "after": 9}])
            news = [await client.next() for _ in range(5)]
        assert [type(each) for each in news] == [Snapshot, Event, ResyncRequired, Snapshot, Ready]
        assert isinstance(news[2], ResyncRequired)
        assert news[2].order_id == bad


class TestHeartbeat:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.05)

    async def test_a_follower_hears_how_far_it_has_been_told(self, rig: Rig) -> None:
        async with rig.client() as client:
            order_id = await submit(client, "quiet")
            subscribed = await client.call("orders.subscribe", order="quiet")
            assert subscribed["heartbeat_seconds"] > 0
            await until_ready(client)
            assert (await self._next(client)).subscriptions == (
                Position(subscription=1, events=0, order_id=order_id, seq=1),
            )
            await rig.happen(order_id, deferred(), deferred())
            await client.events(2)
            assert (await self._next(client)).subscriptions == (
                Position(subscription=1, events=2, order_id=order_id, seq=3),
            )

    async def test_a_follower_of_nothing_yet_hears_that_nothing_was_sent(self, rig: Rig) -> None:
        async with rig.client() as client:
            await client.call("orders.subscribe")
            await until_ready(client)
            assert (await self._next(client)).subscriptions == (
                Position(subscription=1, events=0, order_id=None, seq=None),
            )

    async def test_who_follows_nothing_hears_nothing(self, rig: Rig) -> None:
        async with rig.client() as silent, rig.client() as client:
            await silent.call("orders.subscribe")
            await client.call("orders.subscribe")
            await silent.call("orders.unsubscribe", subscription=1)
            heard = silent.heartbeats.qsize()
            for _ in range(5):
                await self._next(client)
            assert silent.heartbeats.qsize() <= heard + 1  # one may have been under way

    async def test_its_time_of_knowledge_goes_on_with_the_database_and_stands_still_without(self, rig: Rig) -> None:
        async with rig.client() as client:
            await client.call("orders.subscribe")
            began = (await self._next(client)).as_of
            async with asyncio.timeout(10):
                while (beat := await client.heartbeats.get()).as_of == began:
                    pass
            assert began < beat.as_of <= beat.at
            await _no_more_sweeps(rig)
            stuck = (await self._next(client)).as_of
            for _ in range(5):
                beat = await self._next(client)
            assert beat.as_of == stuck
            assert beat.at > stuck

    async def _next(self, client: Client) -> Heartbeat:
        """One that is sent from now on."""
        while not client.heartbeats.empty():
            client.heartbeats.get_nowait()
        async with asyncio.timeout(10):
            await client.heartbeats.get()
            return await client.heartbeats.get()


async def _no_more_sweeps(rig: Rig) -> None:
    """Returns once the last one is over."""
    over = asyncio.Event()

    async def hang() -> None:
        over.set()
        await asyncio.Event().wait()

    rig.gateway._hub.sweep = hang  # type: ignore[method-assign]
    rig.gateway._hub.request_sweep()
    await over.wait()
