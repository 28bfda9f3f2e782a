"""Connections through a proxy, for the daemon and the client, for HTTP and websockets.

It is configured by the environment as in most programs: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY in either case.
Connections to this machine never use a proxy. Supported are HTTP proxies (RFC 9110) and SOCKS 5 (RFC 1928).
"""

import socket
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from orderd.domain.host import is_loopback

_PORTS: Final = {"http": 80, "socks5": 1080, "socks5h": 1080}
"""The supported kinds of proxies, and their default ports."""
_MAX_HEAD_BYTES: Final = 65_536
_MAX_TEXT_BYTES: Final = 255
_SOCKS: Final = 5
_NO_ANSWERS: Final = (
    "", "it failed", "it does not allow that", "no network leads there", "no host is reached there",
    "the endpoint refuses", "too late", "it cannot connect", "it does not know such addresses",
)  # fmt: skip
"""The meaning of a SOCKS proxy's reply codes (RFC 1928, section 6)."""


class ProxyError(Exception):
    """The environment names a proxy that cannot be used. Its text shows no password."""


@dataclass(frozen=True, slots=True)
class Proxy:
    kind: str
    """http; socks5 (this machine resolves host names); or socks5h (the proxy resolves them)."""
    host: str
    port: int
    user: str | None
    password: str

    @property
    def authorization(self) -> str | None:
        return None if self.user is None else basic_authorization(self.user, self.password)

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """Connect to an endpoint within ``seconds``. The returned socket has no time-out. Raises OSError."""
        connection = socket.create_connection((self.host, self.port), seconds)
        try:
            if self.kind == "http":
                _request_http_tunnel(connection, _authority(host, port), self.authorization)
            else:
                _negotiate_socks(connection, self.user, self.password)
                _request_socks_tunnel(connection, host if self.kind == "socks5h" else _address(host, port), port)
            connection.settimeout(None)
        except BaseException:
            connection.close()
            raise
        return connection


def proxy_for(host: str, port: int, *, is_secure: bool) -> Proxy | None:
    """The proxy for a connection, by the current environment; None if there is none. Raises ProxyError."""
    if is_loopback(host):
        return None
    named = getproxies_environment()
    if proxy_bypass_environment(f"{host}:{port}", named):
        return None
    purpose = "https" if is_secure else "http"
    text = named.get(purpose) or named.get("all")
    if not text:
        return None
    origin = f"the proxy that the environment names for {purpose}"
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ProxyError(
                f"{origin} does not begin with http://, socks5:// or socks5h://; other kinds are not supported"
            )
        user, password = credentials(parts)
        if max(len((user or "").encode()), len(password.encode())) > _MAX_TEXT_BYTES:
            raise ProxyError(f"{origin} has a user or a password of more than {_MAX_TEXT_BYTES} bytes")
        return Proxy(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], user, password)
    except ValueError as error:
        raise ProxyError(f"{origin} has an invalid address") from error


def credentials(parts: SplitResult) -> tuple[str | None, str]:
    """User and password of a URL; the user is None if the URL has none."""
    return None if parts.username is None else unquote(parts.username), unquote(parts.password or "")


def basic_authorization(user: str, password: str) -> str:
    """RFC 7617"""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(host: str, port: int) -> str:
    """The first address of a host, resolved by this machine."""
    *_, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return str(found[0])


def _request_http_tunnel(connection: socket.socket, authority: str, authorization: str | None) -> None:
    """RFC 9110, 9.3.6"""
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if authorization is not None:
        head += f"Proxy-Authorization: {authorization}\r\n"
    connection.sendall(f"{head}\r\n".encode("ascii"))
    answer = bytearray()
    while not answer.endswith(b"\r\n\r\n"):  # read no further: the following bytes are from the endpoint
        if len(answer) > _MAX_HEAD_BYTES:
            raise OSError("the proxy did not answer in HTTP")
        answer += _read(connection, 1)
    status = bytes(answer).split(b"\r\n", 1)[0].decode("latin-1")
    if status.split(" ")[1:2] != ["200"]:
        raise OSError(f"the proxy refused the connection: {status[:100]}")


def _negotiate_socks(connection: socket.socket, user: str | None, password: str) -> None:
    """RFC 1928, 3, and RFC 1929"""
    ways = b"\0" if user is None else b"\0\2"
    connection.sendall(bytes((_SOCKS, len(ways))) + ways)
    version, way = _read(connection, 2)
    if version != _SOCKS:
        raise OSError("the proxy does not support SOCKS 5")
    if way not in ways:
        raise OSError(
            "the proxy asks for a user and a password"
            if user is None
            else "the proxy does not accept a user and a password"
        )
    if way == 2:
        assert user is not None
        connection.sendall(b"\1" + b"".join(bytes((len(text),)) + text for text in (user.encode(), password.encode())))
        if _read(connection, 2)[1] != 0:
            raise OSError("the proxy refuses the user or the password")


def _request_socks_tunnel(connection: socket.socket, host: str, port: int) -> None:
    """RFC 1928, 4 to 6"""
    try:
        address = ip_address(host).packed
        where = bytes((1 if len(address) == 4 else 4,)) + address
    except ValueError:
        try:
            name = host.encode("idna")
        except UnicodeError as error:
            raise OSError(f"{host[:50]} is not a valid host name") from error
        where = bytes((3, len(name))) + name
    connection.sendall(bytes((_SOCKS, 1, 0)) + where + port.to_bytes(2))
    _, answer, _, kind = _read(connection, 4)
    if answer != 0:
        why = _NO_ANSWERS[answer] if answer < len(_NO_ANSWERS) else f"reply code {answer}"
        raise OSError(f"the proxy refused the connection: {why}")
    _read(connection, {1: 4, 4: 16}.get(kind) or _read(connection, 1)[0])
    _read(connection, 2)


def _read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        data = connection.recv(size - len(found))
        if not data:
            raise OSError("the proxy closed the connection")
        found += data
    return found
