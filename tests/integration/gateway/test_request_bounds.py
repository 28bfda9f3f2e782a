"""Limits on the size and duration of requests, tested over a plain socket because client libraries would correct
them."""

import json

import pytest
import structlog

from orderd.gateway.port import http_connection as http_side
from orderd.wire.rpc import MAX_MESSAGE_BYTES
from tests.integration.gateway.conftest import Rig
from tests.integration.gateway.test_port import Wire, wire

pytestmark = pytest.mark.asyncio

_POST = "POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
_BODY = json.dumps({"token_in": "SOL", "token_out": "USDC", "amount_in": "1"})


async def refused(peer: Wire, status: int, code: str) -> None:
    answered, body = await peer.answer()
    assert (answered, json.loads(body)["code"]) == (status, code)


async def test_a_body_up_to_the_limit_is_accepted(rig: Rig) -> None:
    body = _BODY + " " * (MAX_MESSAGE_BYTES - len(_BODY))
    async with wire(rig) as peer:
        await peer.send(f"{_POST}Content-Length: {len(body)}\r\n\r\n{body}")
        assert (await peer.answer())[0] == 201


async def test_a_body_above_the_limit_is_refused_before_it_has_arrived(rig: Rig) -> None:
    async with wire(rig) as peer:
        await peer.send(f"{_POST}Content-Length: 1000000000\r\n\r\n" + " " * (MAX_MESSAGE_BYTES + 1))
        await refused(peer, 413, "REQUEST_TOO_LARGE")


async def test_a_chunked_body_has_the_same_limit(rig: Rig) -> None:
    async with wire(rig) as peer:
        chunk = f"{0x4000:x}\r\n{' ' * 0x4000}\r\n"
        await peer.send(f"{_POST}Transfer-Encoding: chunked\r\n\r\n" + chunk * 5)
        await refused(peer, 413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "ten", "1\r\nContent-Length: 2", "1\r\nTransfer-Encoding: chunked"])
async def test_an_ambiguous_length_is_refused(rig: Rig, length: str) -> None:
    """Otherwise a proxy and the daemon could see different requests."""
    async with wire(rig) as peer:
        await peer.send(f"{_POST}Content-Length: {length}\r\n\r\n{_BODY}")
        assert (await peer.answer())[0] == 400
        assert await peer.rest() == b""


@pytest.mark.parametrize("sent", ["", "{", _BODY[:-1]])
async def test_a_body_that_does_not_arrive_times_out(rig: Rig, monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    monkeypatch.setattr(http_side, "REQUEST_SECONDS", 0.2)
    with structlog.testing.capture_logs() as lines:
        async with wire(rig) as peer:
            await peer.send(f"{_POST}Content-Length: {len(_BODY)}\r\n\r\n{sent}")
            assert await peer.rest() == b""
    assert [line for line in lines if line["log_level"] == "error"] == []


async def test_many_headers_count_like_a_long_one(rig: Rig) -> None:
    async with wire(rig) as peer:
        await peer.send(_POST + "X: y\r\n" * (http_side.HEAD_BYTES // 6 + 1) + "\r\n")
        assert (await peer.answer())[0] == 431


async def test_a_url_that_is_too_long_is_refused(rig: Rig) -> None:
    async with wire(rig) as peer:
        await peer.send(f"GET /{'x' * http_side.HEAD_BYTES} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await peer.answer())[0] == 431
