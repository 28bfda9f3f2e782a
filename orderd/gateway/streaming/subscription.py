"""One subscription to orders: the events that it has received, and the next ones."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from pydantic import BaseModel

from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL, OrderStatus
from orderd.metrics.port import EVENTS_SENT
from orderd.wire.orders import OrderView
from orderd.wire.rpc import ORDER_EVENT
from orderd.wire.subscriptions import Position, Ready, ResyncRequired

if TYPE_CHECKING:
    from orderd.gateway.streaming.history import OrderSnapshot
    from orderd.gateway.streaming.peer import Peer
    from orderd.gateway.streaming.selection import Selection
    from orderd.gateway.streaming.snapshots import Page

MAX_HELD_BYTES: Final = 8 * 2**20
"""Events that may wait while a follower is still being sent its snapshots; one that is slower is closed.

They are encoded once for all followers, so that however many hold them back, they take this much together.
"""

_HEAD: Final = f'{{"jsonrpc":"2.0","method":"{ORDER_EVENT}","params":'.encode()
_EVENT: Final = _HEAD + b'{"type":"EVENT","subscription":%d,"event":'
_SNAPSHOT: Final = _HEAD + b'{"type":"SNAPSHOT","subscription":%d,"order":'
_EVER: Final = sys.maxsize
_AT_ONCE: Final = 64
"""Number of snapshots after which other tasks run."""


Encode = Callable[[], tuple[bytes, ...]]


class _Place(BaseModel):
    """The fields of an OrderEvent that its delivery needs; the rest is not parsed."""

    order_id: UUID
    seq: int
    at: datetime
    status: OrderStatus


class StreamEvent:
    """A stored event, encoded once for all that get it."""

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
    def of(cls, event: OrderEvent) -> StreamEvent:
        streamed = cls(event.model_dump_json().encode())
        streamed._event = event
        return streamed

    @property
    def event(self) -> OrderEvent:
        """The whole event, for encoders that cannot use the body as it is."""
        if self._event is None:
            self._event = OrderEvent.model_validate_json(self.body)
        return self._event

    def frames(self, form: object, encode: Encode) -> tuple[bytes, ...]:
        """The frames made by ``encode``, cached for all followers with the same ``form``."""
        return once(self._frames, form, encode)


def once(encoded: dict[object, tuple[bytes, ...]], form: object, encode: Encode) -> tuple[bytes, ...]:
    found = encoded.get(form)
    if found is None:
        found = encoded[form] = encode()
    return found


class Encoder(Protocol):
    """How messages to a follower are written. Each method returns the messages to send, of which there may be none."""

    def snapshot(self, snapshot: OrderSnapshot) -> tuple[bytes, ...]: ...

    def event(self, streamed: StreamEvent) -> tuple[bytes, ...]: ...

    def resync(self, snapshot: OrderSnapshot) -> tuple[bytes, ...]:
        """The events after ``snapshot.after`` cannot be sent again; the snapshot comes next."""

    def ready(self, orders: int) -> tuple[bytes, ...]: ...


class Notifications:
    """The encoder of ``orders.subscribe``: notifications of JSON-RPC with the subscription's number."""

    def __init__(self, number: int) -> None:
        self._number = number

    # Most subscriptions are their connection's first, so most share one encoding.

    def snapshot(self, snapshot: OrderSnapshot) -> tuple[bytes, ...]:
        return once(snapshot.encoded, self._number, lambda: (_SNAPSHOT % self._number + _json(snapshot.order) + b"}}",))

    def event(self, streamed: StreamEvent) -> tuple[bytes, ...]:
        return streamed.frames(self._number, lambda: (_EVENT % self._number + streamed.body + b"}}",))

    def resync(self, snapshot: OrderSnapshot) -> tuple[bytes, ...]:
        assert snapshot.after is not None
        assert snapshot.lapse is not None
        order = snapshot.order
        return _notification(
            ResyncRequired(
                subscription=self._number,
                order_id=order.id,
                after=snapshot.after,
                seq=order.seq,
                reason=snapshot.lapse,
            )
        )

    def ready(self, orders: int) -> tuple[bytes, ...]:
        return _notification(Ready(subscription=self._number, orders=orders))


