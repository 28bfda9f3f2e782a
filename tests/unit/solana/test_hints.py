"""Hints of landed transactions and changed accounts: fast, on any live connection, and never required."""

import json
import threading
from collections.abc import Callable, Iterator
from queue import Queue

import pytest
from solders.pubkey import Pubkey
from websockets.sync.server import Server, ServerConnection, serve

from orderd.solana import hints
from orderd.solana.hints import AccountHints, LandingHints
from orderd.solana.rpc_types import AccountsLike, Memcmp

A, B, C = (Pubkey.from_bytes(bytes([number] * 32)) for number in (1, 2, 3))


class Node:
    """A node's websocket server; gives access to its connections and received messages."""

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


class Listening(LandingHints):
    """Reports when it has an open connection."""

    def __init__(self, url: str, on_hint: Callable[[str], None]) -> None:
        super().__init__(url, on_hint)
        self.opened: Queue[None] = Queue()

    def _opened(self) -> None:
        super()._opened()
        self.opened.put(None)


def landed(subscription: int) -> str:
    result = {"context": {"slot": 1}, "value": {"err": None}}
    params = {"subscription": subscription, "result": result}
    return json.dumps({"jsonrpc": "2.0", "method": "signatureNotification", "params": params})


def watched(node: Node, listening: Listening, connection: ServerConnection, signature: str, subscription: int) -> None:
    """Watch a transaction over a connection, and let the node assign the subscription's number."""
    listening.watch(signature)
    asked = json.loads(node.said.get(timeout=10))
    assert (asked["method"], asked["params"]) == ("signatureSubscribe", [signature, {"commitment": "confirmed"}])
    connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": subscription}))


@pytest.fixture
def hinted() -> Queue[str]:
    return Queue()


@pytest.fixture
def listening(node: Node, hinted: Queue[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    monkeypatch.setattr(hints, "_BACKOFF_SECONDS", 0.01)
    listening = Listening(node.url, hinted.put)
    listening.start()
    yield listening
    listening.stop(10)


def test_each_watched_transaction_is_reported(node: Node, listening: Listening, hinted: Queue[str]) -> None:
    connection = node.connections.get(timeout=10)
    listening.opened.get(timeout=10)
    watched(node, listening, connection, "first", 7)
    watched(node, listening, connection, "second", 8)
    for subscription in (9, 8, 7, 7):  # subscriptions that are not or no longer watched give no hint
        connection.send(landed(subscription))
    connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "result": 7}))  # an answer is not a hint
    assert [hinted.get(timeout=10), hinted.get(timeout=10)] == ["second", "first"]
    watched(node, listening, connection, "third", 9)
    connection.send(landed(9))
    assert hinted.get(timeout=10) == "third"


def test_a_lost_connection_is_reopened(node: Node, listening: Listening, hinted: Queue[str]) -> None:
    connection = node.connections.get(timeout=10)
    listening.opened.get(timeout=10)
    watched(node, listening, connection, "on the one that is lost", 7)
    connection.close()
    connection = node.connections.get(timeout=10)
    listening.opened.get(timeout=10)
    watched(node, listening, connection, "on the new one", 8)
    for subscription in (7, 8):
        connection.send(landed(subscription))
    assert hinted.get(timeout=10) == "on the new one"


@pytest.fixture
def accounts(node: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountHints]:
    monkeypatch.setattr(hints, "_BACKOFF_SECONDS", 0.01)
    accounts = AccountHints(node.url)
    yield accounts
    accounts.stop(10)


def subscribed(node: Node, connection: ServerConnection, subscription: int) -> str:
    """Answer the next subscription; returns its account."""
    asked = json.loads(node.said.get(timeout=10))
    assert asked["method"] == "accountSubscribe"
    assert asked["params"][1]["dataSlice"]["length"] == 0, "the subscription must not request account data"
    connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": subscription}))
    return str(asked["params"][0])


def changed(subscription: int) -> str:
    params = {"subscription": subscription, "result": {"context": {"slot": 1}, "value": {}}}
    return json.dumps({"jsonrpc": "2.0", "method": "accountNotification", "params": params})


