"""The HTTP half of the port: uvicorn's protocol, with bounds, on connections that websockets has accepted."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.problem import raw_refusal

HEAD_BYTES: Final = 16_384
"""The largest request head, request line included."""
REQUEST_SECONDS: Final = 10.0
"""Time for a peer to send a request, from the connection or from the previous answer."""
STALL_SECONDS: Final = 20.0
"""A peer that reads nothing from a full buffer for this long counts as gone."""


def _refusal(code: ErrorCode, status: int, phrase: str, detail: str, retry_after: int | None = None) -> bytes:
    return raw_refusal(OrderdError(code, detail, retry_after=retry_after), status, phrase)


TOO_LARGE: Final = _refusal(
    ErrorCode.REQUEST_TOO_LARGE,
    431,
    "Request Header Fields Too Large",
    f"the head of a request may have {HEAD_BYTES} bytes",
)
TOO_SLOW: Final = _refusal(
    ErrorCode.REQUEST_TIMEOUT,
    408,
    "Request Timeout",
    f"the head of a request must arrive within {REQUEST_SECONDS:g} s",
)
TOO_MANY: Final = _refusal(
    ErrorCode.LIMIT_CONNECTIONS,
    503,
    "Too Many Connections",
    "the port has reached its connection limit, in total or for one address",
    retry_after=10,
)
NOT_TLS: Final = _refusal(
    ErrorCode.REQUEST_UNREADABLE,
    400,
    "This Port Speaks TLS: Use https:// Or wss://",
    "this port speaks TLS; use https:// or wss://",
)
NO_HTTP: Final = _refusal(ErrorCode.REQUEST_UNREADABLE, 400, "Bad Request", "the request is not valid HTTP/1.1")


class TakesOver(Protocol):
    """Takes over a connection whose peer has sent ``received`` so far, and calls ``leave`` at its end."""

    def take_over(self, transport: asyncio.Transport, received: bytes, leave: Callable[[], None]) -> None: ...


class HttpConnection(HttpToolsProtocol):
    """uvicorn's HTTP protocol with bounds on how large a request's head is and how long a request may take."""

    leave: Callable[[], None]
    """Called at the connection's end."""
    websocket: Callable[[], TakesOver]
    """Makes the protocol that takes over when the peer requests a websocket after some requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._head_bytes = 0
        self._in_head = True
        self._may_upgrade = False
        # Complete requests minus complete answers; negative if an answer did not wait for the body.
        self._unanswered = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._in_work: RequestResponseCycle | None = None
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), HEAD_BYTES):
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            part = data[start : start + HEAD_BYTES]
            super().data_received(part)
            self._head_bytes = self._head_bytes + len(part) if self._in_head else 0
            if self._head_bytes > HEAD_BYTES:
                self.transport.write(TOO_LARGE)
                self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (the library's own words)
        self.transport.write(NO_HTTP)
        self.transport.close()

    def _should_upgrade_to_ws(self) -> bool:
        return self._may_upgrade

    def handle_websocket_upgrade(self) -> None:
        """Clients with a pool of connections take one for a websocket that they have made requests on."""
        self.connections.discard(self)
        if self._stalled is not None:
            self._stalled.cancel()
        fields = (name + b": " + value + b"\r\n" for name, value in self.headers)
        head = self.scope["method"].encode() + b" " + self.url + b" HTTP/1.1\r\n" + b"".join(fields) + b"\r\n"
        self.websocket().take_over(self.transport, head, self.leave)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers, which come after the body, are not headers (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._may_upgrade = self._unanswered <= 0  # otherwise earlier answers would be mixed with frames
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0
        self._unanswered += 1
        self._expect_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unanswered -= 1
        self._expect_request()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._in_work = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        if self._in_work is not None:
            # uvicorn reports the last request that it has read, which need not be the one that is being answered.
            self._in_work.disconnected = True
        super().connection_lost(exc)
        self.leave()

    def _expect_request(self) -> None:
        """Set the peer's time limit, or remove it while the peer waits for an answer."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._unanswered <= 0 and not self.transport.is_closing():
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Close the connection without waiting for the peer, even if it has not read the end of an answer."""
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.transport.abort()


class HttpSide:
    """The shared state of a port's HTTP connections."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._config = Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=int(REQUEST_SECONDS),
        )
        self._config.load()
        self._state = ServerState()

    def take_over(
        self,
        transport: asyncio.Transport,
        received: bytes,
        leave: Callable[[], None],
        websocket: Callable[[], TakesOver],
    ) -> None:
        """Continue a connection as HTTP, after it has sent ``received``; ``leave`` is called at its end.

        ``websocket`` makes the protocol that takes over if the peer requests an upgrade later.
        """
        http = HttpConnection(self._config, self._state, app_state={})
        http.leave = leave
        http.websocket = websocket
        transport.set_protocol(http)
        http.connection_made(transport)
        http.data_received(received)

    def close(self) -> None:
        """Close idle connections now, the others when their answer is complete."""
        for connection in list(self._state.connections):
            connection.shutdown()

    def abort(self) -> None:
        for connection in list(self._state.connections):
            connection.transport.abort()
