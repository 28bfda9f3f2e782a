"""The websocket client: calls, and an order's news through disconnections.

Synchronous, because a command does one thing at a time and Ctrl-C should just work. A lost connection is opened again
with exponential backoff, and the news resume after the last event that was seen: each event comes once and in order.
"""

import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import count
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from websockets import CloseCode
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from orderctl import protocol
from orderctl.errors import (
    AnswerLostError,
    FollowTimeoutError,
    OrderctlError,
    RefusedError,
    UnreachableError,
    UnreadableError,
)
from orderctl.settings import Settings
from orderd.wire import Event, Message, Method, Ready, Snapshot, SubscribeParams, SubscribeResult

A = TypeVar("A", bound=Message)

MAX_ANSWER_BYTES = 16 * 2**20
KEEPALIVE_SECONDS = 10
BACKOFF_BASE_SECONDS = 0.25
BACKOFF_CAP_SECONDS = 5.0

_CLOSE_REASONS: dict[int, str] = {
    CloseCode.GOING_AWAY: "the daemon stops",
    CloseCode.SERVICE_RESTART: "the daemon restarts",
    CloseCode.TRY_AGAIN_LATER: "the daemon found this client too slow",
}


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
            raise AnswerLostError(
                "The daemon did not answer in time",
                f"no answer to {method} within {self._settings.timeout:g} s",
                "see whether the daemon is well: orderctl status",
            ) from error
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise _connection_lost(_reason(error)) from error

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
                        raise _connection_lost(f"event {update.event.seq} came right after event {after}")
                    else:
                        after = update.event.seq
                    yield update
            except (UnreachableError, AnswerLostError, RefusedError) as error:
                if not self._has_been_connected or not _is_passing(error):
                    raise
                self.close()
                delay = _backoff(failures)
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
                raise _connection_lost(_reason(error)) from error

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
            return self._closing.enter_context(
                connect(
                    settings.url,
                    additional_headers={"Authorization": f"Bearer {settings.token}"} if settings.token else None,
                    compression=None,
                    # A proxy for the way out of the house cannot reach the daemon inside it.
                    proxy=None if _is_loopback(settings.url) else True,
                    open_timeout=settings.timeout,
                    ping_interval=KEEPALIVE_SECONDS,
                    ping_timeout=KEEPALIVE_SECONDS,
                    close_timeout=1,
                    max_size=MAX_ANSWER_BYTES,
                )
            )
        except InvalidStatus as error:
            answer = error.response
            raise protocol.read_handshake_refusal(
                settings.url, answer.status_code, bytes(answer.body or b"")
            ) from error
        except (OSError, WebSocketException) as error:
            raise UnreachableError(
                "The daemon cannot be reached",
                f"{settings.url}: {_reason(error)}",
                "start it with: orderd run; or give its address with --url",
            ) from error


def _is_passing(error: OrderctlError) -> bool:
    if isinstance(error, RefusedError):
        return error.problem.retryable
    return not isinstance(error, UnreadableError)


def _backoff(failures: int) -> float:
    full = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures, 10))
    return full * random.uniform(0.5, 1.0)  # noqa: S311  (spreads reconnections; guards nothing)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    """In the trader's words, why there is no connection."""
    if isinstance(error, ConnectionClosed):
        close = error.rcvd
        if close is None:
            return "the network dropped it"
        return _CLOSE_REASONS.get(close.code) or f"the daemon closed it: {close.code} {close.reason}".rstrip()
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _connection_lost(reason: str) -> AnswerLostError:
    return AnswerLostError(
        "The connection was lost before the answer came", reason, "see whether the daemon is well: orderctl status"
    )


def _out_of_time(order: str) -> FollowTimeoutError:
    return FollowTimeoutError(
        "The order has not ended in the time given", f"order {order} goes on", f"follow it with: orderctl watch {order}"
    )
