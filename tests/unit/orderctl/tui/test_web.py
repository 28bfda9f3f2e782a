"""The TUI in a browser: only for a page opened with the complete URL."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import NamedTuple

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.browser import CHROMIUM, browsing

ORDERCTL = Path(sys.executable).with_name("orderctl")


class Page(NamedTuple):
    origin: str
    key: str

    @property
    def address(self) -> str:
        return f"{self.origin}/{self.key}/"


@contextmanager
def served(daemon: FakeDaemon) -> Iterator[Page]:
    with subprocess.Popen(
        [ORDERCTL, "tui", "--web"], env={**os.environ, "ORDERCTL_URL": daemon.url}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        found = re.match(r"open (http://127\.0\.0\.1:\d+)/(\S{40,})/$", process.stderr.readline())
        assert found is not None
        try:
            yield Page(*found.groups())
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.fixture
def page(daemon: FakeDaemon) -> Iterator[Page]:
    with served(daemon) as page:
        yield page


@contextmanager
def another_server() -> Iterator[tuple[str, Queue[str]]]:
    """The origin of another server on this machine, and the request headers that browsers send to it."""
    heads: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heads.put(f"{self.requestline}\n{self.headers}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heads
        finally:
            server.shutdown()
            thread.join()


def answer(url: str, **headers: str) -> int:
    return httpx.get(url, headers=headers, trust_env=False).status_code


def test_the_page_opens_only_with_the_complete_url(page: Page) -> None:
    for address in (page.origin, f"{page.origin}/guessed/", f"{page.origin}/static/css/xterm.css", f"{page.origin}//"):
        assert answer(address) == 403
    for host in ("attacker.example", f"{page.origin[7:]}@attacker.example", f"{page.origin[7:]}.attacker.example"):
        assert answer(page.address, Host=host) == 403

    opened = httpx.get(page.address, trust_env=False)
    assert opened.status_code == 200
    assert "<title>orderctl</title>" in opened.text
    assert "https://" not in opened.text, "it asks no other site for anything"
    assert "frame-ancestors 'none'" in opened.headers["content-security-policy"]
    assert opened.headers["referrer-policy"] == "no-referrer"
    linked = re.findall(rf'"({page.address}static/[^"]+\.(?:js|css))"', opened.text)
    assert [answer(each) for each in linked] == [200] * len(linked)
    assert linked

    asyncio.run(_drives_the_screen(page))


def test_the_key_is_not_sent_to_other_servers_of_this_machine(page: Page) -> None:
    """Cookies ignore ports: a browser would send them to all servers of this machine."""
    opened = httpx.get(page.address, trust_env=False)

    assert "set-cookie" not in opened.headers
    assert f"{page.origin.replace('http', 'ws')}/{page.key}/ws" in opened.text


async def _drives_the_screen(page: Page) -> None:
    address = page.address.replace("http", "ws") + "ws?width=80&height=24"
    guessed = address.replace(page.key, "guessed")
    for where, origin in ((guessed, page.origin), (address, "https://attacker.example"), (address, "null")):
        with pytest.raises(InvalidStatus, match="403"):
            await connect(where, origin=origin, proxy=None)  # type: ignore[arg-type]

    async with connect(address, origin=page.origin, proxy=None) as browser:  # type: ignore[arg-type]
        drawn = b""
        async with asyncio.timeout(30):
            while b"live" not in drawn:
                data = await browser.recv()
                drawn += data if isinstance(data, bytes) else data.encode()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")
def test_a_browser_shows_the_screen_accepts_keys_and_refuses_other_pages(page: Page, tmp_path: Path) -> None:
    with browsing(tmp_path) as tab:
        tab.do("Network.enable")
        tab.do("Emulation.setFocusEmulationEnabled", enabled=True)
        script = f"""new Promise(answer => {{
            const socket = new WebSocket("{page.address.replace("http", "ws")}ws?width=80&height=24");
            socket.onopen = () => answer("opened");
            socket.onerror = () => answer("refused");
        }})"""
        assert tab.value_of(script) == "refused", "a page of another origin was accepted"

        tab.open(page.address)
        tab.wait_for("live")
        tab.wait_for("none; n makes a new one")
        tab.press("?")  # without a click on the terminal
        tab.wait_for("The order above")
        assert tab.value_of("document.body.classList.contains('-first-byte')"), "the terminal is in sight"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")
def test_a_browser_keeps_the_key_private_and_shows_two_screens(daemon: FakeDaemon, page: Page, tmp_path: Path) -> None:
    with served(daemon) as second, another_server() as (origin, heads), browsing(tmp_path) as tab:
        tab.do("Network.enable")
        for each in (page, second, page):
            tab.open(each.address)
            tab.wait_for("live")
            tab.value_of(f"location.href = '{origin}/visited'")
            while "GET /visited " not in (head := heads.get(timeout=60)):
                assert each.key not in head
            assert not re.search("^(cookie|referer):", head, re.MULTILINE | re.IGNORECASE)
            assert each.key not in head
