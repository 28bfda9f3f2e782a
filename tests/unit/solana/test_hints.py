"""Hints of landed transactions: told soon, from whichever connection is up, and never needed."""

import json
import threading
from collections.abc import Iterator
from queue import Queue

import pytest
from websockets.sync.server import Server, ServerConnection, serve

from orderd.solana import hints
from orderd.solana.hints import LandingHints

NOTIFICATION = json.dumps({"jsonrpc": "2.0", "method": "signatureNotification", "params": {}})


class Node:
    """A node's websocket: hands out its connections and what they said."""

    def __init__(self) -> None:
        self.connections: Queue[ServerConnection] = Queue()
        self.said: Queue[str] = Queue()
        self.server: Server = serve(self._handle, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def _handle(self, connection: ServerConnection) -> None:
        self.connections.put(connection)
        for message in connection:
            self.said.put(str(message))

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node()
    yield node
    while not node.connections.empty():
        node.connections.get().close()
    node.close()


@pytest.fixture
def hinted() -> Queue[None]:
    return Queue()


@pytest.fixture
def listening(node: Node, hinted: Queue[None], monkeypatch: pytest.MonkeyPatch) -> Iterator[LandingHints]:
    monkeypatch.setattr(hints, "_BACKOFF_SECONDS", 0.01)
    listening = LandingHints(node.url, lambda: hinted.put(None))
    listening.start()
    yield listening
    listening.stop(10)


def test_a_watched_transaction_is_told_of(node: Node, listening: LandingHints, hinted: Queue[None]) -> None:
    connection = node.connections.get(timeout=10)
    connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "result": 7}))  # an answer is no hint
    connection.send(NOTIFICATION)
    hinted.get(timeout=10)
    assert hinted.empty()
    listening.watch("signature")
    asked = json.loads(node.said.get(timeout=10))
    assert (asked["method"], asked["params"]) == ("signatureSubscribe", ["signature", {"commitment": "confirmed"}])


def test_a_lost_connection_is_opened_again(node: Node, listening: LandingHints, hinted: Queue[None]) -> None:
    node.connections.get(timeout=10).close()
    node.connections.get(timeout=10).send(NOTIFICATION)
    hinted.get(timeout=10)


def test_without_a_node_nothing_happens() -> None:
    nobody = LandingHints("ws://127.0.0.1:1", lambda: None)
    nobody.start()
    nobody.watch("signature")
    nobody.stop(10)
