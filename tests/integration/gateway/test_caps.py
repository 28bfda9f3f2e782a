"""The limit on connections: further ones are refused before any work is done, and closed ones free their place."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from orderd.config.settings import Settings
from orderd.gateway.port import new_connection
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.asyncio

UPGRADE = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GET = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CAP = 5


@pytest.fixture(params=["max_connections", "max_connections_per_address"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update={request.param: CAP})


@asynccontextmanager
async def wire(rig: Rig, says: str = "") -> AsyncIterator[asyncio.StreamReader]:
    """A connection that sends ``says`` and nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    try:
        writer.write(says.encode())
        yield reader
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader) -> str:
    """The status line of the answer."""
    async with asyncio.timeout(10):
        return (await reader.readline()).decode().rstrip()


async def is_served(rig: Rig) -> bool:
    async with wire(rig, GET) as reader:
        return await answer(reader) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("says", "answered"),
    [
        ("", ""),
        ("GET / HT", ""),
        (UPGRADE[:-2], ""),
        (GET, "HTTP/1.1 200 OK"),
        (UPGRADE, "HTTP/1.1 101 Switching Protocols"),
    ],
)
async def test_every_connection_counts_whatever_it_has_sent(rig: Rig, says: str, answered: str) -> None:
    async with AsyncExitStack() as held:
        readers = [await held.enter_async_context(wire(rig, says)) for _ in range(CAP)]
        for reader in readers if answered else ():
            assert await answer(reader) == answered
        for more in (GET, UPGRADE, ""):
            async with wire(rig, more) as refused:
                assert await answer(refused) == "HTTP/1.1 503 Too Many Connections"
                rest = (await refused.read()).decode()
                assert "retry-after: 10" in rest
                assert json.loads(rest.partition("\r\n\r\n")[2])["code"] == "LIMIT_CONNECTIONS"
    assert await _room_again(rig)


async def test_a_refused_connection_takes_no_place(rig: Rig) -> None:
    async with AsyncExitStack() as held:
        for _ in range(CAP - 1):
            await held.enter_async_context(wire(rig))
        async with wire(rig):
            for _ in range(3 * CAP):
                async with wire(rig, GET) as refused:
                    assert await answer(refused) == "HTTP/1.1 503 Too Many Connections"
        assert await _room_again(rig)


async def test_slow_connections_are_closed_and_free_their_places(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """All places are taken by connections that send a byte now and then, but never a whole request."""
    monkeypatch.setattr(new_connection, "FIRST_REQUEST_SECONDS", 0.3)
    async with AsyncExitStack() as held:
        slow = [await held.enter_async_context(wire(rig, "GET / HTTP/1.1\r\nX: ")) for _ in range(CAP)]
        for reader in slow:
            assert await answer(reader) == "HTTP/1.1 408 Request Timeout"
            assert await reader.read()
        monkeypatch.undo()
        assert await _room_again(rig)


async def _room_again(rig: Rig) -> bool:
    """True once a connection is served, after the gateway has noticed that the others are closed."""
    async with asyncio.timeout(10):
        while not await is_served(rig):
            pass
    return True
