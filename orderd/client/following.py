"""Implements ``Client.follow_all`` and ``Client.follow_active``: subscriptions that survive reconnections."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, TypeVar

from orderd.client import handshake
from orderd.client.errors import AnswerLostError, FollowTimeoutError, RefusedError, UnreachableError
from orderd.client.freshness import Fresh, Freshness, Stale, check_count
from orderd.client.notifications import read_notification
from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL
from orderd.wire.message import Message
from orderd.wire.orders import OrderView
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import (
    Event,
    Heartbeat,
    Ready,
    ResyncRequired,
    Snapshot,
    SubscribeParams,
    SubscribeResult,
)

A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection was lost; the client reconnects in ``retry_in`` seconds."""

    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The client has reconnected; the ``replayed`` events that it missed follow."""

    replayed: int


Connection = Lost | Resumed | Stale | Fresh | ResyncRequired
"""Changes of the connection, which are reported along with snapshots and events."""
Update = Snapshot | Event | Connection
_News = tuple[str, Snapshot | ResyncRequired | Event | Ready | Stale | Fresh]
"""The reference of an order, as the trader gave it, and a notification; without an order the reference is empty."""


class SubscribingClient(Protocol):
    """What subscriptions need of a client; ``Client`` implements it."""

    has_been_connected: bool

    def call(self, method: Method, params: Message, answer: type[A]) -> A: ...

    def receive(self, seconds: float | None) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Following:
    """The subscriptions of a client, and the notifications received but not yet yielded."""

    def __init__(self, client: SubscribingClient) -> None:
        self._client = client
        self._unread: deque[Snapshot | ResyncRequired | Event | Ready] = deque()
        self.reset()

    def reset(self) -> None:
        """Reset the counters for a new connection."""
        self._counted: Counter[int] = Counter()
        self._freshness = Freshness()

    def discard_unread(self) -> None:
        """Discard the unread notifications of a closed connection."""
        self._unread.clear()

    def follow_all(self, orders: Iterable[str], seconds: float | None = None) -> Iterator[Update]:
        deadline = None if seconds is None else time.monotonic() + seconds
        after = dict.fromkeys(orders, 0)
        snapshot_seq: dict[str, int] = {}
        failures = 0
        while after:
            try:
                subscriptions, first = self._subscribe(after, deadline)
                if failures:
                    yield Resumed(_replayed(after, first))
                    failures = 0
                resynced = set()
                for order, news in chain(first, self._news(subscriptions, after, deadline)):
                    if isinstance(news, ResyncRequired):
                        resynced.add(order)
                    elif isinstance(news, Snapshot) and order in resynced:
                        _restart_from(after, order, news.order)
                    elif isinstance(news, Event) and not _is_next(after, order, news.event, snapshot_seq.get(order, 0)):
                        continue
                    if isinstance(news, Snapshot):
                        snapshot_seq[order] = news.order.seq
                    assert not isinstance(news, Ready), "filtered out by _news"
                    yield news
                    if not after:
                        return
            except (UnreachableError, AnswerLostError, RefusedError) as error:
                if not self._client.has_been_connected or not handshake.is_retryable(error):
                    raise
                self._client.close()
                delay = handshake.backoff(failures)
                failures += 1
                yield Lost(error.detail, delay)
                if deadline is not None and time.monotonic() + delay >= deadline:
                    raise _follow_timeout(after) from error
                time.sleep(delay)

    def follow_active(self) -> Iterator[Snapshot | Event | Ready | Stale | Fresh]:
        self._unread.clear()
        result = self._client.call(Method.ORDERS_SUBSCRIBE, SubscribeParams(), SubscribeResult)
        self._freshness.expect(result.heartbeat_seconds)
        for _, news in self._news({result.subscription: ""}, (), None, with_ready=True):
            if not isinstance(news, ResyncRequired):
                yield news

    def _subscribe(self, after: Mapping[str, int], deadline: float | None) -> tuple[dict[int, str], list[_News]]:
        """Subscribe to each order. Returns the orders by subscription, and all notifications up to the last
        snapshot."""
        self._unread.clear()
        subscriptions = {}
        for order, seq in after.items():
            params = SubscribeParams(order=order, after=seq)
            result = self._client.call(Method.ORDERS_SUBSCRIBE, params, SubscribeResult)
            subscriptions[result.subscription] = order
            self._freshness.expect(result.heartbeat_seconds)
        first: list[_News] = []
        missing = len(subscriptions)
        news = self._news(subscriptions, after, deadline)
        while missing:
            first.append(next(news))
            missing -= isinstance(first[-1][1], Snapshot)
        return subscriptions, first

    def _news(
        self,
        subscriptions: Mapping[int, str],
        waited_for: Iterable[str],
        deadline: float | None,
        *,
        with_ready: bool = False,
    ) -> Iterator[_News]:
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
                self.store(self._client.receive(wait))
            except TimeoutError as error:
                if deadline is not None and time.monotonic() >= deadline:
                    raise _follow_timeout(waited_for) from error

    def store(self, message: dict[str, Any]) -> None:
        """Store a notification. Raises AnswerLostError if an event is missing."""
        news = read_notification(message)
        if isinstance(news, Heartbeat):
            check_count(news, self._counted)
            self._freshness.record(news)
            return
        self._freshness.record(None)
        if isinstance(news, Event):
            self._counted[news.subscription] += 1
        if isinstance(news, Snapshot | ResyncRequired | Event | Ready):
            self._unread.append(news)


def _is_next(after: dict[str, int], order: str, event: OrderEvent, snapshot_seq: int) -> bool:
    """Whether an event is new; if so, update ``after``. Raises AnswerLostError if an earlier event is missing.

    A terminal event with a seq below ``snapshot_seq`` does not end the order: its block was rolled back afterwards.
    """
    last_seq = after.get(order)
    if last_seq is None or event.seq <= last_seq:
        return False
    if event.seq > last_seq + 1:
        raise handshake.gap(event.seq, last_seq)
    after[order] = event.seq
    if event.status in TERMINAL and event.seq >= snapshot_seq:
        del after[order]
    return True


def _restart_from(after: dict[str, int], order: str, order_view: OrderView) -> None:
    if order_view.status in TERMINAL:
        del after[order]
    else:
        after[order] = order_view.seq


def _replayed(after: Mapping[str, int], first: Sequence[_News]) -> int:
    """How many events happened during the disconnection."""
    resynced = {order for order, news in first if isinstance(news, ResyncRequired)}
    return sum(
        news.order.seq - after[order] for order, news in first if isinstance(news, Snapshot) and order not in resynced
    )


def _follow_timeout(orders: Iterable[str]) -> FollowTimeoutError:
    names = list(orders)
    if len(names) > 1:
        return FollowTimeoutError(
            "The orders have not ended in the time given",
            f"{len(names)} orders are still active",
            "follow them with: orderctl watch --all",
        )
    return FollowTimeoutError(
        "The order has not ended in the time given",
        f"order {names[0]} is still active",
        f"follow it with: orderctl watch {names[0]}",
    )
