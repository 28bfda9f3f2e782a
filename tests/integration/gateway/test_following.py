"""Subscriptions: what can be followed, heartbeats of a quiet subscription, and subscriptions that cannot resume."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.connection import database
from orderd.domain.errors import ErrorCode
from orderd.domain.events import OrderEvent
from orderd.domain.order import OrderStatus
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
    """Order id and seq of the snapshots at the start of a subscription."""
    snapshots = []
    while isinstance(notification := await client.next(), Snapshot):
        snapshots.append((notification.order.id, notification.order.seq))
    assert isinstance(notification, Ready)
    assert notification.orders == len(snapshots)
    return snapshots


async def test_events_of_a_new_order_are_sent_without_reading_it_from_postgres(rig: Rig) -> None:
    """The order's account is known before any of its events can be published."""
    async with rig.client() as client:
        await client.call("orders.subscribe")
        await until_ready(client)
        await _no_more_sweeps(rig)  # a sweep would read events that are over a second late
        read_before = GAPS_FILLED._value.get()
        names = [str(number) for number in range(20)]
        submitted = [await submit(client, name) for name in names]
        news = [await client.next() for _ in names]
    assert [each.event.order_id for each in news if isinstance(each, Event)] == submitted
    assert GAPS_FILLED._value.get() == read_before


class TestFilters:
    async def test_one_subscription_follows_several_orders_each_from_its_own_seq(self, rig: Rig) -> None:
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
    async def test_a_subscription_to_a_pair_covers_old_and_new_orders(
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

    async def test_an_order_of_another_gateway_is_sent_to_followers_of_its_pair(self, rig: Rig) -> None:
        """This gateway did not accept the order, and reads its pair from Postgres."""
        async with rig.client() as client:
            await client.call("orders.subscribe", token_in="USDC")
            await until_ready(client)
            rig.gateway._hub.learn = lambda *_: None  # type: ignore[method-assign]
            bought = await submit(client, "buys", "USDC", "SOL")
            await submit(client, "sells", "SOL", "USDC")
            await rig.happen(bought, deferred())
            assert await client.events(2) == [(bought, 1), (bought, 2)]
            assert client.notifications.empty()

    async def test_a_new_order_of_this_gateway_is_sent_without_redis_and_without_a_sweep(self, rig: Rig) -> None:
        async def sweep() -> None:
            """Finds nothing."""

        async with rig.client() as client:
            await client.call("orders.subscribe")
            await until_ready(client)
            rig.intake._send = lambda *_: None
            rig.gateway._hub.sweep = sweep  # type: ignore[method-assign]
            order = await submit(client, "mine")
            assert await client.events(1) == [(order, 1)]

    async def test_the_second_event_of_a_new_order_is_sent_whether_or_not_redis_has_delivered_the_first(
        self, rig: Rig
    ) -> None:
        """Nobody follows the order when it is stored; the first event is in the snapshot of its first follower."""
        async with rig.client() as client:
            rig.intake._send = lambda *_: None
            order = await submit(client, "mine")
            await client.call("orders.subscribe", order=str(order))
            assert await until_ready(client) == [(order, 1)]
            second = OrderEvent(
                order_id=order, seq=2, at=datetime.now(UTC), status=OrderStatus.PENDING, data=deferred()
            )
            rig.gateway._hub.receive(second.model_dump_json().encode())
            assert await client.events(1) == [(order, 2)]

    async def test_orders_of_another_kind_are_not_sent(self, rig: Rig) -> None:
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
    async def test_contradictory_filters_are_refused(self, rig: Rig, params: dict[str, Any], complaint: str) -> None:
        async with rig.client() as client:
            await submit(client, "mine")
            with pytest.raises(CallRefusedError) as refused:
                await client.call("orders.subscribe", **params)
        assert refused.value.problem.code is ErrorCode.REQUEST_INVALID
        assert complaint in refused.value.problem.detail

    async def test_an_unknown_token_and_an_unknown_order_are_different_errors(self, rig: Rig) -> None:
        async with rig.client() as client:
            with pytest.raises(CallRefusedError) as token:
                await client.call("orders.subscribe", token_in="DOGE")
            with pytest.raises(CallRefusedError) as order:
                await client.call("orders.subscribe", orders=[{"order": "0190abcd"}])
        assert token.value.problem.code is ErrorCode.TOKEN_UNKNOWN
        assert order.value.problem.code is ErrorCode.ORDER_NOT_FOUND

    async def test_an_administrator_may_follow_another_account(self, rig: Rig) -> None:
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
    async def test_a_follower_ahead_of_the_daemon_must_resync(self, rig: Rig) -> None:
        """As after a restore of the database from a backup."""
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
    async def test_a_follower_whose_events_were_removed_must_resync(self, rig: Rig, kept: int) -> None:
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

    async def test_a_follower_with_all_events_resumes_after_their_removal(self, rig: Rig) -> None:
        async with rig.client() as client:
            order_id = await submit(client, "seen")
            with database.connection_context():
                database.execute_sql("DELETE FROM order_events WHERE order_id = %s", (str(order_id),))
            await client.call("orders.subscribe", order="seen", after=1)
            assert await until_ready(client) == [(order_id, 1)]

    async def test_only_the_order_that_cannot_resume_must_resync(self, rig: Rig) -> None:
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

    async def test_a_heartbeat_carries_the_last_sent_seq(self, rig: Rig) -> None:
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

    async def test_a_heartbeat_before_the_first_event_says_that_nothing_was_sent(self, rig: Rig) -> None:
        async with rig.client() as client:
            await client.call("orders.subscribe")
            await until_ready(client)
            assert (await self._next(client)).subscriptions == (
                Position(subscription=1, events=0, order_id=None, seq=None),
            )

    async def test_a_client_without_subscriptions_gets_no_heartbeat(self, rig: Rig) -> None:
        async with rig.client() as silent, rig.client() as client:
            await silent.call("orders.subscribe")
            await client.call("orders.subscribe")
            await silent.call("orders.unsubscribe", subscription=1)
            heard = silent.heartbeats.qsize()
            for _ in range(5):
                await self._next(client)
            assert silent.heartbeats.qsize() <= heard + 1  # one may have been in transit

    async def test_a_heartbeats_time_advances_only_while_postgres_answers(self, rig: Rig) -> None:
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
        """The next heartbeat that is sent from now on."""
        while not client.heartbeats.empty():
            client.heartbeats.get_nowait()
        async with asyncio.timeout(10):
            await client.heartbeats.get()
            return await client.heartbeats.get()


async def _no_more_sweeps(rig: Rig) -> None:
    """Stop sweeps; returns once the last one is over."""
    over = asyncio.Event()

    async def hang() -> None:
        over.set()
        await asyncio.Event().wait()

    rig.gateway._hub.sweep = hang  # type: ignore[method-assign]
    rig.gateway._hub.request_sweep()
    await over.wait()
