"""Several gateways over one Postgres and one Redis: each sends all events, whatever Redis loses."""

import asyncio
from uuid import UUID

import pytest
from redis import Redis

from orderd.domain.events import Cancelled
from orderd.wire.subscriptions import Ready, Snapshot
from tests.integration.gateway.conftest import Client, Rig, deferred

pytestmark = pytest.mark.asyncio


async def _follow(client: Client, **params: object) -> None:
    await client.call("orders.subscribe", **params)
    while not isinstance(await client.next(), Ready):
        pass


async def test_an_order_accepted_by_one_gateway_is_followed_at_another_from_its_first_event(
    rig: Rig, other_rig: Rig
) -> None:
    async with rig.client() as trader, other_rig.client() as watcher, other_rig.client() as of_pair:
        await _follow(watcher)
        await _follow(of_pair, token_in="SOL", token_out="USDC")
        order_id = await trader.submit("taken-by-one")
        assert await watcher.events(1) == await of_pair.events(1) == [(order_id, 1)]
        await _follow(watcher, order="taken-by-one")
        await rig.happen(order_id, deferred(), deferred())
        assert sorted(await watcher.events(4)) == [(order_id, 2), (order_id, 2), (order_id, 3), (order_id, 3)]
        assert await of_pair.events(2) == [(order_id, 2), (order_id, 3)]


async def test_each_gateway_reads_from_postgres_what_redis_lost(rig: Rig, other_rig: Rig, redis_url: str) -> None:
    async with rig.client() as here, other_rig.client() as there:
        order_id = await here.submit("lossy")
        for client in (here, there):
            await client.call("orders.subscribe", order=str(order_id))
            assert isinstance(await client.next(), Snapshot)
            assert isinstance(await client.next(), Ready)
        await rig.happen(order_id, deferred(), publish=False)
        await rig.happen(order_id, deferred())
        with Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
        await rig.happen(order_id, deferred(), publish=False)
        await rig.happen(order_id, Cancelled(), publish=False)
        expected = [(order_id, seq) for seq in (2, 3, 4, 5)]
        assert list(await asyncio.gather(here.events(4), there.events(4))) == [expected, expected]


async def test_a_follower_that_changes_gateways_gets_each_event_once(rig: Rig, other_rig: Rig) -> None:
    async with rig.client() as trader:
        order_id = await trader.submit("moving")
        seen: list[tuple[UUID, int]] = []
        for gateway in (rig, other_rig, rig):
            async with gateway.client() as client:
                await client.call("orders.subscribe", order=str(order_id), after=len(seen))
                assert isinstance(await client.next(), Snapshot)
                missed = 1 if not seen else 2
                seen += await client.events(missed)
                assert isinstance(await client.next(), Ready)
                await rig.happen(order_id, deferred())
                seen += await client.events(1)
            await rig.happen(order_id, deferred(), deferred())
    assert seen == [(order_id, seq) for seq in range(1, len(seen) + 1)]
