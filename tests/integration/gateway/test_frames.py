"""Fuzzing with thousands of random frames: the gateway answers or closes the connection, and nothing else happens."""

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.gateway.conftest import Rig
from tests.integration.gateway.frames import Frames

pytestmark = pytest.mark.asyncio

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MOST_FRAMES = 40
"""Maximum frames per connection; a violation ends it earlier."""
GROWTH_BYTES = 40 * 2**20
"""Memory growth allowed after the first quarter of the frames: caches, not leaks."""


async def test_the_gateway_survives_1500_random_frames(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await _attack(rig, caplog, frames=1_500, seed=1)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
async def test_the_gateway_survives_20000_random_frames(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await _attack(rig, caplog, frames=20_000, seed=2)


async def _attack(rig: Rig, caplog: pytest.LogCaptureFixture, *, frames: int, seed: int) -> None:
    drawn = Frames(seed)
    with _nothing_unhandled(caplog):
        sent = answers = connections = 0
        tasks_before, size_before = asyncio.all_tasks(), 0
        async with rig.client() as bystander:
            while sent < frames:
                more, answer = await _one_connection(rig, drawn)
                sent, answers, connections = sent + more, answers + answer.count(b'"jsonrpc":"2.0"'), connections + 1
                assert b"SERVICE_INTERNAL" not in answer
                if connections % 20 == 0:
                    assert await bystander.call("tokens")
                if size_before == 0 and sent >= frames // 4:
                    size_before = _size()
        await _left_alone(rig)
        growth = _size() - size_before
        if begun := asyncio.all_tasks() - tasks_before:
            _, left = await asyncio.wait(begun, timeout=10)
            assert not left, "tasks were left behind"
        async with rig.client() as client:
            assert await client.call("tokens")
    print(f"{sent} frames, {connections} connections, {answers} answers; {growth / 2**20:+.1f} MiB")  # noqa: T201
    assert answers > frames // 10
    assert growth < GROWTH_BYTES


async def _one_connection(rig: Rig, drawn: Frames) -> tuple[int, bytes]:
    """Send frames until there are enough or one ends the connection; returns their number and the answers."""
    dice = drawn.dice
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    writer.write(HANDSHAKE)
    reading = asyncio.create_task(_read_all(reader))
    sent, ends = 0, False
    while sent < MOST_FRAMES and not ends:
        message = drawn.message()
        if dice.random() < 0.05:
            message, ends = [*message[:-1], drawn.violation()], True
        elif dice.random() < 0.01:
            message, ends = [drawn.cut(b"".join(message))], True
        sent += len(message)
        writer.write(b"".join(message))
        if writer.is_closing() or reading.done():
            break
        await asyncio.sleep(0)
    if dice.random() < 0.3:
        writer.transport.abort()
    else:
        writer.write_eof()
    async with asyncio.timeout(30):
        answer = await reading
    writer.transport.abort()
    return sent, answer


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except OSError:
        return b""


async def _left_alone(rig: Rig) -> None:
    """Wait until the gateway has finished with every connection."""
    async with asyncio.timeout(30):
        for session in tuple(rig.gateway._sessions._sessions):
            await rig.gateway._sessions._sessions[session].wait_closed()
    port = rig.gateway._port
    await asyncio.sleep(0)
    assert not port.connections
    assert port._context.caps._count == 0


def _size() -> int:
    """Resident bytes of this process, which includes the gateway."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@contextmanager
def _nothing_unhandled(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test on any unhandled exception in tasks, callbacks or call handlers."""
    unhandled: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    try:
        with capture_logs() as logs, caplog.at_level(logging.ERROR):
            yield
            gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert not unhandled
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical", "exception")]
    assert not caplog.records
