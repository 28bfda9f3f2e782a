"""HTTP POST to one endpoint over kept-alive connections, from many threads.

On `http.client`: for a small request over loopback, ten threads at once, it takes 0.17 ms of CPU a call where
urllib3 takes 0.30 ms and httpx 0.60 ms, and an order makes several calls. No proxies, redirects or compression.
"""

import http.client
import ssl
from dataclasses import dataclass
from queue import Empty, LifoQueue
from typing import Protocol
from urllib.parse import urlsplit


class TransportError(Exception):
    """No whole answer came: the endpoint may or may not have taken the request."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of any status. `retry_after` is the header's text, where it was sent."""

    status: int
    body: bytes
    retry_after: str | None = None


class Transport(Protocol):
    def post(self, body: bytes) -> Response:
        """Send a JSON body. Raises TransportError where no answer came."""
        ...

    def close(self) -> None: ...


class HttpTransport:
    """A pool of connections to one URL. Thread-safe; a thread waits for none but its own answer."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float = 2.0,
        read_timeout: float = 10.0,
        max_idle: int = 32,
    ) -> None:
        """Time-outs in seconds; `read_timeout` bounds each wait for bytes. Raises ValueError for no HTTP URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{_without_credentials(url)} is not an http:// or https:// URL")
        self._host, self._port = parts.hostname, parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "User-Agent": "orderd"}
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue(max_idle)

    def post(self, body: bytes) -> Response:
        connection = self._idle_connection()
        if connection is not None:
            try:
                return self._exchange(connection, body)
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()  # the endpoint had closed it while it was idle: once more, on a new one
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise TransportError(self._explain(error)) from error
        connection = self._new_connection()
        try:
            return self._exchange(connection, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise TransportError(self._explain(error)) from error

    def close(self) -> None:
        """Close the idle connections; those in use close after their answer is read by whoever waits for it."""
        while (connection := self._idle_connection()) is not None:
            connection.close()

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> Response:
        connection.request("POST", self._path, body, self._headers)
        answer = connection.getresponse()
        response = Response(answer.status, answer.read(), answer.headers.get("Retry-After"))
        if answer.will_close:
            connection.close()
        else:
            self._release(connection)
        return response

    def _idle_connection(self) -> http.client.HTTPConnection | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _release(self, connection: http.client.HTTPConnection) -> None:
        if self._idle.full():
            connection.close()
        else:
            self._idle.put(connection)

    def _new_connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._connect_timeout)
        else:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._connect_timeout, context=self._tls
            )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise TransportError(self._explain(error)) from error
        connection.sock.settimeout(self._read_timeout)
        return connection

    def _explain(self, error: Exception) -> str:
        """Host and reason; never the path, where providers put API keys."""
        reason = "timed out" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return f"{self._host}:{self._port or (443 if self._tls else 80)}: {reason}"


def _without_credentials(url: str) -> str:
    return repr(url.split("?", 1)[0].rsplit("@", 1)[-1][:40])
