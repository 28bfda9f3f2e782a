"""The address of an endpoint: its host, credentials, and the proxy on the way.

User and password of a URL become Basic authentication.
"""

import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.proxy import Proxy, ProxyError, basic_authorization, credentials, proxy_for

_KINDS: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
"""The HTTP scheme of each scheme: websockets start as HTTP."""


@dataclass(frozen=True, slots=True)
class EndpointUrl:
    """The parts of an endpoint's URL."""

    url: str
    """The URL without user and password."""
    host: str
    port: int
    is_secure: bool
    path: str
    """The path with the query."""
    authority: str
    """Host and port as in the Host header."""
    authorization: str | None

    @classmethod
    def of(cls, url: str) -> "EndpointUrl":
        """Raises ValueError if it is not the URL of a host."""
        parts = urlsplit(url)
        if parts.scheme not in _KINDS or not parts.hostname:
            raise ValueError("no host is named")
        is_secure = _KINDS[parts.scheme] == "https"
        authority = parts.netloc.rpartition("@")[2]
        user, password = credentials(parts)
        return cls(
            url=parts._replace(netloc=authority).geturl(),
            host=parts.hostname,
            port=parts.port or (443 if is_secure else 80),
            is_secure=is_secure,
            path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            authority=authority,
            authorization=None if user is None else basic_authorization(user, password),
        )

    @property
    def shown(self) -> str:
        """The host for logs and messages, with the port unless it is the default. Paths and queries may hold API
        keys."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"

    def proxy(self) -> Proxy | None:
        """The proxy for this endpoint, if any. Raises OrderdError SERVICE_CONFIGURATION if the environment names an
        unusable one."""
        try:
            return proxy_for(self.host, self.port, is_secure=self.is_secure)
        except ProxyError as error:
            raise OrderdError(ErrorCode.SERVICE_CONFIGURATION, str(error)) from error

    def connect(self, proxy: Proxy | None, seconds: float) -> socket.socket:
        """Connect within ``seconds``. The connection itself has no time-out. Raises OSError."""
        if proxy is not None:
            return proxy.connect(self.host, self.port, seconds)
        connection = socket.create_connection((self.host, self.port), seconds)
        connection.settimeout(None)
        return connection
