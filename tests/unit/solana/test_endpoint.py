"""How an endpoint's URL is interpreted, and through which proxy the endpoint is reached."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Queue

import pytest
import trustme
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from orderd.domain.errors import OrderdError
from orderd.proxy import _request_socks_tunnel
from orderd.solana.endpoint import EndpointUrl
from orderd.solana.hints import LandingHints
from orderd.solana.transport import HttpTransport, TransportError
from tests.socks import socks_proxy
from tests.unit.solana.server import response

BASIC = "Basic dHJhZGVyOnNlY3JldEAx"
"""trader:secret@1"""
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def speaking(answers: list[bytes], tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, Queue[bytes]]]:
    """A port that answers the first connection's requests in turn, and what it received."""
    received: Queue[bytes] = Queue()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection if tls is None else tls.wrap_socket(connection, server_side=True) as connection:
                for answer in answers:
                    received.put(connection.recv(65_536))
                    connection.sendall(answer)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield listener.getsockname()[1], received
        thread.join(10)


def posted(url: str) -> bytes:
    with closing(HttpTransport(url)) as transport:
        return transport.post(b"{}").body


def test_user_and_password_are_sent_as_basic_authentication() -> None:
    with speaking([response(b"{}")]) as (port, received):
        assert posted(f"http://trader:secret%401@127.0.0.1:{port}/rpc") == b"{}"
    head = received.get(timeout=10).decode()

    assert f"\r\nAuthorization: {BASIC}\r\n" in head
    assert f"\r\nHost: 127.0.0.1:{port}\r\n" in head
    assert "secret" not in head


def test_user_and_password_are_sent_by_the_websocket() -> None:
    seen: Queue[str | None] = Queue()

    def admit(_: ServerConnection, request: Request) -> Response | None:
        seen.put(request.headers.get("Authorization"))
        return None

    with serve(lambda _: None, "127.0.0.1", 0, process_request=admit) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        hints = LandingHints(f"ws://trader:secret%401@127.0.0.1:{port}/", lambda _: None)
        hints.start()
        assert seen.get(timeout=10) == BASIC
        hints.stop(10)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8899", "ws://localhost:8900", "https://[::1]", "http://127.1.2.3"])
def test_endpoints_on_this_machine_are_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in PROXY_NAMES[:3]:
        monkeypatch.setenv(name, "http://proxy.example:3128")
    assert EndpointUrl.of(url).proxy() is None


