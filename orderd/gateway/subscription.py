"""One follower of an order, or of all orders of an account: what it has been told, and what it is told next."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from pydantic import BaseModel

from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL, OrderStatus
from orderd.telemetry import EVENTS_SENT
from orderd.wire import ORDER_EVENT, OrderView, Ready, Snapshot

if TYPE_CHECKING:
    from orderd.gateway.session import Peer

MAX_HELD: Final = 1_000
"""Events that may wait while a follower is still being sent its snapshots; one that is slower is closed."""

_HEAD: Final = f'{{"jsonrpc":"2.0","method":"{ORDER_EVENT}","params":'.encode()
_EVENT: Final = _HEAD + b'{"type":"EVENT","subscription":%d,"event":'
_EVER: Final = sys.maxsize


class _Place(BaseModel):
    """As much of an OrderEvent as its delivery needs; the rest is passed on unread."""

    order_id: UUID
    seq: int
    at: datetime
    status: OrderStatus


class News:
    """A stored event, encoded once for however many are told."""

    __slots__ = ("_body", "_messages", "at", "ended", "order_id", "seq")

    def __init__(self, body: bytes) -> None:
        """``body`` is the JSON of an OrderEvent. Raises pydantic's ValidationError."""
        place = _Place.model_validate_json(body)
        self.order_id = place.order_id
        self.seq = place.seq
        self.at = place.at
        self.ended = place.status in TERMINAL
        self._body = body
        self._messages: dict[int, bytes] = {}

    @classmethod
    def of(cls, event: OrderEvent) -> News:
        return cls(event.model_dump_json().encode())

    def message(self, subscription: int) -> bytes:
        """The notification for a subscription. Most are their connection's first, so most share one."""
        message = self._messages.get(subscription)
        if message is None:
            message = self._messages[subscription] = _EVENT % subscription + self._body + b"}}"
        return message


class Subscription:
    """``order_id`` is None for all orders. Events that come while ``begin`` sends what went before are held back."""

    def __init__(self, number: int, peer: Peer, account_id: UUID, order_id: UUID | None, known: Iterable[UUID]) -> None:
        self.number = number
        self.account_id = account_id
        self.order_id = order_id
        self._peer = peer
        # Orders that are known already and are in no snapshot have ended: nothing is told of them.
        self._told: dict[UUID, int] = dict.fromkeys(known, _EVER)
        self._held: deque[News] | None = deque()

    def offer(self, news: News) -> None:
        """Tell the follower, unless it knows. The events of one order are offered in order and without gaps."""
        if self._held is not None:
            self._held.append(news)
            if len(self._held) > MAX_HELD:
                self._peer.close_slow()
        elif self._is_new(news):
            EVENTS_SENT.inc()
            self._peer.push(news.message(self.number))

    async def begin(self, orders: Iterable[OrderView], history: Iterable[OrderEvent]) -> None:
        """Send snapshots, events that are asked for again, READY, and what was held; then be live.

        Raises ConnectionClosed.
        """
        count = 0
        for order in orders:
            count += 1
            self._told[order.id] = order.seq
            await self._send(Snapshot.model_construct(type="SNAPSHOT", subscription=self.number, order=order))
        for event in history:
            self._told[event.order_id] = max(event.seq, self._told[event.order_id])
            await self._peer.answer(News.of(event).message(self.number))
        await self._send(Ready(subscription=self.number, orders=count))
        assert self._held is not None
        while self._held:
            news = self._held.popleft()
            if self._is_new(news):
                await self._peer.answer(news.message(self.number))
        self._held = None

    def forget(self, order_id: UUID) -> None:
        """The order has ended long ago and will not be offered again."""
        self._told.pop(order_id, None)

    def _is_new(self, news: News) -> bool:
        if news.seq <= self._told.get(news.order_id, 0):
            return False
        self._told[news.order_id] = news.seq
        return True

    async def _send(self, notification: Snapshot | Ready) -> None:
        await self._peer.answer(_HEAD + type(notification).__pydantic_serializer__.to_json(notification) + b"}")