def test_a_watcher_gets_only_changes_of_its_account(node: Node, accounts: AccountHints) -> None:
    notified: Queue[str] = Queue()
    accounts.watch(A, lambda: notified.put("a"))
    accounts.start()
    connection = node.connections.get(timeout=10)
    assert subscribed(node, connection, 70) == str(A)
    accounts.watch(B, lambda: notified.put("b"))
    assert subscribed(node, connection, 71) == str(B)
    for subscription in (71, 99, 70):
        connection.send(changed(subscription))
    assert [notified.get(timeout=10), notified.get(timeout=10)] == ["b", "a"]
    assert notified.empty()


def test_accounts_are_subscribed_again_on_a_new_connection(node: Node, accounts: AccountHints) -> None:
    notified: Queue[str] = Queue()
    accounts.watch(A, lambda: notified.put("first"))
    accounts.watch(A, lambda: notified.put("latest"))
    accounts.start()
    first = node.connections.get(timeout=10)
    assert subscribed(node, first, 7) == str(A)
    first.close()
    second = node.connections.get(timeout=10)
    assert subscribed(node, second, 8) == str(A)
    second.send(changed(7))  # a number of the previous connection
    second.send(changed(8))
    assert notified.get(timeout=10) == "latest"
    assert notified.empty()


def test_a_second_connection_is_opened_when_the_first_is_full_and_no_third(
    node: Node, accounts: AccountHints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_MAX_ACCOUNTS", 1)
    monkeypatch.setattr(hints, "_MAX_CONNECTIONS", 2)
    notified: Queue[str] = Queue()
    accounts.start()
    accounts.watch(A, lambda: notified.put("a"))
    first = node.connections.get(timeout=10)
    assert subscribed(node, first, 7) == str(A)
    accounts.watch(B, lambda: notified.put("b"))
    second = node.connections.get(timeout=10)
    assert subscribed(node, second, 7) == str(B), "subscription numbers are per connection"
    accounts.watch(C, lambda: notified.put("c"))
    accounts.watch(B, lambda: notified.put("b again"))
    second.send(changed(7))
    assert notified.get(timeout=10) == "b again"
    first.send(changed(7))
    assert notified.get(timeout=10) == "a"
    accounts.stop(10)
    assert node.connections.empty()
    assert node.said.empty()


def test_an_invalid_message_only_closes_its_connection(node: Node, accounts: AccountHints) -> None:
    accounts.start()
    node.connections.get(timeout=10).send("not JSON")
    assert node.connections.get(timeout=10) is not None


def test_an_exception_in_a_watcher_does_not_end_later_hints(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ArithmeticError("unforeseen")

    monkeypatch.setattr(hints, "_BACKOFF_SECONDS", 0.01)
    listening = Listening(node.url, fail)
    listening.start()
    connection = node.connections.get(timeout=10)
    listening.opened.get(timeout=10)
    watched(node, listening, connection, "signature", 7)
    connection.send(landed(7))
    assert node.connections.get(timeout=10) is not None
    listening.stop(10)


def test_without_a_node_nothing_happens() -> None:
    nobody = LandingHints("ws://127.0.0.1:1", lambda _: None)
    nobody.start()
    nobody.watch("signature")
    nobody.stop(10)


def test_new_accounts_are_reported_by_address(node: Node, accounts: AccountHints) -> None:
    notified: Queue[str] = Queue()
    hinted: Queue[None] = Queue()
    accounts.on_hint = lambda: hinted.put(None)

    def appeared(address: str) -> None:
        notified.put(address)
        if address == str(B):
            raise OSError("error of the watcher")

    accounts.watch_for(AccountsLike(A, 637, (Memcmp(168, B), Memcmp(200, C))), appeared)
    accounts.start()
    connection = node.connections.get(timeout=10)
    asked = json.loads(node.said.get(timeout=10))
    assert (asked["method"], asked["params"][0]) == ("programSubscribe", str(A))
    assert asked["params"][1]["filters"] == [
        {"dataSize": 637},
        {"memcmp": {"offset": 168, "bytes": str(B)}},
        {"memcmp": {"offset": 200, "bytes": str(C)}},
    ]
    connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": 5}))
    for made in (B, C):
        params = {"subscription": 5, "result": {"context": {"slot": 1}, "value": {"pubkey": str(made), "account": {}}}}
        connection.send(json.dumps({"jsonrpc": "2.0", "method": "programNotification", "params": params}))
    assert {notified.get(timeout=10), notified.get(timeout=10)} == {str(B), str(C)}
    hinted.get(timeout=10)
    assert hinted.empty(), "a failed subscription gave a hint"
