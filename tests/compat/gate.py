"""A proxy of the chain that holds or refuses chosen calls, to stop a worker at the moment that is recorded."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen


class Gate:
    """Calls in ``held`` are never answered, the connection of those in ``refused`` is closed; others are forwarded."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.held: frozenset[str] = frozenset()
        self.refused: frozenset[str] = frozenset()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # workers that were killed
            super().handle_error(request, client_address)


@contextmanager
def gate_to(chain_url: str) -> Iterator[Gate]:
    """A proxy of ``chain_url`` that forwards everything at first."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(body)
            methods = {call["method"] for call in (asked if isinstance(asked, list) else [asked])}
            if methods & gate.held:
                over.wait()
            if over.is_set() or methods & gate.refused:
                self.close_connection = True
                return
            with urlopen(Request(chain_url, body, {"Content-Type": "application/json"})) as answer:
                content = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        gate = Gate(server.server_port)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield gate
        finally:
            over.set()
            server.shutdown()
            serving.join()
