"""One TCP port for websocket and HTTP.

The websockets library owns the port. What arrives there is first looked at by ``orderd.gateway.port.arrival``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import State

from orderd.gateway.access.authentication import Principal
from orderd.gateway.dialects.streams import Stream
from orderd.gateway.port.arrival import Arrival, Reception
from orderd.gateway.port.caps import Caps
from orderd.gateway.port.http_protocol import REQUEST_SECONDS, STALL_SECONDS, HttpSide
from orderd.gateway.port.tls import Certificate
from orderd.gateway.rpc.dispatch import too_large
from orderd.telemetry import SLOW_DISCONNECTS
from orderd.wire import MAX_MESSAGE_BYTES

WRITE_BUFFER_BYTES: Final = 262_144
"""A subscriber that leaves more than this unread does not keep up, and is closed with 1013."""
CLOSE_SECONDS: Final = 5.0
PING_SECONDS: Final = 10.0
POLICY_VIOLATION: Final = 1008
TRY_AGAIN_LATER: Final = 1013
SERVICE_RESTART: Final = 1012


class PortConnection(ServerConnection):
    """A websocket of this port, once it has been told from other connections."""

    address: str
    """Of the peer; '' for one that was gone too soon."""
    principal: Principal
    """Who is at the other end, once it has been admitted."""
    stream: Stream | None = None
    """What it has asked for by its path, where that is not the path of the methods."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self._stalled: asyncio.TimerHandle | None = None
        self._answer_bytes = 0
        self._fail = self.protocol.fail
        self.protocol.fail = self._fail_with_words  # type: ignore[method-assign]

    def take_over(self, transport: asyncio.Transport, received: bytes, leave: Callable[[], None]) -> None:
        """Carry on as a websocket on a connection that has sent ``received`` so far; ``leave`` is called at its end."""
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

    def _fail_with_words(self, code: int, reason: str = "") -> None:
        """The library closes on a message that is too large without a word; a caller is told as of any other error."""
        if code == CloseCode.MESSAGE_TOO_BIG and self.protocol.state is State.OPEN:
            self.protocol.send_text(too_large())
        self._fail(code, reason)

    async def answer(self, message: bytes) -> None:
        """Send the answer to a call, and wait while the peer is behind. Raises ConnectionClosed.

        A peer that has said goodbye is sent nothing. (To wait for the connection's end here, as ``send`` does, would
        keep the reader from reading up to it.)
        """
        if self.protocol.state is not State.OPEN:
            return
        self._answer_bytes += len(message)
        try:
            await self.send(message, text=True)
        finally:
            self._answer_bytes -= len(message)

    def push(self, message: bytes) -> None:
        """Send what the peer did not ask for just now, without waiting; closes the connection where it is behind.

        Answers under way do not count: a peer may take its time over a long list that it asked for.
        """
        if self.protocol.state is not State.OPEN:
            return
        if self.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES + self._answer_bytes:
            self.close_slow()
            return
        self.protocol.send_text(message)
        self.send_data()

    def close_slow(self) -> None:
        """Close with 1013, for a peer that does not keep up."""
        if self.protocol.state is State.OPEN:
            SLOW_DISCONNECTS.inc()
            self.dismiss(TRY_AGAIN_LATER, "too slow: reconnect and resume with after")

    def dismiss(self, code: int, reason: str) -> None:
        """Close without waiting. The close frame goes behind what is unread, so it may never arrive: then abort."""
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


class Port:
    """The open port."""

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        converse: Callable[[PortConnection], Awaitable[None]],
        admit: Callable[[PortConnection, Request], Awaitable[Response | None]],
        caps: Caps,
        certificate: Certificate | None = None,
    ) -> None:
        """``app`` serves HTTP, ``converse`` a websocket that ``admit`` has answered with None.

        With a certificate the port speaks TLS, and nothing else.
        """
        self._http = HttpSide(app)
        self._reception = Reception(self._http, caps, certificate)
        self._converse: Callable[[Any], Awaitable[None]] = converse
        self._admit: Callable[[Any, Request], Awaitable[Response | None]] = admit
        self._server: Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port number, which is a free one for ``port`` 0. Raises OSError."""
        self._server = await serve(
            self._converse,
            host,
            port,
            process_request=self._admit,
            create_connection=cast("type[ServerConnection]", self._arrive),
            compression=None,
            server_header=None,
            open_timeout=REQUEST_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=MAX_MESSAGE_BYTES,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def _arrive(self, *args: Any, **options: Any) -> Arrival:  # noqa: ANN401
        return Arrival(self._reception, partial(PortConnection, *args, **options))

    @property
    def connections(self) -> set[PortConnection]:
        """The websockets that are open."""
        found = self._server.connections if self._server else set()
        return {connection for connection in found if isinstance(connection, PortConnection)}

    async def close(self) -> None:
        """Stop listening; tell websockets 1012, let HTTP answers finish, and abort what does not go by itself."""
        if self._server is None:
            return
        self._server.close(code=SERVICE_RESTART, reason="restarting: reconnect and resume with after")
        self._http.close()
        for arrival in list(self._reception.undecided):
            arrival.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS + 1):
                await asyncio.shield(self._server.wait_closed())
        except TimeoutError:
            self._http.abort()
            for connection in self.connections:
                connection.transport.abort()
            await self._server.wait_closed()
