"""The websocket client: calls, and an order's news through disconnections.

Synchronous, because a command does one thing at a time and Ctrl-C should just work. A lost connection is opened again
with exponential backoff, and the news resume after the last event that was seen: each event comes once and in order.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from orderctl import connecting, protocol
from orderctl.errors import AnswerLostError, FollowTimeoutError, RefusedError, UnreachableError
from orderctl.settings import Settings
from orderd.wire import Event, Message, Method, Ready, Snapshot, SubscribeParams, SubscribeResult

A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone; the next try is in ``retry_in`` seconds."""

    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """Connected again; ``replayed`` events happened meanwhile and follow."""

    replayed: int


Update = Snapshot | Event | Lost | Resumed


class Client:
    """Connects at the first call. For one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: ClientConnection | None = None
        self._closing = ExitStack()
        self._ids = count(1)
        self._unread: deque[Snapshot | Event | Ready] = deque()
        self._has_been_connected = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection = None
        self._unread.clear()
        self._closing.close()

    def call(self, method: Method, params: Message, answer: type[A]) -> A:
        """Raises UnreachableError (nothing was sent), AnswerLostError (the outcome is unknown) or RefusedError."""
        connection = self._connected()
        request = next(self._ids)
        deadline = time.monotonic() + self._settings.timeout
        try:
            connection.send(protocol.encode_call(request, method, params))
            while True:
                message = protocol.decode(connection.recv(deadline - time.monotonic()))
                if message.get("id") == request:
                    return protocol.read_answer(message, answer)
                self._keep(message)
        except TimeoutError as error:
            self.close()
            raise connecting.no_answer(method, self._settings.timeout) from error
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise connecting.connection_lost(connecting.reason(error)) from error

    def follow(self, order: str, after: int = 0, seconds: float | None = None) -> Iterator[Update]:
        """The news of one order from event ``after + 1`` on, without end: the caller stops at the terminal one.

        Outlives disconnections once a connection has stood. Raises FollowTimeoutError after ``seconds``,
        RefusedError (an unknown order, for one), and UnreachableError when there never was a connection.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        failures = 0
        while True:
            try:
                for update in self._subscription(order, after, deadline):
                    if isinstance(update, Snapshot):
                        if failures:
                            yield Resumed(max(0, update.order.seq - after))
                            failures = 0
                    elif update.event.seq <= after:
                        continue
                    elif update.event.seq > after + 1:
                        raise connecting.gap(update.event.seq, after)
                    else:
                        after = update.event.seq
                    yield update
            except (UnreachableError, AnswerLostError, RefusedError) as error:
                if not self._has_been_connected or not connecting.is_passing(error):
                    raise
                self.close()
                delay = connecting.backoff(failures)
                failures += 1
                yield Lost(error.detail, delay)
                if deadline is not None and time.monotonic() + delay >= deadline:
                    raise _out_of_time(order) from error
                time.sleep(delay)

    def _subscription(self, order: str, after: int, deadline: float | None) -> Iterator[Snapshot | Event]:
        self._unread.clear()
        mine = self.call(Method.ORDERS_SUBSCRIBE, SubscribeParams(order=order, after=after), SubscribeResult)
        connection = self._connected()
        while True:
            while self._unread:
                notification = self._unread.popleft()
                if notification.subscription == mine.subscription and not isinstance(notification, Ready):
                    yield notification
            try:
                wait = None if deadline is None else deadline - time.monotonic()
                self._keep(protocol.decode(connection.recv(wait)))
            except TimeoutError as error:
                raise _out_of_time(order) from error
            except (ConnectionClosed, OSError) as error:
                raise connecting.connection_lost(connecting.reason(error)) from error

    def _keep(self, message: dict[str, object]) -> None:
        notification = protocol.read_notification(message)
        if notification is not None:
            self._unread.append(notification)

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            self._connection = self._open()
            self._has_been_connected = True
        return self._connection

    def _open(self) -> ClientConnection:
        settings = self._settings
        try:
            connection: ClientConnection = connect(settings.url, **connecting.options(settings))
            return self._closing.enter_context(connection)
        except InvalidStatus as error:
            raise connecting.refused(settings.url, error) from error
        except (OSError, WebSocketException) as error:
            raise connecting.unreachable(settings.url, connecting.reason(error)) from error


def _out_of_time(order: str) -> FollowTimeoutError:
    return FollowTimeoutError(
        "The order has not ended in the time given", f"order {order} goes on", f"follow it with: orderctl watch {order}"
    )
