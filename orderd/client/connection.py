"""The websocket client: calls, and orders' news through disconnections.

Synchronous, because a command does one thing at a time and Ctrl-C should just work. A lost connection is opened again
with exponential backoff, and the news resume after the last event that was seen: each event comes once and in order.
"""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, count
from types import TracebackType
from typing import Self, TypeVar

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from orderd.client import handshake, protocol
from orderd.client.endpoint import Endpoint
from orderd.client.errors import AnswerLostError, FollowTimeoutError, RefusedError, UnreachableError
from orderd.client.freshness import Fresh, Freshness, Stale
from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL
from orderd.wire import (
    Event,
    Heartbeat,
    Message,
    Method,
    OrderView,
    Ready,
    ResyncRequired,
    Snapshot,
    SubscribeParams,
    SubscribeResult,
)

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


Connection = Lost | Resumed | Stale | Fresh | ResyncRequired
"""What is reported beside the orders themselves."""
Update = Snapshot | Event | Connection
_News = tuple[str, Snapshot | ResyncRequired | Event | Ready | Stale | Fresh]
"""News of an order, with the trader's word for it; or of the connection."""


class Client:
    """Connects at the first call. For one thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: ClientConnection | None = None
        self._closing = ExitStack()
        self._ids = count(1)
        self._unread: deque[Snapshot | ResyncRequired | Event | Ready] = deque()
        self._counted: Counter[int] = Counter()
        self._freshness = Freshness()
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
        deadline = time.monotonic() + self._endpoint.timeout
        try:
            connection.send(protocol.encode_call(request, method, params))
            while True:
                message = protocol.decode(connection.recv(deadline - time.monotonic()))
                if message.get("id") == request:
                    return protocol.read_answer(message, answer, getattr(params, "order", None))
                self._keep(message)
        except TimeoutError as error:
            self.close()
            raise handshake.no_answer(method, self._endpoint.timeout) from error
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise handshake.connection_lost(handshake.reason(error), method) from error

    def follow(self, order: str, seconds: float | None = None) -> Iterator[Update]:
        """The news of one order, as ``follow_all`` yields them."""
        return self.follow_all((order,), seconds)

    def follow_all(self, orders: Iterable[str], seconds: float | None = None) -> Iterator[Update]:
        """The news of these orders from their first events on, until all have ended.

        An order whose events the daemon can no longer send from the last one seen begins anew: ResyncRequired, and then
        the snapshot, which counts as everything before it. Survives disconnections once a connection was established.

        Raises FollowTimeoutError after ``seconds``, RefusedError (for example for an unknown order), and
        UnreachableError if there never was a connection.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        after = dict.fromkeys(orders, 0)
        standing: dict[str, int] = {}
        failures = 0
        while after:
            try:
                subscriptions, told = self._subscribe(after, deadline)
                if failures:
                    yield Resumed(_replayed(after, told))
                    failures = 0
                anew = set()
                for order, news in chain(told, self._news(subscriptions, after, deadline)):
                    if isinstance(news, ResyncRequired):
                        anew.add(order)
                    elif isinstance(news, Snapshot) and order in anew:
                        _begin_anew(after, order, news.order)
                    elif isinstance(news, Event) and not _is_next(after, order, news.event, standing.get(order, 0)):
                        continue
                    if isinstance(news, Snapshot):
                        standing[order] = news.order.seq
                    assert not isinstance(news, Ready), "it was not asked for"
                    yield news
                    if not after:
                        return
            except (UnreachableError, AnswerLostError, RefusedError) as error:
                if not self._has_been_connected or not handshake.is_passing(error):
                    raise
                self.close()
                delay = handshake.backoff(failures)
                failures += 1
                yield Lost(error.detail, delay)
                if deadline is not None and time.monotonic() + delay >= deadline:
                    raise _out_of_time(after) from error
                time.sleep(delay)

    def follow_active(self) -> Iterator[Snapshot | Event | Ready | Stale | Fresh]:
        """The news of all orders over one connection: snapshots of the active ones, Ready, and then events.

        Other calls may be made between two of them. Raises AnswerLostError where the connection is lost,
        UnreachableError and RefusedError.
        """
        self._unread.clear()
        result = self.call(Method.ORDERS_SUBSCRIBE, SubscribeParams(), SubscribeResult)
        self._freshness.expect(result.heartbeat_seconds)
        for _, news in self._news({result.subscription: ""}, (), None, with_ready=True):
            if not isinstance(news, ResyncRequired):
                yield news

    def _subscribe(self, after: Mapping[str, int], deadline: float | None) -> tuple[dict[int, str], list[_News]]:
        """A subscription for each order, and the news that came before the snapshot of each."""
        self._unread.clear()
        subscriptions = {}
        for order, seq in after.items():
            params = SubscribeParams(order=order, after=seq)
            result = self.call(Method.ORDERS_SUBSCRIBE, params, SubscribeResult)
            subscriptions[result.subscription] = order
            self._freshness.expect(result.heartbeat_seconds)
        told: list[_News] = []
        missing = len(subscriptions)
        news = self._news(subscriptions, after, deadline)
        while missing:
            told.append(next(news))
            missing -= isinstance(told[-1][1], Snapshot)
        return subscriptions, told

    def _news(
        self,
        subscriptions: Mapping[int, str],
        waited_for: Iterable[str],
        deadline: float | None,
        *,
        with_ready: bool = False,
    ) -> Iterator[_News]:
        connection = self._connected()
        while True:
            while self._unread:
                news = self._unread.popleft()
                if news.subscription in subscriptions and (with_ready or not isinstance(news, Ready)):
                    yield subscriptions[news.subscription], news
            if (change := self._freshness.change()) is not None:
                yield "", change
            waits = [self._freshness.seconds_left, None if deadline is None else deadline - time.monotonic()]
            wait = min((seconds for seconds in waits if seconds is not None), default=None)
            try:
                self._keep(protocol.decode(connection.recv(wait)))
            except TimeoutError as error:
                if deadline is not None and time.monotonic() >= deadline:
                    raise _out_of_time(waited_for) from error
            except (ConnectionClosed, OSError) as error:
                raise handshake.connection_lost(handshake.reason(error)) from error

    def _keep(self, message: dict[str, object]) -> None:
        """Raises AnswerLostError where the daemon has sent more than came."""
        news = protocol.read_notification(message)
        if isinstance(news, Heartbeat):
            handshake.check_count(news, self._counted)
            self._freshness.hear(news)
            return
        self._freshness.hear(None)
        if isinstance(news, Event):
            self._counted[news.subscription] += 1
        if isinstance(news, Snapshot | ResyncRequired | Event | Ready):
            self._unread.append(news)

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            self._connection = self._open()
            self._counted, self._freshness = Counter(), Freshness()
            self._has_been_connected = True
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


