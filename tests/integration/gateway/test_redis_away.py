"""Orders are accepted and followers get their events, only a little later, while Redis is unavailable."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderd.embedded.child import Child
from orderd.embedded.redis import Redis
from orderd.wire.subscriptions import Ready, Snapshot
from tests.integration.gateway.conftest import Rig, deferred

pytestmark = pytest.mark.asyncio


class OwnRedis:
    """A Redis server that a test can stop and restart."""

    def __init__(self, directory: Path) -> None:
        self.server = Redis(directory)
        self._child: Child | None = None

    def start(self) -> None:
        self._child = self.server.start()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    redis = OwnRedis(tmp_path_factory.mktemp("redis"))
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def redis_url(own_redis: OwnRedis) -> str:
    return own_redis.server.url


async def test_orders_continue_during_and_after_an_outage_of_redis(rig: Rig, own_redis: OwnRedis) -> None:
    async with rig.client() as client:
        before = await client.submit("before")
        await client.call("orders.subscribe")
        assert isinstance(await client.next(), Snapshot)
        assert isinstance(await client.next(), Ready)

        own_redis.stop()
        await rig.happen(before, deferred())
        assert await client.events(1) == [(before, 2)]
        during = await client.submit("during")
        assert await client.events(1) == [(during, 1)]

        own_redis.start()
        await rig.happen(before, deferred())
        await rig.happen(during, deferred())
        assert sorted(await client.events(2)) == sorted([(before, 3), (during, 2)])
