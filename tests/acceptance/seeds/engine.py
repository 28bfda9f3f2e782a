"""A daemon, as clients of older order engines know it."""

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
    """``http`` and ``websocket`` are where it is reached; ``services`` the settings of others that share its own."""

    http: httpx.Client
    websocket: str
    daemon: Daemon
    services: Mapping[str, str]

    def post(self, path: str, body: str, **headers: str) -> httpx.Response:
        """Send a body as it is written."""
        return self.http.post(path, content=body, headers={"Content-Type": "application/json"} | headers)

    def listen(self, path: str) -> ClientConnection:
        return connect(self.websocket + path, open_timeout=SECONDS)

    def story(self, path: str) -> list[Frame]:
        """All frames until the daemon closes the stream, as it does when it has told all."""
        with self.listen(path) as websocket:
            frames = [json.loads(message) for message in websocket]
            assert websocket.protocol.close_code == 1000
        return frames

    @contextmanager
    def worker_held(self) -> Iterator[None]:
        """Meanwhile orders wait: whoever listens comes before they have ended."""
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
    """Whether ``sent`` has the members that are documented and no others, at any depth, with values of their types."""
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
