"""What is held back for a follower that is still being sent its snapshots is bounded by its size, not by a count."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

from db.models import DEFAULT_ACCOUNT
from orderd.domain.events import OrderEvent, Reclaimed
from orderd.domain.order import OrderStatus
from orderd.gateway.streaming.selection import Selection
from orderd.gateway.streaming.standings import Page
from orderd.gateway.streaming.subscription import MAX_HELD_BYTES, News, Notifications, Subscription


class Peer:
    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.is_slow = False

    async def answer(self, message: bytes) -> None:
        self.told.append(message)

    def push(self, message: bytes) -> None:
        self.told.append(message)

    def close_slow(self) -> None:
        self.is_slow = True


async def no_pages() -> AsyncIterator[Page]:
    """Of a follower that is shown no order."""
    yield Page((), {}, 0)


def news(seq: int) -> News:
    event = OrderEvent(
        order_id=UUID(int=1), seq=seq, at=datetime(2026, 1, 1, tzinfo=UTC), status=OrderStatus.PENDING, data=Reclaimed()
    )
    return News.of(event)


def test_a_burst_of_thousands_of_events_is_held_until_the_snapshots_are_sent() -> None:
    peer = Peer()
    subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1))
    for seq in range(1, 5_001):
        subscription.offer(news(seq), 1)
    assert not peer.is_slow
    asyncio.run(subscription.begin(no_pages(), lambda *_: False))
    assert len(peer.told) == 1 + 5_000


def test_a_follower_for_whom_too_much_is_held_is_closed() -> None:
    peer, seq = Peer(), 1
    subscription = Subscription(1, peer, Selection(DEFAULT_ACCOUNT), Notifications(1))
    size = len(news(1_000_000).body)
    while seq * size < MAX_HELD_BYTES * 2 and not peer.is_slow:
        subscription.offer(news(1_000_000 + seq), 1)
        seq += 1
    assert peer.is_slow
    assert (seq - 1) * size > MAX_HELD_BYTES