def _is_next(after: dict[str, int], order: str, event: OrderEvent, standing: int) -> bool:
    """Whether an event is new; a new one is noted. Raises AnswerLostError if one before it is missing.

    A final event that comes once more, with events up to ``standing`` behind it, is not final: its block was rolled
    back.
    """
    seen = after.get(order)
    if seen is None or event.seq <= seen:
        return False
    if event.seq > seen + 1:
        raise handshake.gap(event.seq, seen)
    after[order] = event.seq
    if event.status in TERMINAL and event.seq >= standing:
        del after[order]
    return True


def _begin_anew(after: dict[str, int], order: str, standing: OrderView) -> None:
    if standing.status in TERMINAL:
        del after[order]
    else:
        after[order] = standing.seq


def _replayed(after: Mapping[str, int], told: Sequence[_News]) -> int:
    """How many events happened while there was no connection."""
    anew = {order for order, news in told if isinstance(news, ResyncRequired)}
    return sum(
        news.order.seq - after[order] for order, news in told if isinstance(news, Snapshot) and order not in anew
    )


def _out_of_time(orders: Iterable[str]) -> FollowTimeoutError:
    names = list(orders)
    if len(names) > 1:
        return FollowTimeoutError(
            "The orders have not ended in the time given",
            f"{len(names)} orders go on",
            "follow them with: orderctl watch --all",
        )
    return FollowTimeoutError(
        "The order has not ended in the time given",
        f"order {names[0]} goes on",
        f"follow it with: orderctl watch {names[0]}",
    )
