"""HTTP POST to one endpoint over kept-alive connections, from many threads.

Uses plain sockets and httptools, uvicorn's parser: a small request over loopback takes 10 µs of CPU per call.
http.client takes 65 µs, urllib3 twice and httpx four times as much, and an order makes several calls. Redirects and
compression are not supported.
"""

import socket
import ssl
from dataclasses import dataclass
from typing import Final, Protocol

from httptools import HttpParserError, HttpResponseParser

from orderd.solana.endpoint import EndpointUrl

_READ_SIZE: Final = 65_536


class TransportError(Exception):
    """No complete answer came: the endpoint may or may not have processed the request."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of any status. ``retry_after`` is the header's text, if it was sent."""

    status: int
    body: bytes
    retry_after: str | None = None


class Transport(Protocol):
    def post(self, body: bytes) -> Response:
        """Send a JSON body. Raises TransportError if no answer came."""
        ...

    def close(self) -> None: ...


class _Connection:
    """A socket, and the parser of the answer read from it."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._parser = HttpResponseParser(self)
        self._body: list[bytes] = []
        self._retry_after: str | None = None
        self._is_whole = False
        self.is_kept = False
        """Whether the connection can be used for another request."""

    def exchange(self, request: bytes) -> Response:
        """Send a request and read the answer. Raises OSError or HttpParserError; ConnectionError if the endpoint closed
        the connection without an answer."""
        self._body.clear()
        self._retry_after, self._is_whole, has_begun = None, False, False
        self._socket.sendall(request)
        while not self._is_whole:
            data = self._socket.recv(_READ_SIZE)
            if not data:
                raise HttpParserError("the answer is truncated") if has_begun else ConnectionError("hung up")
            has_begun = True
            self._parser.feed_data(data)
        return Response(self._parser.get_status_code(), b"".join(self._body), self._retry_after)

    def close(self) -> None:
        self._socket.close()

    # Callbacks of the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        self._is_whole = self._parser.get_status_code() >= 200  # 1xx is not the final answer
        self.is_kept = self._parser.should_keep_alive()


class HttpTransport:
    """A pool of connections to one URL. Thread-safe; a thread only waits for its own answer."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float = 2.0,
        read_timeout: float = 10.0,
        max_idle: int = 32,
    ) -> None:
        """Time-outs in seconds; ``read_timeout`` bounds each wait for bytes.

        Raises ValueError if it is not an HTTP URL, and OrderdError SERVICE_CONFIGURATION for an unusable proxy.
        """
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{_without_credentials(url)} is not an http:// or https:// URL")
        try:
            self._endpoint = EndpointUrl.of(url)
            self._proxy = self._endpoint.proxy()
        except ValueError as error:
            raise ValueError(f"{_without_credentials(url)} is not an http:// or https:// URL") from error
        is_plain = self._proxy is not None and self._proxy.kind == "http" and not self._endpoint.is_secure
        self._plain_proxy = self._proxy if is_plain else None
        """A proxy that forwards plain HTTP requests, which name the whole URL. Other proxies only tunnel."""
        self._tls = ssl.create_default_context() if self._endpoint.is_secure else None
        self._head = self._head_of_requests()
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._max_idle = max_idle
        self._idle: list[_Connection] = []

    def post(self, body: bytes) -> Response:
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        connection = self._idle_connection()
        if connection is not None:
            try:
                return self._exchange(connection, request)
            except ConnectionError:
                pass  # the endpoint closed it while it was idle: retry on a new connection
            except (OSError, HttpParserError) as error:
                raise TransportError(self._explain(error)) from error
        try:
            return self._exchange(self._new_connection(), request)
        except (OSError, HttpParserError) as error:
            raise TransportError(self._explain(error)) from error

    def close(self) -> None:
        """Close the idle connections; those in use close after their answer has been read."""
        while (connection := self._idle_connection()) is not None:
            connection.close()

    def _exchange(self, connection: _Connection, request: bytes) -> Response:
        try:
            response = connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        if connection.is_kept and len(self._idle) < self._max_idle:
            self._idle.append(connection)
        else:
            connection.close()
        return response

    def _idle_connection(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _head_of_requests(self) -> bytes:
        endpoint, proxy = self._endpoint, self._plain_proxy
        target = endpoint.path if proxy is None else endpoint.url
        lines = [f"POST {target} HTTP/1.1", f"Host: {endpoint.authority}", "User-Agent: orderd"]
        if endpoint.authorization is not None:
            lines.append(f"Authorization: {endpoint.authorization}")
        if proxy is not None and proxy.authorization is not None:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        lines += ["Content-Type: application/json", "Accept-Encoding: identity", "Content-Length: "]
        return "\r\n".join(lines).encode("ascii")

    def _new_connection(self) -> _Connection:
        endpoint, plain = self._endpoint, self._plain_proxy
        if plain is None:
            connection = endpoint.connect(self._proxy, self._connect_timeout)
        else:
            connection = socket.create_connection((plain.host, plain.port), self._connect_timeout)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(self._connect_timeout)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=endpoint.host)
            connection.settimeout(self._read_timeout)
        except BaseException:
            connection.close()
            raise
        return _Connection(connection)

    def _explain(self, error: Exception) -> str:
        """Host and reason, without the path, which may hold an API key."""
        reason = "timed out" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        way = "" if self._proxy is None else f" through the proxy {self._proxy.host}:{self._proxy.port}"
        return f"{self._endpoint.host}:{self._endpoint.port}{way}: {reason}"


def _without_credentials(url: str) -> str:
    return repr(url.split("?", 1)[0].rsplit("@", 1)[-1][:40])
