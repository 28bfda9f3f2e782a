"""``orderd gateway`` as a process: how it starts, how its address is found, and how it ends."""

import asyncio
import json
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from tests.integration.gateway.conftest import Start, log_until

pytestmark = pytest.mark.asyncio


@pytest.mark.executed
async def test_the_gateway_writes_its_address_and_removes_it_on_sigterm(start: Start, tmp_path: Path) -> None:
    process = await start()
    await log_until(process, "feed_open")
    address = json.loads((tmp_path / "gateway.json").read_text())
    assert address["pid"] == process.pid
    async with connect(address["url"], compression=None) as client:
        process.send_signal(signal.SIGTERM)
        await client.wait_closed()
        assert client.close_code == 1012
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, log.decode()
    assert not (tmp_path / "gateway.json").exists()


async def test_a_second_signal_ends_the_gateway_at_once(start: Start, tmp_path: Path) -> None:
    """A peer that does not answer the closing handshake delays the drain."""
    process = await start()
    await log_until(process, "feed_open")
    address = json.loads((tmp_path / "gateway.json").read_text())
    async with connect(address["url"], compression=None, ping_interval=None) as client:
        client.transport.pause_reading()
        process.send_signal(signal.SIGTERM)
        await log_until(process, "gateway_draining")
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(process.communicate(), 30)
        client.transport.abort()
    assert process.returncode == 1
    assert b"gateway_stopped" not in log, "the drain was not cut short"


async def test_a_port_in_use_is_reported(start: Start, tmp_path: Path) -> None:
    first = await start()
    await log_until(first, "feed_open")
    port = json.loads((tmp_path / "gateway.json").read_text())["url"].rstrip("/").rsplit(":", 1)[1]
    second = await start(port=port)
    _, log = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 1
    assert (tmp_path / "gateway.json").exists()
    assert f"cannot listen on 127.0.0.1:{port}" in log.decode()
    assert "Traceback" not in log.decode()


async def test_an_outdated_schema_is_refused(start: Start, empty_postgres_url: str) -> None:
    process = await start(database_url=empty_postgres_url)
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "next: update them: orderd migrate" in log.decode()


async def test_the_gateway_waits_for_an_unavailable_database_and_reports_it(start: Start) -> None:
    process = await start(database_url="postgresql://127.0.0.1:1/orderd")
    waits = await log_until(process, "waiting")
    assert "Connection refused" in str(waits["what"])
    await log_until(process, "waiting")
    assert process.returncode is None


async def test_a_missing_database_is_reported(start: Start, postgres_url: str) -> None:
    process = await start(database_url=urlsplit(postgres_url)._replace(path="/none").geturl())
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert 'database "none" does not exist' in log.decode()
    assert "Traceback" not in log.decode()


async def test_the_gateway_starts_without_redis_and_waits_for_it(start: Start) -> None:
    process = await start(redis_url="redis://127.0.0.1:1/0")
    await log_until(process, "gateway_listening")
    await log_until(process, "feed_lost")
    assert process.returncode is None
