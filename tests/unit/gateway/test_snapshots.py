"""Concurrent followers share a read, and none gets a read that began before it arrived."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.streaming.active_orders import ActiveOrders
from orderd.gateway.streaming.history import OrderSnapshot
from orderd.gateway.streaming.selection import Selection
from orderd.gateway.streaming.snapshots import Snapshots
from orderd.gateway.threads import DatabaseThreads

MINE, THEIRS = Selection(UUID(int=1)), Selection(UUID(int=2))


class Database:
    """Each read returns its own number, and ends when the test releases it."""

    def __init__(self) -> None:
        self.reads: list[Selection] = []
        self.may_end = asyncio.Event()
        self.failure: OrderdError | None = None

    async def run(
        self, call: Callable[[Selection], list[OrderSnapshot]], selection: Selection, among: Sequence[UUID] = ()
    ) -> Any:
        self.reads.append(selection)
        number = len(self.reads)
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        return number


class Reader:
    """Reads first pages, and reports the number of the read."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    async def read(self, selection: Selection) -> object:
        return (await self._snapshots.read(selection, 0)).snapshots


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _play(story: Callable[[Database, "Reader"], Any]) -> None:
    async def play() -> None:
        database = Database()
        roll = ActiveOrders()
        roll.add(UUID(int=7))
        await story(database, Reader(Snapshots(cast(DatabaseThreads, database), roll)))

    asyncio.run(play())


def test_followers_that_arrive_during_a_read_share_the_next_one() -> None:
    async def story(database: Database, snapshots: Any) -> None:
        first = asyncio.create_task(snapshots.read(MINE))
        await _turns()
        later = [asyncio.create_task(snapshots.read(MINE)) for _ in range(100)]
        await _turns()
        assert len(database.reads) == 1
        database.may_end.set()
        assert await first == 1
        assert set(await asyncio.gather(*later)) == {2}
        assert await snapshots.read(MINE) == 3

    _play(story)


def test_selections_do_not_wait_for_one_another() -> None:
    async def story(database: Database, snapshots: Any) -> None:
        named = Selection(UUID(int=1), {UUID(int=7): None})
        readers = [asyncio.create_task(snapshots.read(each)) for each in (MINE, THEIRS, named, named)]
        await _turns()
        assert Counter(map(str, database.reads)) == Counter(map(str, [MINE, THEIRS, named, named]))
        database.may_end.set()
        await asyncio.gather(*readers)

    _play(story)


def test_a_cancelled_follower_does_not_affect_others() -> None:
    async def story(database: Database, snapshots: Any) -> None:
        gone, stays = asyncio.create_task(snapshots.read(MINE)), asyncio.create_task(snapshots.read(MINE))
        await _turns()
        gone.cancel()
        database.may_end.set()
        assert await stays == 1

    _play(story)


def test_a_failure_is_raised_to_waiting_followers_and_not_to_later_ones() -> None:
    async def story(database: Database, snapshots: Any) -> None:
        database.failure = OrderdError(ErrorCode.SERVICE_UNAVAILABLE, "played")
        readers = [asyncio.create_task(snapshots.read(MINE)) for _ in range(2)]
        database.may_end.set()
        for reader in readers:
            with pytest.raises(OrderdError):
                await reader
        database.failure = None
        assert await snapshots.read(MINE) == 2

    _play(story)
