"""The synchronous websocket client: calls and order subscriptions, with reconnection.

It is synchronous because a command does one thing at a time and must stop on Ctrl-C. The code for subscriptions is
imported on first use, because most commands only make one call.
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
    """A connection to the daemon. It connects on the first call. Not thread-safe."""

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
            self._following.discard_unread()
        self._closing.close()

    def call(self, method: Method, params: Message, answer: type[A]) -> A:
        """Call ``method`` and return its result as ``answer``.

        Raises UnreachableError (nothing was sent), AnswerLostError (the outcome is unknown) or RefusedError.
        """
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
                    self._following.store(message)
        except TimeoutError as error:
            self.close()
            raise handshake.no_answer(method, self._endpoint.timeout) from error
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise handshake.connection_lost(handshake.reason(error), method) from error

    def receive(self, seconds: float | None) -> dict[str, Any]:
        """Return the next notification, waiting at most ``seconds``. Raises TimeoutError and AnswerLostError."""
        if self._connection is None:
            raise handshake.connection_lost("it was closed")
        try:
            return protocol.decode(self._connection.recv(seconds))
        except TimeoutError:
            raise
        except (ConnectionClosed, OSError) as error:
            raise handshake.connection_lost(handshake.reason(error)) from error

    def follow(self, order: str, seconds: float | None = None) -> "Iterator[Update]":
        """Follow one order; see ``follow_all``."""
        return self.follow_all((order,), seconds)

    def follow_all(self, orders: Iterable[str], seconds: float | None = None) -> "Iterator[Update]":
        """Yield snapshots and events of these orders, from their first event on, until all have ended.

        After a lost connection, the client reconnects with exponential backoff and resumes after the last event
        received: each event is yielded once and in order. If the daemon can no longer send the missing events of an
        order, it sends ResyncRequired and then a snapshot that replaces all earlier events.

        Raises FollowTimeoutError after ``seconds``, RefusedError (for example for an unknown order), and
        UnreachableError if the first connection cannot be opened.
        """
        return self._follower().follow_all(orders, seconds)

    def follow_active(self) -> "Iterator[Snapshot | Event | Ready | Stale | Fresh]":
        """Yield snapshots of all active orders, Ready, and then the events of all orders, over one connection.

        Calls can be made between two notifications. Raises AnswerLostError if the connection is lost, UnreachableError
        and RefusedError.
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
                self._following.reset()
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
            raise handshake.not_opened(endpoint.url, error) from error
