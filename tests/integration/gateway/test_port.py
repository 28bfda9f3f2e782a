"""One port for websocket and HTTP: a hostile or faulty peer does not affect other clients."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import structlog
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server
from websockets.exceptions import ConnectionClosed, InvalidStatus

from orderd.client import protocol
from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.gateway.port import http_connection as http_side
from orderd.gateway.port import new_connection
from orderd.wire.rpc import WIRE_VERSION
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.asyncio

_UPGRADE = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
_GET = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"


class Wire:
    """A plain TCP connection to the port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, text: str | bytes) -> None:
        self._writer.write(text.encode("latin-1") if isinstance(text, str) else text)
        await self._writer.drain()

    async def head(self) -> str:
        async with asyncio.timeout(10):
            return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def answer(self) -> tuple[int, str]:
        """Status and body of the next HTTP answer."""
        head = await self.head()
        length = next(
            (int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")), 0
        )
        async with asyncio.timeout(10):
            return int(head.split()[1]), (await self._reader.readexactly(length)).decode()

    async def rest(self) -> bytes:
        """All bytes up to the end of the connection."""
        async with asyncio.timeout(10):
            try:
                return await self._reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def wire(rig: Rig) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


async def test_http_and_websocket_share_the_port(rig: Rig) -> None:
    async with wire(rig) as http, rig.client() as client:
        await http.send(_GET + "\r\n")
        status, body = await http.answer()
        assert status == 200
        assert json.loads(body)["status"] == "ok"
        assert (await client.call("status"))["wire_version"] == WIRE_VERSION


async def test_a_connection_is_kept_for_further_requests(rig: Rig) -> None:
    async with wire(rig) as http:
        for _ in range(3):
            await http.send(_GET + "\r\n")
            assert (await http.answer())[0] == 200


async def test_pipelined_requests_are_answered_in_their_order(rig: Rig) -> None:
    async with wire(rig) as http:
        await http.send((_GET + "\r\n") * 2 + "GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + _GET + "\r\n")
        assert [(await http.answer())[0] for _ in range(4)] == [200, 200, 404, 200]


async def test_a_request_may_arrive_byte_by_byte(rig: Rig) -> None:
    async with wire(rig) as http, wire(rig) as websocket:
        for byte in _GET + "\r\n":
            await http.send(byte)
        assert (await http.answer())[0] == 200
        for byte in _UPGRADE + "\r\n":
            await websocket.send(byte)
        assert (await websocket.head()).startswith("HTTP/1.1 101 ")


async def test_an_unexpected_request_body_is_discarded(rig: Rig) -> None:
    async with wire(rig) as http:
        await http.send("POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello" + _GET + "\r\n")
        assert [(await http.answer())[0] for _ in range(2)] == [405, 200]


async def test_trailers_of_a_body_are_not_headers(rig: Rig) -> None:
    """A proxy checks and replaces headers such as X-Forwarded-For, and passes trailers on."""
    async with wire(rig) as peer:
        await peer.send(f"{_GET}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
        assert (await peer.answer())[0] == 200
        await peer.send(
            f"{_GET.replace('/health', '/api/tokens')}Transfer-Encoding: chunked\r\n\r\n0\r\nHost: evil\r\n\r\n"
        )
        assert (await peer.answer())[0] == 200
        await peer.send(f"{_GET}\r\n")
        assert (await peer.answer())[0] == 200, "the next request has a head again"


async def test_an_error_over_http_is_a_problem_with_code_and_next_step(rig: Rig) -> None:
    async with wire(rig) as http:
        await http.send("GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = await http.head()
        assert "content-type: application/problem+json" in head.lower()


def is_problem(answer: tuple[int, str], status: int, code: str | None = None) -> bool:
    """True for an RFC 9457 answer with a next step."""
    body = json.loads(answer[1])
    assert (answer[0], body["status"]) == (status, status)
    return body["code"] == code if code else body["code"] in list(ErrorCode) and bool(body["next_step"])


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (_UPGRADE.replace("Version: 13", "Version: 12"), 400),
        (_UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "junk"), 400),
        (_UPGRADE.replace("GET", "POST"), 405),
        (_UPGRADE.replace("HTTP/1.1", "HTTP/1.0"), 505),
        (_UPGRADE.replace("GET / ", "GET /elsewhere "), 404),
        (_UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c"), 404),
        (_UPGRADE.replace("Host: 127.0.0.1\r\n", ""), 403),
        ("NONSENSE\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01", 400),
        ("GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n", 400),
    ],
)
async def test_a_malformed_request_is_refused(rig: Rig, request_head: str, status: int) -> None:
    async with wire(rig) as peer:
        await peer.send(request_head + "\r\n")
        assert is_problem(await peer.answer(), status)


async def test_a_connection_used_for_http_may_be_upgraded_to_a_websocket(rig: Rig) -> None:
    """Node's fetch and WebSocket share a pool of connections."""
    kept = socket.create_connection(("127.0.0.1", rig.port))
    kept.setblocking(False)
    loop = asyncio.get_running_loop()
    for _ in range(2):
        await loop.sock_sendall(kept, (_GET + "\r\n").encode())
        assert (await loop.sock_recv(kept, 65_536)).startswith(b"HTTP/1.1 200 ")
    async with connect(rig.url, sock=kept, compression=None) as websocket:
        await websocket.send('{"jsonrpc": "2.0", "id": 1, "method": "status"}')
        assert json.loads(await websocket.recv())["result"]["wire_version"] == WIRE_VERSION


async def test_an_upgrade_after_http_requests_is_authorised_by_the_same_rules(rig: Rig) -> None:
    async with wire(rig) as http:
        await http.send(_GET + "\r\n")
        assert (await http.answer())[0] == 200
        await http.send(_UPGRADE + "Origin: http://evil.example\r\n\r\n")
        assert (await http.answer())[0] == 403


async def test_an_upgrade_before_the_previous_answer_is_refused(rig: Rig) -> None:
    async with wire(rig) as http:
        await http.send(_GET + "\r\n" + _UPGRADE + "\r\n")
        assert [(await http.answer())[0] for _ in range(2)] == [200, 404]


async def test_bytes_that_are_not_frames_end_the_connection(rig: Rig) -> None:
    async with wire(rig) as peer, wire(rig) as hasty, rig.client() as client:
        await hasty.send((_UPGRADE + "\r\n").encode() + b"\xff" * 100)
        await hasty.rest()
        await peer.send(_UPGRADE + "\r\n")
        assert (await peer.head()).startswith("HTTP/1.1 101 ")
        await peer.send(b"\xff" * 100)
        assert int.from_bytes((await peer.rest())[2:4], "big") == 1002
        assert await client.call("status")


@pytest.mark.parametrize("beginning", [_GET, _UPGRADE])
async def test_a_head_that_is_too_large_is_refused(rig: Rig, beginning: str) -> None:
    async with wire(rig) as peer:
        await peer.send(beginning + f"X-Long: {'x' * http_side.HEAD_BYTES}\r\n\r\n")
        assert is_problem(await peer.answer(), 431, "REQUEST_TOO_LARGE")
        assert await peer.rest() == b""


async def test_a_later_head_that_is_too_large_is_refused_too(rig: Rig) -> None:
    async with wire(rig) as peer:
        await peer.send(_GET + "\r\n")
        assert (await peer.answer())[0] == 200
        await peer.send(_GET + "X-Long: " + "x" * http_side.HEAD_BYTES)
        assert (await peer.answer())[0] == 431


@pytest.mark.parametrize("beginning", ["", "GET", _GET, _UPGRADE])
async def test_a_head_that_never_ends_times_out(rig: Rig, monkeypatch: pytest.MonkeyPatch, beginning: str) -> None:
    monkeypatch.setattr(new_connection, "FIRST_REQUEST_SECONDS", 0.1)
    async with wire(rig) as peer:
        await peer.send(beginning)
        assert is_problem(await peer.answer(), 408, "REQUEST_TIMEOUT")


@pytest.mark.parametrize(
    "trickle", ["\r\n", "GET", _GET, "POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9"]
)
async def test_a_later_request_that_never_ends_times_out(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, trickle: str
) -> None:
    monkeypatch.setattr(http_side, "REQUEST_SECONDS", 0.2)
    async with wire(rig) as peer:
        await peer.send(_GET + "\r\n")
        assert (await peer.answer())[0] == 200
        await peer.send(trickle)
        assert await peer.rest() == b""


async def test_a_peer_that_reads_no_answers_is_disconnected(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_side, "STALL_SECONDS", 0.2)
    lost = asyncio.Event()

    class Watched(http_side.HttpConnection):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    monkeypatch.setattr(http_side, "HttpConnection", Watched)
    with socket.socket() as greedy, structlog.testing.capture_logs() as lines:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.to_thread(greedy.connect, ("127.0.0.1", rig.port))
        greedy.settimeout(0)
        with suppress(BlockingIOError):
            greedy.send(b"GET /docs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)
        async with asyncio.timeout(10):
            await lost.wait()
    assert [line for line in lines if line["log_level"] == "error"] == []
    async with wire(rig) as other:
        await other.send(_GET + "\r\n")
        assert (await other.answer())[0] == 200


@pytest.mark.parametrize(
    ("host", "origin", "admitted"),
    [
        ("127.0.0.1:{port}", None, True),
        ("localhost:{port}", None, True),
        ("LOCALHOST", None, True),
        ("[::1]:{port}", None, True),
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}", True),
        ("127.0.0.1:{port}", "http://127.0.0.1:8080", False),
        ("127.0.0.1:{port}", "http://evil.example", False),
        ("127.0.0.1:{port}", "null", False),
        ("127.0.0.1:{port}", "file://", False),
        ("127.0.0.1:{port}", "chrome-extension://127.0.0.1:{port}", False),
        ("evil.example:{port}", None, False),
        ("evil.example", "http://evil.example", False),
        ("127.0.0.1.evil.example", None, False),
        ("", None, False),
    ],
)
async def test_foreign_hosts_and_origins_are_refused(rig: Rig, host: str, origin: str | None, admitted: bool) -> None:
    fields = f"Host: {host.format(port=rig.port)}\r\n"
    if origin is not None:
        fields += f"Origin: {origin.format(port=rig.port)}\r\n"
    async with wire(rig) as http, wire(rig) as websocket:
        await http.send(_GET.replace("Host: 127.0.0.1\r\n", fields) + "\r\n")
        await websocket.send(_UPGRADE.replace("Host: 127.0.0.1\r\n", fields) + "\r\n")
        http_status = int((await http.head()).split()[1])
        websocket_status = int((await websocket.head()).split()[1])
    assert (http_status, websocket_status) == ((200, 101) if admitted else (403, 403))


async def test_a_frame_of_a_megabyte_closes_only_its_own_connection(rig: Rig) -> None:
    async with connect(rig.url, compression=None, proxy=None) as clumsy, rig.client() as other:
        with suppress(ConnectionClosed):
            await clumsy.send("x" * 1_000_000)
        refused = json.loads(await clumsy.recv())
        assert refused["error"]["data"]["code"] == "REQUEST_TOO_LARGE"
        await clumsy.wait_closed()
        assert clumsy.close_code == 1009
        assert await other.call("status")


async def test_a_refused_websocket_gets_the_reason(rig: Rig) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with rig.client(origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["code"] == "AUTH_ORIGIN_REFUSED"


async def test_metrics_report_the_gateways_figures(rig: Rig) -> None:
    async with rig.client() as client, wire(rig) as http:
        await client.call("status")
        await http.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, body = await http.answer()
    assert status == 200
    assert 'orderd_rpc_calls_total{method="status",outcome="ok"}' in body
    assert "orderd_queue_depth 7.0" in body
    assert 'orderd_table_bytes{table="orders"} 8192.0' in body
    assert 'orderd_removed_rows{kept="events"} 4.0' in body
    assert "orderd_database_bytes 65536.0" in body
    assert 'orderd_open_orders{kind="limit"} 2.0' in body
    assert 'orderd_open_orders{kind="market"} 0.0' in body
    assert 'orderd_open_order_age_seconds{kind="limit"} 60.0' in body
    assert 'orderd_alerts_waiting{receiver="bot"} 3.0' in body
    assert 'orderd_alert_age_seconds{receiver="bot"} 30.0' in body
    assert 'orderd_wallet_balance{token="SOL"} 1.5' in body
    assert "orderd_attempts_in_flight" not in body, "only workers report attempts"


async def test_a_handshake_during_shutdown_is_answered_with_retry_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake was in progress when the server began to close, and the request itself was valid."""
    monkeypatch.setattr(Server, "is_serving", lambda _: False)
    with pytest.raises(InvalidStatus) as refused:
        await connect(rig.url)
    answer = refused.value.response
    error = protocol.read_handshake_refusal(rig.url, answer.status_code, bytes(answer.body or b""))
    assert isinstance(error, RefusedError)
    assert (answer.status_code, error.problem.code, error.problem.retryable) == (
        503,
        ErrorCode.SERVICE_DRAINING,
        True,
    )
