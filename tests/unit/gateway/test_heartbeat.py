"""Heartbeats go to sessions with subscriptions, and cost nothing while there are none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio

from orderd.gateway.streaming import heartbeat
from orderd.gateway.streaming.heartbeat import Pacemaker
from orderd.gateway.streaming.session import Session

pytestmark = pytest.mark.asyncio
AS_OF = datetime(2026, 1, 2, tzinfo=UTC)


class Listener:
    """A session with one subscription."""

    def __init__(self) -> None:
        self.subscriptions: dict[int, Any] = {1: SimpleNamespace(position=None)}
        self.peer = self
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def push(self, message: bytes) -> None:
        self.got.put_nowait(message)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the pacemaker, which take no time here."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", wait)
    return waits


@pytest_asyncio.fixture
async def pacemaker(waits: list[float]) -> AsyncIterator[Pacemaker]:
    pacemaker = Pacemaker(lambda: AS_OF)
    running = asyncio.create_task(pacemaker.run())
    yield pacemaker
    running.cancel()


async def turns_of_the_loop() -> None:
    for _ in range(3 * heartbeat.SLOTS):
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def test_a_session_gets_one_per_period(pacemaker: Pacemaker, waits: list[float]) -> None:
    listener = Listener()
    pacemaker.join(cast(Session, listener))
    pacemaker.join(cast(Session, listener))
    first = orjson.loads(await listener.got.get())
    assert first["params"]["as_of"] == "2026-01-02T00:00:00Z"
    before = len(waits)
    await listener.got.get()
    assert sum(waits[before:]) == pytest.approx(heartbeat.HEARTBEAT_SECONDS)


async def test_nothing_runs_without_subscriptions(pacemaker: Pacemaker, waits: list[float]) -> None:
    await turns_of_the_loop()
    assert waits == []
    listener = Listener()
    pacemaker.join(cast(Session, listener))
    await listener.got.get()
    listener.subscriptions.clear()
    await turns_of_the_loop()
    count = len(waits)
    await turns_of_the_loop()
    assert len(waits) == count
    listener.subscriptions[2] = SimpleNamespace(position=None)
    pacemaker.join(cast(Session, listener))
    await listener.got.get()
