"""The HTTP server: POST with a JSON-RPC body, and the faults of a distant or overloaded node."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from orderd.simnet.faults import Dice
from orderd.simnet.rpc.dispatch import Dispatcher
from orderd.simnet.rpc.garbling import garbled
from orderd.simnet.rpc.visitors import Refusal, refusal

MAX_BODY: Final = 4 * 1_024 * 1_024
_KEEP_ALIVE_SECONDS: Final = 75
_DRAIN_SECONDS: Final = 2.0
_BUSY: Final = b'{"jsonrpc":"2.0","error":{"code":429,"message":"Too many requests"},"id":null}'

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _OneWrite:
    """A transport that joins all writes of one event-loop iteration into one.

    uvicorn writes a response's head and body separately: each write would cost a system call and wake the client, which
    cannot use the head alone.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._parts.clear()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (all other attributes of a transport)
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the transport in the scope, so that a connection can be reset."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _OneWrite(transport, self.loop)))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class HttpServer:
    """Serves the dispatcher's methods on a listening socket."""

    def __init__(self, dispatcher: Dispatcher, dice: Dice) -> None:
        self._dispatcher = dispatcher
        self._dice = dice
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Protocol(config, self._state, {}, loop), sock=listener)

    async def stop(self) -> None:
        """Accept no more connections, finish the running requests, close."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=_DRAIN_SECONDS)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _reply(send, 405, b"Used HTTP Method is not allowed. POST is required")
            return
        refused = _refusal(scope["headers"])
        if refused is not None:
            await _reply(send, refused[0], refused[1].encode())
            return
        body = await _read(receive)
        if body is None:
            await _reply(send, 413, b"the request is too large")
            return
        if (seconds := self._dice.latency()) > 0:
            await asyncio.sleep(seconds)
        if self._dice.refuses():
            await _reply(send, 429, _BUSY, (b"retry-after", b"1"))
            return
        reset = self._dice.reset()
        if reset == "before":
            _reset(scope["transport"])
            return
        answer, venues = self._dispatcher.answer_and_venues(body)
        if (seconds := self._dice.venue_latency(venues)) > 0:
            await asyncio.sleep(seconds)
        if reset == "after":
            _reset(scope["transport"])
            return
        if (chance := self._dice.garbles()) is not None:
            answer = garbled(answer, chance)
        await _reply(send, 200, answer)


def _refusal(headers: Iterable[tuple[bytes, bytes]]) -> Refusal | None:
    values: dict[bytes, list[str]] = {b"host": [], b"origin": [], b"content-type": []}
    for name, value in headers:
        if name in values:
            values[name].append(value.decode("latin-1"))
    return _judged(tuple(values[b"host"]), tuple(values[b"origin"]), ", ".join(values[b"content-type"]))


@lru_cache(maxsize=64)
def _judged(hosts: tuple[str, ...], origins: tuple[str, ...], content_type: str) -> Refusal | None:
    """``refusal``, cached because most requests have the same headers."""
    return refusal(hosts, origins, content_type)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if it is larger than ``MAX_BODY``."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
    return body


async def _reply(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    kind = b"application/json" if body.startswith((b"{", b"[")) else b"text/plain"
    size = str(len(body)).encode()
    all_headers = [(b"content-type", kind), (b"content-length", size), *headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


def _reset(transport: asyncio.Transport) -> None:
    """Close with RST: no linger, nothing flushed."""
    connection = transport.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