class Subscription:
    """Sends snapshots of its orders page by page, with their events in between, and is then live.

    Events of orders with a number up to ``since``, which existed at the subscription, are skipped until their page,
    which includes these events. New orders are sent from their first event on.
    """

    __slots__ = (
        "_encoder",
        "_events",
        "_held",
        "_held_bytes",
        "_last",
        "_peer",
        "_sent_seq",
        "_upto",
        "number",
        "selection",
        "since",
    )

    def __init__(self, number: int, peer: Peer, selection: Selection, encoder: Encoder, since: int = 0) -> None:
        self.number = number
        self.selection = selection
        self.since = since
        self._peer = peer
        self._encoder = encoder
        # The last seq sent for orders whose live events are behind it. An order that had ended before its page was read
        # was never shown, so its end is not sent.
        self._sent_seq: dict[UUID, int] = {}
        # While it is not live; with the numbers of the orders.
        self._held: deque[tuple[StreamEvent, int]] | None = deque()
        self._held_bytes = 0
        # The last number of the page that is being sent; None while it is being read.
        self._upto: int | None = None
        self._events = 0
        self._last: tuple[UUID, int] | None = None

    def offer(self, streamed: StreamEvent, number: int) -> None:
        """Send an event, unless it was sent before. The events of an order, which has this number, are offered in
        order, without gaps."""
        if self._held is None:
            if self._is_new(streamed):
                for message in self._encode(streamed):
                    self._peer.push(message)
        elif not self._is_of_later_page(number):
            self._held.append((streamed, number))
            self._held_bytes += len(streamed.body)
            if self._held_bytes > MAX_HELD_BYTES:
                self._peer.close_slow()

    async def begin(self, pages: AsyncIterator[Page], is_behind: Callable[[UUID, int | None], bool]) -> None:
        """Send snapshots, replayed events, READY, and held events; then be live.

        ``is_behind`` says whether events of an order up to a seq, or up to its end, may still be offered. Raises
        ConnectionClosed.
        """
        count = after = 0
        async for page in pages:
            self._upto = page.upto
            self._drop_ended(page, after)
            after = page.upto
            count += await self._show(page)
            await self._send_held()
            # Events that are offered from here on may be committed after the next page has been read.
            self._upto = None
            sent = self._sent_seq.items()
            self._sent_seq = {each: seq for each, seq in sent if is_behind(each, None if seq == _EVER else seq)}
        self._upto = self.since
        await self._answer(self._encoder.ready(count))
        await self._send_held()
        self._held = None

    def _drop_ended(self, page: Page, after: int) -> None:
        """Drop held events of orders that had ended before their page was read."""
        assert self._held is not None
        upto, shown = min(page.upto, self.since), {each.order.id for each in page.snapshots}
        self._held = deque(each for each in self._held if not after < each[1] <= upto or each[0].order_id in shown)
        self._held_bytes = sum(len(streamed.body) for streamed, _ in self._held)

    async def _show(self, page: Page) -> int:
        """Send the page's snapshots. Returns how many."""
        for order_id, number in page.numbers.items():
            if number <= self.since:
                self._sent_seq[order_id] = _EVER
        shown = 0
        for snapshot in page.snapshots:
            order = snapshot.order
            if page.numbers.get(order.id, 0) > self.since:
                continue
            shown += 1
            if shown % _AT_ONCE == 0:
                await asyncio.sleep(0)
            lapsed = snapshot.lapse is not None
            if lapsed:
                await self._answer(self._encoder.resync(snapshot))
            self._sent_seq[order.id] = order.seq
            self._last = (order.id, order.seq)
            await self._answer(self._encoder.snapshot(snapshot))
            for event in () if lapsed else snapshot.again:
                self._sent_seq[order.id] = max(event.seq, order.seq)
                await self._answer(self._encode(StreamEvent.of(event)))
        return shown

    async def _send_held(self) -> None:
        assert self._held is not None
        while self._held:
            streamed, number = self._held.popleft()
            self._held_bytes -= len(streamed.body)
            if not self._is_of_later_page(number) and self._is_new(streamed):
                await self._answer(self._encode(streamed))

    def _is_of_later_page(self, number: int) -> bool:
        return self._upto is not None and self._upto < number <= self.since

    @property
    def position(self) -> Position | None:
        """How far it has got; None while it is not live."""
        if self._held is not None:
            return None
        order_id, seq = self._last or (None, None)
        return Position.model_construct(subscription=self.number, events=self._events, order_id=order_id, seq=seq)

    def _encode(self, streamed: StreamEvent) -> tuple[bytes, ...]:
        EVENTS_SENT.inc()
        self._events += 1
        self._last = (streamed.order_id, streamed.seq)
        return self._encoder.event(streamed)

    async def _answer(self, messages: tuple[bytes, ...]) -> None:
        for message in messages:
            await self._peer.answer(message)

    def _is_new(self, streamed: StreamEvent) -> bool:
        sent = self._sent_seq.get(streamed.order_id, 0)
        is_new = streamed.seq > sent
        if sent and (is_new or streamed.ended):
            del self._sent_seq[streamed.order_id]  # all further events are new
        return is_new


def _notification(body: ResyncRequired | Ready) -> tuple[bytes, ...]:
    return (_HEAD + _json(body) + b"}",)


def _json(body: OrderView | ResyncRequired | Ready) -> bytes:
    return type(body).__pydantic_serializer__.to_json(body)
