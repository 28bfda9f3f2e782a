"""``orderd gateway`` as a process: how it starts, where it is found, and how it ends."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from orderd.solana.keys import create_wallet

pytestmark = pytest.mark.asyncio
Start = Callable[..., Awaitable["asyncio.subprocess.Process"]]


@pytest_asyncio.fixture
async def start(tmp_path: Path, postgres_url: str, redis_url: str) -> AsyncIterator[Start]:
    """Starts gateways; what still runs after the test is killed."""
    create_wallet(tmp_path / "wallet.json")
    started: list[asyncio.subprocess.Process] = []

    async def start(**settings: str) -> asyncio.subprocess.Process:
        given = {
            "state_dir": str(tmp_path),
            "port": "0",
            "database_url": postgres_url,
            "redis_url": redis_url,
            "rpc_url": "http://127.0.0.1:1",
        } | settings
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "orderd.main",
            "gateway",
            env=os.environ | {f"ORDERD_{name.upper()}": value for name, value in given.items()},
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _log_until(process: asyncio.subprocess.Process, action: str) -> dict[str, object]:
    """The first log line with this action; a process that ends before is an error."""
    assert process.stderr is not None
    seen = b""
    async with asyncio.timeout(30):
        while line := await process.stderr.readline():
            seen += line
            if line.startswith(b"{") and json.loads(line)["action"] == action:
                return dict(json.loads(line))
    raise AssertionError(seen.decode())


async def test_it_says_where_it_is_and_goes_without_a_trace_on_sigterm(start: Start, tmp_path: Path) -> None:
    process = await start()
    await _log_until(process, "feed_open")
    address = json.loads((tmp_path / "gateway.json").read_text())
    assert address["pid"] == process.pid
    async with connect(address["url"], compression=None) as client:
        process.send_signal(signal.SIGTERM)
        await client.wait_closed()
        assert client.close_code == 1012
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, log.decode()
    assert not (tmp_path / "gateway.json").exists()


async def test_a_second_signal_ends_it_at_once(start: Start, tmp_path: Path) -> None:
    """A peer that does not answer the goodbye holds the drain up."""
    process = await start()
    await _log_until(process, "feed_open")
    address = json.loads((tmp_path / "gateway.json").read_text())
    async with connect(address["url"], compression=None, ping_interval=None) as client:
        client.transport.pause_reading()
        process.send_signal(signal.SIGTERM)
        await _log_until(process, "gateway_draining")
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 4)
        client.transport.abort()
    assert process.returncode == 1


async def test_a_port_that_is_taken_is_said_so(start: Start, tmp_path: Path) -> None:
    first = await start()
    await _log_until(first, "feed_open")
    port = json.loads((tmp_path / "gateway.json").read_text())["url"].rstrip("/").rsplit(":", 1)[1]
    second = await start(port=port)
    _, log = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 1
    assert (tmp_path / "gateway.json").exists()
    assert f"cannot listen on 127.0.0.1:{port}" in log.decode()
    assert "Traceback" not in log.decode()


async def test_tables_that_are_behind_are_refused(start: Start, empty_postgres_url: str) -> None:
    process = await start(database_url=empty_postgres_url)
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "next: bring them up to date: orderd migrate" in log.decode()


async def test_a_database_that_does_not_answer_is_said_so(start: Start) -> None:
    process = await start(database_url="postgresql://127.0.0.1:1/orderd")
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "Postgres does not answer" in log.decode()
    assert "Traceback" not in log.decode()


async def test_it_starts_without_redis_and_waits_for_it(start: Start) -> None:
    process = await start(redis_url="redis://127.0.0.1:1/0")
    await _log_until(process, "gateway_listening")
    await _log_until(process, "feed_lost")
    assert process.returncode is None
