"""The websocket client: calls, and orders' news through disconnections.

Synchronous, because a command does one thing at a time and Ctrl-C should just work. What
news are made of is loaded when some are followed, because most commands only make a call.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from orderd.client import handshake, protocol
from orderd.client.endpoint import Endpoint
from orderd.wire.message import Message
from orderd.wire.rpc import Method

if TYPE_CHECKING:
    from orderd.client.following import Following, Update
    from orderd.client.freshness import Fresh, Stale
    from orderd.wire.subscriptions import Event, Ready, Snapshot

A = TypeVar("A", bound=Message)


class Client:
    """Connects at the first call. For one thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: ClientConnection | None = None
        self._closing = ExitStack()
        self._ids = count(1)
        self._following: Following | None = None
        self.has_been_connected = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection = None
        if self._following is not None:
            self._following.forget()
        self._closing.close()

    def call(self, method: Method, params: Message, answer: type[A]) -> A:
        """Raises UnreachableError (nothing was sent), AnswerLostError (the outcome is unknown) or RefusedError."""
        connection = self._connected()
        request = next(self._ids)
        deadline = time.monotonic() + self._endpoint.timeout
        try:
            connection.send(protocol.encode_call(request, method, params))
            while True:
                message = protocol.decode(connection.recv(deadline - time.monotonic()))
                if message.get("id") == request:
                    return protocol.read_answer(message, answer, getattr(params, "order", None))
                if self._following is not None:
                    self._following.keep(message)
        except TimeoutError as error:
            self.close()
            raise handshake.no_answer(method, self._endpoint.timeout) from error
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise handshake.connection_lost(handshake.reason(error), method) from error

    def receive(self, seconds: float | None) -> dict[str, Any]:
        """The next message that answers no call. Raises TimeoutError and AnswerLostError."""
        if self._connection is None:
            raise handshake.connection_lost("it was closed")
        try:
            return protocol.decode(self._connection.recv(seconds))
        except TimeoutError:
            raise
        except (ConnectionClosed, OSError) as error:
            raise handshake.connection_lost(handshake.reason(error)) from error

    def follow(self, order: str, seconds: float | None = None) -> "Iterator[Update]":
        """The news of one order, as ``follow_all`` yields them."""
        return self.follow_all((order,), seconds)

    def follow_all(self, orders: Iterable[str], seconds: float | None = None) -> "Iterator[Update]":
        """The news of these orders from their first events on, until all have ended.

        A lost connection is opened again with exponential backoff, and the news resume after the last event that was
        seen: each event comes once and in order. An order whose events the daemon can no longer send from the last one
        seen begins again: ResyncRequired, and then the snapshot, which counts as everything before it.

        Raises FollowTimeoutError after ``seconds``, RefusedError (for example for an unknown order), and
        UnreachableError if there never was a connection.
        """
        return self._follower().follow_all(orders, seconds)

    def follow_active(self) -> "Iterator[Snapshot | Event | Ready | Stale | Fresh]":
        """The news of all orders over one connection: snapshots of the active ones, Ready, and then events.

        Other calls may be made between two of them. Raises AnswerLostError if the connection is lost,
        UnreachableError and RefusedError.
        """
        return self._follower().follow_active()

    def _follower(self) -> "Following":
        from orderd.client.following import Following

        if self._following is None:
            self._following = Following(self)
        return self._following

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            self._connection = self._open()
            if self._following is not None:
                self._following.begin()
            self.has_been_connected = True
        return self._connection

    def _open(self) -> ClientConnection:
        endpoint = self._endpoint
        try:
            connection: ClientConnection = connect(endpoint.url, **handshake.options(endpoint))
            return self._closing.enter_context(connection)
        except InvalidStatus as error:
            raise handshake.refused(endpoint.url, error) from error
        except (OSError, WebSocketException) as error:
            raise handshake.unreachable(endpoint.url, handshake.reason(error)) from error
