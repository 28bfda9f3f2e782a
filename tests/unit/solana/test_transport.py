"""HTTP POST over kept-alive connections: reuse, timeouts, and servers that close connections."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from orderd.solana.transport import HttpTransport, TransportError
from tests.unit.solana.server import Server, response


def test_connections_are_kept_and_used_again() -> None:
    with Server(lambda body: response(body.upper())) as server:
        transport = HttpTransport(server.url)
        answers = [transport.post(b"hello").body for _ in range(5)]
        transport.close()
    assert answers == [b"HELLO"] * 5
    assert server.connections == 1


def test_ten_threads_get_their_own_answers() -> None:
    barrier = threading.Barrier(10)

    def answer(body: bytes) -> bytes:
        barrier.wait(10)  # all ten requests are in flight at once
        return response(body)

    with Server(answer) as server:
        transport = HttpTransport(server.url)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda number: transport.post(b"%d" % number).body, range(10)))
        transport.close()
    assert answers == [b"%d" % number for number in range(10)]
    assert server.connections == 10


def test_idle_connections_are_limited() -> None:
    barrier = threading.Barrier(4)

    def answer(body: bytes) -> bytes:
        if body == b"together":
            barrier.wait(10)
        return response(body)

    with Server(answer) as server:
        transport = HttpTransport(server.url, max_idle=1)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(transport.post, [b"together"] * 4))
        transport.post(b"alone")
        transport.close()
    assert server.connections == 4


def test_a_connection_closed_by_the_server_is_replaced() -> None:
    with Server(lambda body: response(body)) as server:
        transport = HttpTransport(server.url)
        transport.post(b"1")
        server.drop()
        assert transport.post(b"2").body == b"2"
        transport.close()
    assert server.connections == 2


def test_a_connection_close_header_is_respected() -> None:
    with Server(lambda body: response(body, "200 OK", "Connection: close")) as server:
        transport = HttpTransport(server.url)
        assert [transport.post(b"x").body for _ in range(2)] == [b"x", b"x"]
        transport.close()
    assert server.connections == 2


def test_a_new_connection_closed_by_the_server_is_an_error() -> None:
    with Server(lambda _: None) as server, pytest.raises(TransportError, match=r"127\.0\.0\.1"):
        HttpTransport(server.url).post(b"x")


def test_an_answer_cut_short_is_an_error() -> None:
    torn = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
    with Server(lambda _: torn, hang_up=True) as server, pytest.raises(TransportError, match=r"127\.0\.0\.1"):
        HttpTransport(server.url).post(b"x")


def test_an_answer_that_is_not_http_is_an_error() -> None:
    with Server(lambda _: b"SSH-2.0-OpenSSH\r\n\r\n") as server, pytest.raises(TransportError):
        HttpTransport(server.url).post(b"x")


def test_a_silent_server_times_out() -> None:
    release = threading.Event()

    def answer(_: bytes) -> None:
        release.wait(30)

    with Server(answer) as server:
        transport = HttpTransport(server.url, read_timeout=0.05)
        with pytest.raises(TransportError, match="timed out"):
            transport.post(b"x")
        release.set()


def test_a_timeout_on_a_kept_connection_is_not_retried() -> None:
    release = threading.Event()
    asked: list[bytes] = []

    def answer(body: bytes) -> bytes:
        asked.append(body)
        if body == b"slow":
            release.wait(30)
        return response(body)

    with Server(answer) as server:
        transport = HttpTransport(server.url, read_timeout=0.05)
        transport.post(b"quick")
        with pytest.raises(TransportError, match="timed out"):
            transport.post(b"slow")
        release.set()
        assert transport.post(b"after").body == b"after"
        transport.close()
    assert asked == [b"quick", b"slow", b"after"]


def test_a_missing_endpoint_is_an_error() -> None:
    with Server(lambda body: response(body)) as server:
        url = server.url
    with pytest.raises(TransportError, match=r"127\.0\.0\.1"):
        HttpTransport(url).post(b"x")


def test_status_and_retry_after_are_returned() -> None:
    with Server(lambda _: response(b"busy", "429 Too Many Requests", "Retry-After: 7")) as server:
        transport = HttpTransport(server.url)
        answer = transport.post(b"x")
        transport.close()
    assert (answer.status, answer.body, answer.retry_after) == (429, b"busy", "7")


def test_errors_do_not_show_the_path_where_providers_put_keys() -> None:
    with Server(lambda _: None) as server, pytest.raises(TransportError) as error:
        HttpTransport(server.url).post(b"x")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["ftp://node", "node:8899", "", "http://"])
def test_a_url_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        HttpTransport(url)
