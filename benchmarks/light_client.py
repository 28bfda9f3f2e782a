"""A websocket client that is so cheap that thousands can run on the measured machine.

Implements RFC 6455 for servers that send unfragmented, uncompressed text messages. Frames to the server have a zero
mask, which leaves their payload unchanged.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self, cast
from urllib.parse import urlsplit

import orjson

_HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10

OnMessage = Callable[[dict[str, Any], float], None]


class LightClient(asyncio.Protocol):
    """Calls ``on_message`` with each notification and its arrival time."""

    def __init__(self, host: str, on_message: OnMessage) -> None:
        loop = asyncio.get_running_loop()
        self._host = host
        self._on_message = on_message
        self._buffer = bytearray()
        self._is_open = False
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._calls = 0
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done when the connection is closed."""
        self.close_code: int | None = None

    @classmethod
    async def connect(cls, url: str, on_message: OnMessage = lambda *_: None) -> Self:
        """A client whose connection is open."""
        address = urlsplit(url)
        client = cls(address.netloc, on_message)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: client, address.hostname or "", address.port or 0)
        await client.opened
        return client

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, on_message: OnMessage = lambda *_: None) -> AsyncIterator[Self]:
        """A client whose connection is open during the block."""
        client = await cls.connect(url, on_message)
        try:
            yield client
        finally:
            await client.close()

    async def close(self) -> None:
        self.transport.close()
        await self.lost

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a call. Raises RuntimeError if it is refused."""
        self._calls += 1
        answer = self._answers[self._calls] = asyncio.get_running_loop().create_future()
        self._send(_TEXT, orjson.dumps({"jsonrpc": "2.0", "id": self._calls, "method": method, "params": params}))
        message = await answer
        if "error" in message:
            raise RuntimeError(message["error"]["data"]["detail"])
        return cast("dict[str, Any]", message["result"])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(_HANDSHAKE.format(host=self._host).encode())

    def data_received(self, data: bytes) -> None:
        arrived = time.time()
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            status = bytes(self._buffer[: self._buffer.find(b"\r\n")])
            if b" 101 " not in status:
                self.opened.set_exception(ConnectionError(status.decode()))
                return
            del self._buffer[: end + 4]
            self._is_open = True
            self.opened.set_result(None)
        while (frame := self._next_frame()) is not None:
            self._handle(*frame, arrived)

    def connection_lost(self, exc: Exception | None) -> None:
        waiting: list[asyncio.Future[Any]] = [self.opened, *self._answers.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(ConnectionError(f"the connection was lost: {exc}"))
        self.lost.set_result(None)

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start])
        if len(buffer) < start + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return opcode, payload

    def _handle(self, opcode: int, payload: bytes, arrived: float) -> None:
        if opcode == _PING:
            self._send(_PONG, payload)
        elif opcode == _CLOSE:
            self.close_code = int.from_bytes(payload[:2])
            self.transport.close()
        elif opcode == _TEXT:
            message = orjson.loads(payload)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            else:
                self._on_message(message, arrived)

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
        self.transport.write(bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload)
