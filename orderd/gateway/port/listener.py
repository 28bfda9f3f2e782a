"""One TCP port for websocket and HTTP.

The websockets library owns the port. A new connection is first handled by ``orderd.gateway.port.new_connection``.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from orderd.gateway.port.caps import Caps
from orderd.gateway.port.http_connection import REQUEST_SECONDS, HttpSide
from orderd.gateway.port.new_connection import NewConnection, PortContext
from orderd.gateway.port.tls import Certificate
from orderd.gateway.port.websocket_connection import CLOSE_SECONDS, PortConnection
from orderd.wire.rpc import MAX_MESSAGE_BYTES

PING_SECONDS: Final = 10.0
POLICY_VIOLATION: Final = 1008
SERVICE_RESTART: Final = 1012


class Port:
    """The open port."""

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        converse: Callable[[PortConnection], Awaitable[None]],
        admit: Callable[[PortConnection, Request], Awaitable[Response | None]],
        caps: Caps,
        certificate: Certificate | None = None,
        *,
        too_large: bytes,
    ) -> None:
        """``app`` serves HTTP, ``converse`` a websocket for which ``admit`` has returned None.

        With a certificate the port accepts only TLS. ``too_large`` is sent for a websocket message over the limit
        before the connection is closed.
        """
        self._http = HttpSide(app)
        self._context = PortContext(self._http, caps, certificate)
        self._too_large = too_large
        self._converse: Callable[[Any], Awaitable[None]] = converse
        self._admit: Callable[[Any, Request], Awaitable[Response | None]] = admit
        self._server: Server | None = None

    async def open(self, host: str, port: int, backlog: int, inherited: socket.socket | None = None) -> int:
        """Listen; returns the port number, which is a free one for ``port`` 0. Raises OSError.

        An ``inherited`` socket is already bound and listens: it replaces ``host`` and ``port``.

        ``backlog`` is the number of connections that may wait to be accepted; the system limits it too. A client beyond
        it gets no answer, and its system retries a second later.
        """
        self._server = await serve(
            self._converse,
            host if inherited is None else None,
            port if inherited is None else None,
            sock=inherited,
            process_request=self._admit,
            create_connection=cast("type[ServerConnection]", self._arrive),
            compression=None,
            server_header=None,
            open_timeout=REQUEST_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=MAX_MESSAGE_BYTES,
            backlog=backlog,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def _arrive(self, *args: Any, **options: Any) -> NewConnection:  # noqa: ANN401
        return NewConnection(self._context, partial(PortConnection, *args, too_large=self._too_large, **options))

    @property
    def connections(self) -> set[PortConnection]:
        """The websockets that are open."""
        found = self._server.connections if self._server else set()
        return {connection for connection in found if isinstance(connection, PortConnection)}

    def leave_queued(self) -> None:
        """Accept no more connections. On a port that a service manager holds, they wait for the next process."""
        if self._server is not None:
            self._server.server.close()

    async def close(self) -> None:
        """Stop listening, close websockets with 1012, let HTTP answers finish, and abort the remaining connections."""
        if self._server is None:
            return
        self._server.close(code=SERVICE_RESTART, reason="restarting: reconnect and resume with after")
        self._http.close()
        for undecided in list(self._context.undecided):
            undecided.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS + 1):
                await asyncio.shield(self._server.wait_closed())
        except TimeoutError:
            self._http.abort()
            for connection in self.connections:
                connection.transport.abort()
            await self._server.wait_closed()
