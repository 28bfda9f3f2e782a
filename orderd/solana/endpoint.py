"""How an endpoint is reached: its host, who asks, and the proxy on the way.

User and password of a URL become Basic authentication (RFC 7617). Proxies come from the environment as for most
programs, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in either case, and the same for HTTP and websocket. What is
on this machine is never asked for by way of another.
"""

from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from orderd.domain.errors import ErrorCode, OrderdError

_KINDS: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
"""By what name a scheme's proxy goes."""


class ProxyError(OrderdError):
    """The environment names a proxy of a kind that is not spoken here."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(ErrorCode.RPC_UNAVAILABLE, f"the proxy that the environment names for {kind} {why}")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is spoken to in plain HTTP."""

    host: str
    port: int
    authorization: str | None
    url: str
    """With user and password, where it has them: never to be shown."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a URL says, apart."""

    url: str
    """Without user and password."""
    host: str
    port: int
    is_secure: bool
    path: str
    """With the query."""
    authority: str
    """As the Host header has it."""
    authorization: str | None

    @classmethod
    def of(cls, url: str) -> "Endpoint":
        """Raises ValueError where it is no URL of a host."""
        parts = urlsplit(url)
        if parts.scheme not in _KINDS or not parts.hostname:
            raise ValueError("no host is named")
        is_secure = _KINDS[parts.scheme] == "https"
        authority = parts.netloc.rpartition("@")[2]
        return cls(
            url=parts._replace(netloc=authority).geturl(),
            host=parts.hostname,
            port=parts.port or (443 if is_secure else 80),
            is_secure=is_secure,
            path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            authority=authority,
            authorization=_authorization(parts),
        )

    def proxy(self) -> Proxy | None:
        """By way of whom, as the environment has it now. Raises ProxyError."""
        if _is_loopback(self.host):
            return None
        named = getproxies_environment()
        if proxy_bypass_environment(f"{self.host}:{self.port}", named):
            return None
        kind = "https" if self.is_secure else "http"
        text = named.get(kind) or named.get("all")
        if not text:
            return None
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            if parts.scheme != "http" or not parts.hostname:
                raise ProxyError(kind, "does not begin with http://, the only kind that is spoken here")
            return Proxy(parts.hostname, parts.port or 80, _authorization(parts), _with_password(parts))
        except ValueError as error:
            raise ProxyError(kind, "has no address that can be read") from error


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _with_password(parts: SplitResult) -> str:
    """Such as websockets takes: to it a user without a password is no user."""
    netloc = parts.netloc
    if parts.username is not None and parts.password is None:
        user, _, host = netloc.rpartition("@")
        netloc = f"{user.removesuffix(':')}:@{host}"
    return f"{parts.scheme}://{netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
