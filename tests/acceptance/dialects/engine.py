"""A client of the daemon that uses the HTTP and WebSocket interfaces of older order engines (the dialects)."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from orderd.process.temporary import Daemon

Frame = dict[str, Any]
SECONDS = 20


@dataclass(frozen=True)
class Engine:
    """``http`` and ``websocket`` reach the daemon; ``services`` are settings for another process over its Postgres
    and Redis."""

    http: httpx.Client
    websocket: str
    daemon: Daemon
    services: Mapping[str, str]

    def post(self, path: str, body: str, **headers: str) -> httpx.Response:
        """Send the body exactly as it is written."""
        return self.http.post(path, content=body, headers={"Content-Type": "application/json"} | headers)

    def listen(self, path: str) -> ClientConnection:
        return connect(self.websocket + path, open_timeout=SECONDS)

    def frames_of(self, path: str) -> list[Frame]:
        """All frames until the daemon closes the stream, which it does after the last event of the order."""
        with self.listen(path) as websocket:
            frames = [json.loads(message) for message in websocket]
            assert websocket.protocol.close_code == 1000
        return frames

    @contextmanager
    def worker_stopped(self) -> Iterator[None]:
        """The worker process is stopped meanwhile, so that orders wait until the client has connected to their
        stream."""
        pid = int((self.daemon.log.parent / "worker.lock").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stored(self, order_id: str) -> Frame:
        order: Frame = self.http.get(f"/api/orders/{order_id}").json()["order"]
        return order


def statuses(frames: list[Frame]) -> list[str]:
    return [frame["status"] for frame in frames]


def is_moment(text: str) -> bool:
    return datetime.fromisoformat(text).utcoffset() is not None


def is_like(documented: object, sent: object) -> bool:
    """Whether ``sent`` has exactly the documented members at any depth, with values of the same types."""
    if isinstance(documented, dict):
        return (
            isinstance(sent, dict)
            and documented.keys() == sent.keys()
            and all(is_like(value, sent[name]) for name, value in documented.items())
        )
    if isinstance(documented, list):
        return isinstance(sent, list) and all(is_like(documented[0], each) for each in sent)
    if isinstance(documented, int | float):
        return isinstance(sent, int | float)
    return type(sent) is type(documented)
