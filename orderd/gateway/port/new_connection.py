"""A connection before its protocol is known: it is counted, secured if the port has a certificate, and handed over.

The head of its first request decides. An upgrade request goes to the websockets library, other requests to uvicorn's
HTTP protocol, with the bytes received so far.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from orderd.domain.errors import ErrorCode
from orderd.gateway.port.caps import Caps
from orderd.gateway.port.http_connection import HEAD_BYTES, NOT_TLS, TOO_LARGE, TOO_MANY, TOO_SLOW, HttpSide, TakesOver
from orderd.gateway.port.tls import HANDSHAKE_RECORD, Certificate, secure
from orderd.metrics.port import REFUSED

FIRST_REQUEST_SECONDS: Final = 10.0
"""Time from the connection to the end of the first request's head, including the TLS handshake."""


@dataclass(frozen=True, slots=True)
class PortContext:
    """The shared state of a port's new connections."""

    http: HttpSide
    caps: Caps
    certificate: Certificate | None
    undecided: "set[NewConnection]" = field(default_factory=set)


class NewConnection(asyncio.Protocol):
    """One connection, up to its hand-over."""

    def __init__(self, context: PortContext, websocket: Callable[[], TakesOver]) -> None:
        """``websocket`` makes the protocol that takes over if the peer requests one."""
        self._context = context
        self._websocket = websocket
        self._received = bytearray()
        self._securing: asyncio.Task[None] | None = None
        self._is_plain = context.certificate is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has all of its methods, but is not a subclass
        peer = self._transport.get_extra_info("peername")
        if peer is None:  # it is gone already
            self._transport.abort()
            return
        leave = self._context.caps.admit(peer[0])
        if leave is None:
            REFUSED.labels(ErrorCode.LIMIT_CONNECTIONS).inc()
            self._refuse(TOO_MANY)
            return
        self._leave: Callable[[], None] = leave
        self._context.undecided.add(self)
        self._deadline = asyncio.get_running_loop().call_later(FIRST_REQUEST_SECONDS, self._refuse, TOO_SLOW)

    def data_received(self, data: bytes) -> None:
        if self not in self._context.undecided or self._transport.is_closing():
            return
        self._received += data
        if not self._is_plain:
            self._examine()
        elif self._securing is not None:
            pass  # it comes out of TLS, which this side has not been notified of yet
        elif self._received[0] != HANDSHAKE_RECORD:
            self._is_plain = False
            self._refuse(NOT_TLS)
        else:
            self._transport.pause_reading()
            hello = bytes(self._received)
            self._received.clear()
            self._securing = asyncio.create_task(self._secure(hello), name="tls handshake")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self in self._context.undecided:
            self._part()
            self._leave()

    def close(self) -> None:
        """End it: the port closes."""
        self._transport.close()

    async def _secure(self, hello: bytes) -> None:
        certificate = self._context.certificate
        assert certificate is not None
        try:
            secured = await secure(self._transport, self, certificate.context, hello, FIRST_REQUEST_SECONDS)
        except OSError:
            self.connection_lost(None)  # not called by anything else for a connection whose TLS handshake failed
            return
        self._transport = secured
        self._is_plain = False
        if self._received:
            self._examine()

    def _examine(self) -> None:
        end = self._received.find(b"\r\n\r\n")
        if end > HEAD_BYTES or (end < 0 and len(self._received) > HEAD_BYTES):
            self._refuse(TOO_LARGE)
        elif end >= 0 or not self._received[:1].isalpha():
            # Data that is not the start of a request, such as a TLS hello, is answered by the HTTP side immediately.
            self._hand_over(self._received[: max(end, 0)])

    def _hand_over(self, head: bytearray) -> None:
        self._part()
        received = bytes(self._received)
        self._received.clear()
        if _asks_for_websocket(head):
            self._websocket().take_over(self._transport, received, self._leave)
        else:
            self._context.http.take_over(self._transport, received, self._leave, self._websocket)

    def _part(self) -> None:
        self._deadline.cancel()
        self._context.undecided.discard(self)

    def _refuse(self, answer: bytes) -> None:
        """Close the connection with an answer, or without one if the peer expects TLS."""
        if self._is_plain:
            self._transport.abort()
        else:
            self._transport.write(answer)
            self._transport.close()


def _asks_for_websocket(head: bytearray) -> bool:
    fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return any(name.lower() == b"upgrade" and value.strip().lower() == b"websocket" for name, _, value in fields)
