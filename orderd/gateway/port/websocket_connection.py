"""A websocket of the port: its client, and what happens to a peer that does not keep up."""

import asyncio
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import StatusLike

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Principal
from orderd.gateway.port.http_connection import STALL_SECONDS
from orderd.gateway.problem import problem_response
from orderd.metrics.port import SLOW_DISCONNECTS

WRITE_BUFFER_BYTES: Final = 262_144
"""A subscriber that leaves more than this unread does not keep up, and is closed with 1013."""
AT_ONCE_BYTES: Final = 16_384
"""Unread bytes from which senders wait; below the library's own limit."""
CLOSE_SECONDS: Final = 5.0
TRY_AGAIN_LATER: Final = 1013


class PortConnection(ServerConnection):
    """A websocket of this port, once it has been distinguished from other connections."""

    address: str
    """The peer's address; '' if it was closed too early."""
    principal: Principal
    """The client, once it has been admitted."""

    def __init__(self, *args: Any, too_large: bytes, **options: Any) -> None:  # noqa: ANN401
        """``too_large`` is the answer to a message over the limit."""
        super().__init__(*args, **options)
        self._too_large = too_large
        self._stalled: asyncio.TimerHandle | None = None
        self._answer_bytes = 0
        self._fail = self.protocol.fail
        self.protocol.fail = self._fail_with_reason  # type: ignore[method-assign]
        self._reject = self.protocol.reject
        self.protocol.reject = self._reject_with_problem  # type: ignore[method-assign]

    def take_over(self, transport: asyncio.Transport, received: bytes, leave: Callable[[], None]) -> None:
        """Continue a connection as a websocket, after it has sent ``received``; ``leave`` is called at its end."""
        self._leave = leave
        peer = transport.get_extra_info("peername")
        self.address = "" if peer is None else str(peer[0])
        transport.set_protocol(self)
        self.connection_made(transport)
        self.data_received(received)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)
        self._leave()

    def _fail_with_reason(self, code: int, reason: str = "") -> None:
        """The library closes without an answer on a message that is too large; here the client gets an error as for
        others."""
        if code == CloseCode.MESSAGE_TOO_BIG and self.protocol.state is State.OPEN:
            self.protocol.send_text(self._too_large)
        self._fail(code, reason)

    def _reject_with_problem(self, status: StatusLike, text: str) -> Response:
        """The library refuses a handshake in plain text; here it is answered as by the rest of the port."""
        response = self._reject(status, text)
        # the library does so if the server begins to stop during the handshake
        is_stopping = response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        code = ErrorCode.SERVICE_DRAINING if is_stopping else ErrorCode.REQUEST_UNREADABLE
        error = OrderdError(code, text.strip().partition("\n")[0])
        problem = problem_response(error, "", response.status_code)
        response.body = bytes(problem.body)
        for name in ("Content-Type", "Content-Length"):
            del response.headers[name]
            response.headers[name] = problem.headers[name]
        return response

    async def answer(self, message: bytes) -> None:
        """Send the answer to a call, and wait while the peer is behind. Raises ConnectionClosed.

        After a close frame of the peer, nothing is sent. (Waiting for the connection's end here, as ``send`` does,
        would prevent the reader from reaching it.)
        """
        if self.protocol.state is not State.OPEN:
            return
        if self.transport.get_write_buffer_size() + len(message) <= AT_ONCE_BYTES:
            self._write(message)
            return
        self._answer_bytes += len(message)
        try:
            await self.send(message, text=True)
        finally:
            self._answer_bytes -= len(message)

    def push(self, message: bytes) -> None:
        """Send an event without waiting; closes the connection if the peer is too far behind.

        Answers do not count: a peer may read a long list slowly.
        """
        if self.protocol.state is not State.OPEN:
            return
        if self.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES + self._answer_bytes:
            self.close_slow()
            return
        self._write(message)

    def _write(self, message: bytes) -> None:
        """Write a text frame directly, without the library's frame objects, because most messages are text frames."""
        self.transport.writelines((_head_of_text(len(message)), message))

    def close_slow(self) -> None:
        """Close with 1013, for a peer that does not keep up."""
        if self.protocol.state is State.OPEN:
            SLOW_DISCONNECTS.inc()
            self.dismiss(TRY_AGAIN_LATER, "too slow: reconnect and resume with after")

    def dismiss(self, code: int, reason: str) -> None:
        """Close without waiting. The close frame is queued after unread data and may never arrive; then the connection
        is aborted."""
        if self.protocol.state is State.OPEN:
            self.protocol.send_close(code, reason)
            self.send_data()
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()


def _head_of_text(length: int) -> bytes:
    """The head of an unfragmented text frame of this size from a server: RFC 6455, 5.2."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65_536:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)
