"""One follower of orders: what it has been told, and what it is told next."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from pydantic import BaseModel

from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL, OrderStatus
from orderd.telemetry import EVENTS_SENT
from orderd.wire import ORDER_EVENT, Event, OrderView, Position, Ready, ResyncRequired, Snapshot

if TYPE_CHECKING:
    from orderd.gateway.streaming.history import Standing
    from orderd.gateway.streaming.peer import Peer
    from orderd.gateway.streaming.selection import Selection

MAX_HELD_BYTES: Final = 8 * 2**20
"""Events that may wait while a follower is still being sent its snapshots; one that is slower is closed.

They are encoded once for all followers, so that however many hold them back, they take this much together.
"""

_HEAD: Final = f'{{"jsonrpc":"2.0","method":"{ORDER_EVENT}","params":'.encode()
_EVENT: Final = _HEAD + b'{"type":"EVENT","subscription":%d,"event":'
_EVER: Final = sys.maxsize
_AT_ONCE: Final = 64
"""Snapshots after which others have their turn."""


class _Place(BaseModel):
    """As much of an OrderEvent as its delivery needs; the rest is passed on unread."""

    order_id: UUID
    seq: int
    at: datetime
    status: OrderStatus


class News:
    """A stored event, encoded once for however many are told."""

    __slots__ = ("_event", "_frames", "at", "body", "ended", "order_id", "seq")

    def __init__(self, body: bytes) -> None:
        """``body`` is the JSON of an OrderEvent. Raises pydantic's ValidationError."""
        place = _Place.model_validate_json(body)
        self.order_id = place.order_id
        self.seq = place.seq
        self.at = place.at
        self.ended = place.status in TERMINAL
        self.body = body
        self._event: OrderEvent | None = None
        self._frames: dict[object, tuple[bytes, ...]] = {}

    @classmethod
    def of(cls, event: OrderEvent) -> News:
        news = cls(event.model_dump_json().encode())
        news._event = event
        return news

    @property
    def event(self) -> OrderEvent:
        """All of it, for those whom the body as it is does not serve."""
        if self._event is None:
            self._event = OrderEvent.model_validate_json(self.body)
        return self._event

    def frames(self, form: object, encode: Callable[[], tuple[bytes, ...]]) -> tuple[bytes, ...]:
        """What ``encode`` makes of it, made once for all who are told in the same ``form``."""
        found = self._frames.get(form)
        if found is None:
            found = self._frames[form] = encode()
        return found


class Manner(Protocol):
    """How a follower is told. Each method returns the messages to send, of which there may be none."""

    def snapshot(self, order: OrderView) -> tuple[bytes, ...]: ...

    def event(self, news: News) -> tuple[bytes, ...]: ...

    def resync(self, standing: Standing) -> tuple[bytes, ...]:
        """The events after ``standing.after`` cannot be sent again; the snapshot comes next."""

    def ready(self, orders: int) -> tuple[bytes, ...]: ...


class Notifications:
    """The manner of ``orders.subscribe``: notifications of JSON-RPC with the subscription's number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def snapshot(self, order: OrderView) -> tuple[bytes, ...]:
        return _notification(Snapshot.model_construct(type="SNAPSHOT", subscription=self._number, order=order))

    def event(self, news: News) -> tuple[bytes, ...]:
        # Most subscriptions are their connection's first, so most share one encoding.
        return news.frames(self._number, lambda: (_EVENT % self._number + news.body + b"}}",))

    def resync(self, standing: Standing) -> tuple[bytes, ...]:
        assert standing.after is not None
        assert standing.lapse is not None
        order = standing.order
        return _notification(
            ResyncRequired(
                subscription=self._number,
                order_id=order.id,
                after=standing.after,
                seq=order.seq,
                reason=standing.lapse,
            )
        )

    def ready(self, orders: int) -> tuple[bytes, ...]:
        return _notification(Ready(subscription=self._number, orders=orders))


class Subscription:
    """Events that come while ``begin`` sends what went before are held back.

    ``known`` are orders that had not ended when the follower came. Those of them of which it is sent no snapshot have
    ended meanwhile: it has not seen their beginning, and is not told of their end.
    """

    __slots__ = ("_events", "_held", "_held_bytes", "_last", "_manner", "_peer", "_told", "number", "selection")

    def __init__(self, number: int, peer: Peer, selection: Selection, manner: Manner, known: Iterable[UUID]) -> None:
        self.number = number
        self.selection = selection
        self._peer = peer
        self._manner = manner
        # How far the follower has been told of an order of which the news have not come as far yet.
        self._told = dict.fromkeys(known, _EVER)
        self._held: deque[News] | None = deque()
        self._held_bytes = 0
        self._events = 0
        self._last: tuple[UUID, int] | None = None

    def offer(self, news: News) -> None:
        """Tell the follower, unless it knows. The events of one order are offered once each, in order, without gaps."""
        if self._held is not None:
            self._held.append(news)
            self._held_bytes += len(news.body)
            if self._held_bytes > MAX_HELD_BYTES:
                self._peer.close_slow()
        elif self._is_new(news):
            for message in self._tell(news):
                self._peer.push(message)

    async def begin(self, standings: Iterable[Standing]) -> None:
        """Send snapshots, events that are asked for again, READY, and what was held; then be live.

        Raises ConnectionClosed.
        """
        count = 0
        for standing in standings:
            count += 1
            if count % _AT_ONCE == 0:
                await asyncio.sleep(0)
            order = standing.order
            lapsed = standing.lapse is not None
            if lapsed:
                await self._answer(self._manner.resync(standing))
            self._told[order.id] = order.seq
            self._last = (order.id, order.seq)
            await self._answer(self._manner.snapshot(order))
            for event in () if lapsed else standing.again:
                self._told[order.id] = max(event.seq, order.seq)
                await self._answer(self._tell(News.of(event)))
        await self._answer(self._manner.ready(count))
        assert self._held is not None
        while self._held:
            news = self._held.popleft()
            self._held_bytes -= len(news.body)
            if self._is_new(news):
                await self._answer(self._tell(news))
        self._held = None

    @property
    def position(self) -> Position | None:
        """How far it has been told; None while it is not live."""
        if self._held is not None:
            return None
        order_id, seq = self._last or (None, None)
        return Position.model_construct(subscription=self.number, events=self._events, order_id=order_id, seq=seq)

    def _tell(self, news: News) -> tuple[bytes, ...]:
        EVENTS_SENT.inc()
        self._events += 1
        self._last = (news.order_id, news.seq)
        return self._manner.event(news)

    async def _answer(self, messages: tuple[bytes, ...]) -> None:
        for message in messages:
            await self._peer.answer(message)

    def _is_new(self, news: News) -> bool:
        told = self._told.get(news.order_id, 0)
        is_new = news.seq > told
        if told and (is_new or news.ended):
            del self._told[news.order_id]  # from here on, what is offered is new
        return is_new


def _notification(body: Snapshot | ResyncRequired | Event | Ready) -> tuple[bytes, ...]:
    return (_HEAD + type(body).__pydantic_serializer__.to_json(body) + b"}",)
