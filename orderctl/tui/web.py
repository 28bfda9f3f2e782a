"""Serves the TUI to a browser with textual-serve, protected by a secret URL.

It listens on loopback only. Any web page in a browser, and any user of the machine, can connect to loopback, so the
page and its websocket are below a path with a random key of this run. A cookie would be unsafe: browsers send it to all
servers on this machine, because cookies do not depend on ports. The websocket also requires the Origin of this page.
"""

import logging
import os
import re
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable
from hmac import compare_digest

from aiohttp import web
from textual_serve.server import Server

from orderctl.config.settings import Settings, environment
from orderctl.output.streams import narrate

HOST = "127.0.0.1"

OWN_CONTENT_ONLY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'"
)
"""The page loads nothing from other servers, such as fonts, and no other page can embed it in a frame."""

_OUTSIDE_FONT = re.compile(r"<link[^>]*https://fonts\.googleapis\.com[^>]*>")
_HEAD = (
    "<title>orderctl</title>"
    "<link rel='icon' href=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<rect width='16' height='16' rx='3' fill='%23121212'/><path d='M5 3v10M11 5v9' stroke='%2300a6a6'/>"
    "<path d='M3 6h4v4H3zM9 7h4v5H9z' fill='%2300a6a6'/></svg>\"/>"
    "<script>new MutationObserver((_, observer) => {"
    "const keys = document.querySelector('.xterm-helper-textarea');"
    "if (keys) { keys.focus(); observer.disconnect(); }"
    "}).observe(document, {childList: true, subtree: true})</script>"
)
"""A title, an icon, and the focus for keys once the terminal is there, without a click. They replace the external font
in the page of textual-serve."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer(Server):
    """Runs one TUI process per opened page."""

    def __init__(self, settings: Settings, port: int, *, read_only: bool) -> None:
        """With ``port`` 0, a free port is used."""
        program = [sys.executable, "-c", "from orderctl.main import main; main()", "tui"]
        super().__init__(
            shlex.join([*program, *(["--read-only"] if read_only else [])]),
            host=HOST,
            port=port or _free_port(),
            title="orderctl",
        )
        self._settings = settings
        self._key = secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        return f"{self.public_url}/{self._key}/"

    def run(self) -> None:
        """Serve until Ctrl-C. The TUI processes use the same daemon as this command."""
        os.environ.update(environment(self._settings))
        self.initialize_logging()
        # ``serve`` has no hook for an open port, so the address would be printed too early.
        web.run_app(self._make_app(), host=self.host, port=self.port, print=self._show_address)

    def initialize_logging(self) -> None:
        logging.basicConfig(level=logging.WARNING)

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing here, because the port is not open yet."""

    def _show_address(self, *_: object) -> None:
        narrate(self._settings, f"open {self.address}\nkeep this address secret; Ctrl-C stops the server")

    async def _make_app(self) -> web.Application:
        site = web.Application(middlewares=[self._guard])
        site.add_subapp(f"/{self._key}", await super()._make_app())
        return site

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Host") != f"{HOST}:{self.port}":
            raise web.HTTPForbidden(text="use the numeric address")
        if not self._is_key(request.path.split("/")[1]):
            raise web.HTTPForbidden(text="open the full address that orderctl has printed")
        if request.headers.get("Origin", self.public_url) != self.public_url:
            raise web.HTTPForbidden(text="only the page itself can open this connection")
        response = await handler(request)
        if isinstance(response, web.Response) and response.content_type == "text/html" and response.text is not None:
            response.text = _OUTSIDE_FONT.sub(_HEAD, response.text)
        if not response.prepared:
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cache-Control"] = "no-store"
            response.headers["Content-Security-Policy"] = OWN_CONTENT_ONLY
        return response

    def _is_key(self, given: str) -> bool:
        return compare_digest(given.encode(), self._key.encode())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