@pytest.mark.parametrize(
    ("variables", "url", "port"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "https://rpc.example", 1),
        ({"HTTPS_PROXY": "http://p:1"}, "wss://rpc.example", 1),
        ({"HTTPS_PROXY": "http://p:1"}, "http://rpc.example", None),
        ({"https_proxy": "p:1"}, "wss://rpc.example", 1),
        ({"HTTP_PROXY": "http://p:2"}, "ws://rpc.example", 2),
        ({"ALL_PROXY": "http://p:3"}, "wss://rpc.example", 3),
        ({"ALL_PROXY": "http://p:3", "HTTPS_PROXY": "http://p:1"}, "https://rpc.example", 1),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "rpc.example"}, "https://rpc.example", None),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": ".example"}, "wss://rpc.example", None),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "*"}, "https://rpc.example", None),
        ({"ALL_PROXY": ""}, "https://rpc.example", None),
        ({"ALL_PROXY": "socks5://p"}, "https://rpc.example", 1080),
        ({"ALL_PROXY": "socks5h://p:4", "NO_PROXY": "rpc.example"}, "ws://rpc.example", None),
    ],
)
def test_the_proxy_is_chosen_by_scheme_and_host(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, port: int | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy = EndpointUrl.of(url).proxy()
    assert (proxy.port if proxy else None) == port


@pytest.mark.parametrize(
    "proxy", ["socks4://p:1", "https://p:1", "http://", "http://p:many", f"socks5://{'u' * 256}@p:1"]
)
def test_an_unsupported_proxy_is_reported(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(OrderdError, match="the proxy that the environment names for https"):
        HttpTransport("https://rpc.example")
    with pytest.raises(OrderdError, match="the proxy that the environment names for https"):
        EndpointUrl.of("wss://rpc.example").proxy()


def test_a_proxy_gets_the_whole_url_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking([response(b"{}")]) as (port, received):
        monkeypatch.setenv("HTTP_PROXY", f"http://trader:secret%401@127.0.0.1:{port}")
        assert posted("http://rpc.example/key") == b"{}"
    head = received.get(timeout=10).decode()

    assert head.startswith("POST http://rpc.example/key HTTP/1.1\r\nHost: rpc.example\r\n")
    assert f"\r\nProxy-Authorization: {BASIC}\r\n" in head


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b""])
def test_a_proxy_gets_a_connect_request_for_tls(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    with speaking([answer]) as (port, received):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(TransportError, match=r"rpc\.example:443 through the proxy 127\.0\.0\.1"):
            posted("https://rpc.example/key")
    assert received.get(timeout=10) == b"CONNECT rpc.example:443 HTTP/1.1\r\nHost: rpc.example:443\r\n\r\n"


@pytest.mark.parametrize(
    ("kind", "host", "asked"),
    [
        ("socks5h", "rpc.example", "rpc.example"),
        ("socks5h", "192.0.2.7", "192.0.2.7"),
        ("socks5", "rpc.example", "192.0.2.7"),
        ("socks5", "[2001:db8::7]", "2001:db8::7"),
    ],
)
@pytest.mark.parametrize("wants_user", [False, True])
def test_an_endpoint_is_reached_through_a_socks_proxy(
    monkeypatch: pytest.MonkeyPatch, kind: str, host: str, asked: str, wants_user: bool
) -> None:
    """With socks5h the proxy resolves the name, otherwise this machine does."""
    monkeypatch.setattr("orderd.proxy._address", lambda name, _: "192.0.2.7" if name == "rpc.example" else name)
    with (
        speaking([response(b"{}")]) as (port, received),
        socks_proxy({(asked, 8899): port}, wants_user=wants_user) as proxy,
    ):
        monkeypatch.setenv("ALL_PROXY", proxy.url(kind))
        assert posted(f"http://{host}:8899/key") == b"{}"

    assert received.get(timeout=10).startswith(b"POST /key HTTP/1.1\r\n"), "the endpoint gets an ordinary request"
    assert proxy.asked == [(asked, 8899)]


def test_an_endpoint_with_tls_is_reached_through_a_socks_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("rpc.example").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with speaking([response(b"{}")], tls) as (port, received), socks_proxy({("rpc.example", 443): port}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url())
        assert posted("https://rpc.example/key") == b"{}"
    assert received.get(timeout=10).startswith(b"POST /key HTTP/1.1\r\nHost: rpc.example\r\n")


def test_a_websocket_is_reached_through_a_socks_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Queue[str] = Queue()

    def admit(_: ServerConnection, request: Request) -> Response | None:
        seen.put(request.headers["Host"])
        return None

    with (
        serve(lambda _: None, "127.0.0.1", 0, process_request=admit) as server,
        socks_proxy({("rpc.example", 8900): server.socket.getsockname()[1]}) as proxy,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        hints = LandingHints("ws://rpc.example:8900/", lambda _: None)
        hints.start()
        assert seen.get(timeout=10) == "rpc.example:8900"
        hints.stop(10)
        server.shutdown()
        thread.join()


def test_an_error_of_a_socks_proxy_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socks_proxy({}, wants_user=True) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        with pytest.raises(TransportError, match=r"rpc\.example:80 through the proxy .*: no host is reached there"):
            posted("http://rpc.example/key")
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
        with pytest.raises(TransportError, match="the proxy asks for a user and a password"):
            posted("http://rpc.example/key")
        monkeypatch.setenv("ALL_PROXY", f"socks5h://trader:wrong@127.0.0.1:{proxy.port}")
        with pytest.raises(TransportError, match="the proxy refuses the user or the password"):
            posted("http://rpc.example/key")


def test_an_invalid_host_name_is_reported_as_unreachable() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(OSError, match="not a valid host name"):
        _request_socks_tunnel(ours, f"{'x' * 64}.example", 80)
