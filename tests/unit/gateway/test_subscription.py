"""Events held back while a follower gets its snapshots are limited by size, not by number."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import UUID

from db.models import DEFAULT_ACCOUNT
from orderd.domain.events import OrderEvent, Reclaimed
from orderd.domain.order import OrderStatus
from orderd.gateway.streaming.history import OrderSnapshot
from orderd.gateway.streaming.selection import Selection
from orderd.gateway.streaming.snapshots import Page
from orderd.gateway.streaming.subscription import MAX_HELD_BYTES, Notifications, StreamEvent, Subscription
from orderd.wire.orders import OrderView
from orderd.wire.rpc import ORDER_EVENT
from orderd.wire.subscriptions import Snapshot

AT = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND, NEW = UUID(int=1), UUID(int=2), UUID(int=3)


class Peer:
    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_slow = False

    async def answer(self, message: bytes) -> None:
        self.sent.append(message)

    def push(self, message: bytes) -> None:
        self.sent.append(message)

    def close_slow(self) -> None:
        self.is_slow = True


async def no_pages() -> AsyncIterator[Page]:
    """The pages of a follower without orders."""
    yield Page((), {}, 0)


def news(seq: int, order_id: UUID = FIRST) -> StreamEvent:
    return StreamEvent.of(OrderEvent(order_id=order_id, seq=seq, at=AT, status=OrderStatus.PENDING, data=Reclaimed()))


def test_thousands_of_events_are_held_until_the_snapshots_are_sent() -> None:
    peer = Peer()
    subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1))
    for seq in range(1, 5_001):
        subscription.offer(news(seq), 1)
    assert not peer.is_slow
    asyncio.run(subscription.begin(no_pages(), lambda *_: False))
    assert len(peer.sent) == 1 + 5_000


def test_a_follower_with_too_much_held_back_is_disconnected() -> None:
    peer, seq = Peer(), 1
    subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1))
    size = len(news(1_000_000).body)
    while seq * size < MAX_HELD_BYTES * 2 and not peer.is_slow:
        subscription.offer(news(1_000_000 + seq), 1)
        seq += 1
    assert peer.is_slow
    assert (seq - 1) * size > MAX_HELD_BYTES


def snapshot(order_id: UUID, seq: int) -> OrderSnapshot:
    """The snapshot of an order with this many events."""
    view = OrderView(
        id=order_id,
        client_order_id="played",
        token_in="SOL",
        token_out="USDC",
        amount_in="1",
        slippage="0.5",
        status=OrderStatus.PENDING,
        seq=seq,
        attempt=0,
        created_at=AT,
        updated_at=AT,
    )
    return OrderSnapshot(view)


async def two_pages() -> AsyncIterator[Page]:
    yield Page([snapshot(FIRST, 1)], {FIRST: 1}, 1)
    yield Page([snapshot(SECOND, 9)], {SECOND: 2}, 2)


class Paced(Peer):
    """A peer for which ``meanwhile`` runs during the first snapshot."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = [meanwhile]

    async def answer(self, message: bytes) -> None:
        await super().answer(message)
        while self._meanwhile:
            self._meanwhile.pop()()


def follow(meanwhile: Callable[[Subscription], None]) -> Paced:
    """A follower of two orders, each on its own page."""
    peer = Paced(lambda: meanwhile(subscription))
    subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1), since=2)
    asyncio.run(subscription.begin(two_pages(), lambda *_: False))
    return peer


def messages_of(peer: Peer) -> list[tuple[str, int, int]]:
    """The type, order and seq of each message; for READY the number of orders."""
    found = []
    for message in peer.sent:
        params = json.loads(message)["params"]
        match params["type"]:
            case "SNAPSHOT":
                found.append(("SNAPSHOT", UUID(params["order"]["id"]).int, params["order"]["seq"]))
            case "EVENT":
                found.append(("EVENT", UUID(params["event"]["order_id"]).int, params["event"]["seq"]))
            case kind:
                found.append((kind, 0, params["orders"]))
    return found


def test_events_of_sent_orders_are_sent_between_pages() -> None:
    def meanwhile(subscription: Subscription) -> None:
        subscription.offer(news(2), 1)
        subscription.offer(news(1, NEW), 3)

    assert messages_of(follow(meanwhile)) == [
        ("SNAPSHOT", 1, 1),
        ("EVENT", 1, 2),
        ("EVENT", 3, 1),
        ("SNAPSHOT", 2, 9),
        ("READY", 0, 2),
    ]


def test_events_of_orders_on_later_pages_are_left_to_those_pages() -> None:
    """Otherwise a follower of many busy orders would be disconnected before it has all snapshots."""

    def meanwhile(subscription: Subscription) -> None:
        for seq in range(1, MAX_HELD_BYTES // 100):
            subscription.offer(news(seq, SECOND), 2)

    peer = follow(meanwhile)
    assert not peer.is_slow
    assert messages_of(peer) == [("SNAPSHOT", 1, 1), ("SNAPSHOT", 2, 9), ("READY", 0, 2)]


def test_a_live_follower_has_no_state_per_order() -> None:
    """The hub's state of the orders exists once for any number of followers."""
    peer = Peer()
    subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1), since=2)
    asyncio.run(subscription.begin(two_pages(), lambda order_id, seq: order_id == SECOND and seq == 9))
    assert subscription._sent_seq == {SECOND: 9}, "only an order whose events are behind its snapshot is remembered"
    for seq in (8, 9, 10):
        subscription.offer(news(seq, SECOND), 2)
    assert subscription._sent_seq == {}
    assert messages_of(peer)[3:] == [("EVENT", 2, 10)]


def test_a_snapshot_is_encoded_once_for_all() -> None:
    one, peers = snapshot(FIRST, 1), [Peer(), Peer()]

    async def page() -> AsyncIterator[Page]:
        yield Page([one], {FIRST: 1}, 1)

    for peer in peers:
        subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1), since=1)
        asyncio.run(subscription.begin(page(), lambda *_: False))
    assert peers[0].sent[0] is peers[1].sent[0]
    assert json.loads(peers[0].sent[0]) == {
        "jsonrpc": "2.0",
        "method": ORDER_EVENT,
        "params": Snapshot(subscription=1, order=one.order).model_dump(mode="json"),
    }
