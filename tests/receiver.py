"""An HTTP server that receives alerts, records them, and answers as a test configures it."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class ReceivedAlert:
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class AlertReceiver:
    """``mode``: ``answer`` answers with the status ``answer``, ``drip`` never ends its answer, ``hang`` does not
    answer."""

    def __init__(self, port: int = 0) -> None:
        self.answer = 204
        self.location = ""
        self.received: list[ReceivedAlert] = []
        self.released = threading.Event()
        self.mode = "answer"
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, alerts: int, seconds: float = 30.0) -> list[ReceivedAlert]:
        """Wait for this many alerts, repeats included. Raises AssertionError."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.received) >= alerts, seconds), self.received
            return list(self.received)

    def wait_for(self, kind: str, seconds: float = 120.0) -> ReceivedAlert:
        """Wait for the first alert of this kind. Raises AssertionError."""

        def first() -> ReceivedAlert | None:
            return next((each for each in self.received if each.json["type"] == kind), None)

        with self._news:
            assert self._news.wait_for(lambda: first() is not None, seconds), [each.json for each in self.received]
            found = first()
        assert found is not None
        return found

    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.received]

    def take(self, alert: ReceivedAlert) -> None:
        with self._news:
            self.received.append(alert)
            self._news.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.take(ReceivedAlert({name.lower(): value for name, value in self.headers.items()}, body))
                if receiver.mode == "hang":
                    receiver.released.wait()
                    return
                if receiver.mode == "drip":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nx-endless: ")
                    while not receiver.released.wait(0.05):
                        self.wfile.write(b"x")
                    return
                self.send_response(receiver.answer)
                if receiver.location:
                    self.send_header("location", receiver.location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@contextmanager
def receiving(port: int = 0) -> Iterator[AlertReceiver]:
    receiver = AlertReceiver(port)
    try:
        yield receiver
    finally:
        receiver.close()
