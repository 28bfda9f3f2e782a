"""A proxy in front of the local chain that changes single answers, as a faulty load balancer or a dishonest endpoint
does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson

Lie = Callable[[str, list[Any], Any], Any]
"""Changes the result of a call, given its method and parameters."""


class Liar:
    """Passes everything on. ``lie`` changes each result."""

    def __init__(self, node_url: str) -> None:
        self.url = ""
        self.lie: Lie = lambda _method, _params, result: result
        self._node = httpx.Client(base_url=node_url, timeout=20, trust_env=False, verify=False)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        reply = self._node.post("/", content=body, headers={"Content-Type": "application/json"})
        if reply.status_code != 200:
            return reply.status_code, reply.content
        calls, answers = orjson.loads(body), orjson.loads(reply.content)
        for call, answer in zip(calls, answers, strict=True) if isinstance(calls, list) else [(calls, answers)]:
            if "result" in answer:
                answer["result"] = self.lie(call["method"], call.get("params", []), answer["result"])
        return 200, orjson.dumps(answers)

    def close(self) -> None:
        self._node.close()


@contextmanager
def lying_about(node_url: str) -> Iterator[Liar]:
    """A proxy in front of the node, at its ``url``."""
    liar = Liar(node_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, body = liar.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        liar.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield liar
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
        liar.close()
