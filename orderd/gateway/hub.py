"""Fan-out: every stored event reaches each of its followers once and in order.

Redis brings the news quickly and may lose it; Postgres has all of it. The hub knows of every order how far its
followers have been told. An event that is the next one is passed on; one that leaves a gap makes the hub read from
Postgres what is missing. A sweep, about once a second and after each reconnection to Redis, looks in Postgres for
orders that are further than the hub knows.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from pydantic import ValidationError

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import OrderEvent
from orderd.engine import views
from orderd.gateway import history
from orderd.gateway.history import Head
from orderd.gateway.session import Session
from orderd.gateway.subscription import News, Subscription
from orderd.gateway.threads import DatabaseThreads
from orderd.telemetry import EVENT_SECONDS, GAPS_FILLED, SUBSCRIPTIONS
from orderd.wire import OrderView

SWEEP_SECONDS: Final = 1.0
SWEEP_SECONDS_WITHOUT_NEWS: Final = 0.2
"""The sweep's period while Redis is away, when it is the only messenger."""
SWEEP_OVERLAP_SECONDS: Final = 5.0
"""How much longer than its period a sweep looks back: a change is stamped a little before its commit."""
NEWS_GRACE_SECONDS: Final = 0.1
"""What a sweep grants to news that is under way."""
MEMORY_SECONDS: Final = 60.0
"""How long an order that has ended is remembered; well above the overlap."""
READERS: Final = 8
"""Orders whose gaps are filled at a time."""
MAX_SUBSCRIPTIONS: Final = 1_000
"""Of one connection."""
RETRY_SECONDS: Final = 0.5
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Mark:
    """How far an order's followers have been told, and whose order it is, once that is known."""

    seq: int = 0
    account_id: UUID | None = None
    ended: bool = False


class Hub:
    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._marks: dict[UUID, _Mark] = {}
        self._ended: deque[tuple[float, UUID]] = deque()
        self._of_order: defaultdict[UUID, set[Subscription]] = defaultdict(set)
        self._of_account: defaultdict[UUID, set[Subscription]] = defaultdict(set)
        self._gaps: dict[UUID, int] = {}
        self._readers = asyncio.Semaphore(READERS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep_now = asyncio.Event()
        self._swept_at = time.monotonic()
        self._newest = datetime.fromtimestamp(0, UTC)
        self.has_news = False
        """Whether Redis is heard; set by the feed."""

    # What is told

    def hear(self, payload: bytes) -> None:
        """Take in a published event."""
        try:
            news = News(payload)
        except ValidationError:
            log.exception("published event is not understood", action="event_unreadable")
            return
        mark = self._marks.get(news.order_id)
        if mark is None:
            if news.at < self._newest - timedelta(seconds=MEMORY_SECONDS / 2):
                return  # a straggler of an order that has been forgotten; if it is not, the sweep has seen it
            mark = self._marks[news.order_id] = _Mark()
        self._newest = max(self._newest, news.at)
        if news.seq <= mark.seq:
            return
        if news.order_id in self._gaps:
            self._gaps[news.order_id] = max(news.seq, self._gaps[news.order_id])
        elif not self._is_followed(news.order_id, mark):
            self._move(mark, news.order_id, news.seq, news.ended)
        elif news.seq == mark.seq + 1 and (mark.account_id or not self._of_account):
            self._tell(mark, news)
        else:
            self._fill(news.order_id, news.seq)

    def learn(self, order: OrderView, account_id: UUID) -> None:
        """Note whose order a new one is, which saves asking when its first event comes."""
        self._marks.setdefault(order.id, _Mark()).account_id = account_id

    def _is_followed(self, order_id: UUID, mark: _Mark) -> bool:
        if order_id in self._of_order:
            return True
        return bool(self._of_account) if mark.account_id is None else mark.account_id in self._of_account

    def _tell(self, mark: _Mark, news: News) -> None:
        self._move(mark, news.order_id, news.seq, news.ended)
        for subscription in tuple(self._of_order.get(news.order_id, ())):
            subscription.offer(news)
        if mark.account_id is not None:
            for subscription in tuple(self._of_account.get(mark.account_id, ())):
                subscription.offer(news)
        EVENT_SECONDS.observe(max((datetime.now(UTC) - news.at).total_seconds(), 0))

    def _move(self, mark: _Mark, order_id: UUID, seq: int, ended: bool) -> None:
        mark.seq = seq
        if ended and not mark.ended:
            mark.ended = True
            self._ended.append((time.monotonic(), order_id))

    # Gaps

    def _fill(self, order_id: UUID, seq: int) -> None:
        """Read what is missing up to ``seq`` from Postgres, and tell it."""
        if order_id in self._gaps:
            self._gaps[order_id] = max(seq, self._gaps[order_id])
            return
        self._gaps[order_id] = seq
        task = asyncio.create_task(self._read_gap(order_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read_gap(self, order_id: UUID) -> None:
        mark = self._marks[order_id]
        try:
            async with self._readers:
                while mark.seq < self._gaps[order_id]:
                    head, events = await self._database.run(_missing, order_id, mark.seq)
                    if head is None or not events:
                        log.error("published event is not stored", action="event_unknown", order_id=str(order_id))
                        return
                    GAPS_FILLED.inc()
                    mark.account_id = head.account_id
                    for event in events:
                        self._tell(mark, News.of(event))
        except OrderdError as error:
            log.warning("gap not filled yet", action="gap_waits", order_id=str(order_id), error=error.detail)
        finally:
            del self._gaps[order_id]

    # Sweeps

    async def start(self) -> None:
        """Learn how far the active orders are; after this the hub has missed nothing. Raises OrderdError."""
        self._swept_at = time.monotonic()
        for head in await self._database.run(history.active_heads):
            self._note(head)

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                await self.sweep()
            except OrderdError as error:
                log.warning("sweep failed", action="sweep_failed", error=error.detail)
            except Exception:
                log.exception("sweep failed", action="sweep_failed")
            period = SWEEP_SECONDS if self.has_news else SWEEP_SECONDS_WITHOUT_NEWS
            try:
                async with asyncio.timeout(period):
                    await self._sweep_now.wait()
            except TimeoutError:
                pass
            self._sweep_now.clear()

    def request_sweep(self) -> None:
        """Sweep soon: news may have been lost."""
        self._sweep_now.set()

    async def sweep(self) -> None:
        """Find what news has missed since the last sweep, and tell it. Raises OrderdError."""
        started = time.monotonic()
        window = started - self._swept_at + SWEEP_OVERLAP_SECONDS
        behind = [head for head in await self._database.run(history.heads_moved_within, window) if self._note(head)]
        if behind:
            await asyncio.sleep(NEWS_GRACE_SECONDS)
        for head in behind:
            if self._marks[head.order_id].seq < head.seq:
                self._fill(head.order_id, head.seq)
        self._swept_at = started
        self._forget(started - MEMORY_SECONDS)

    def _note(self, head: Head) -> bool:
        """Take in where an order stands; whether its followers have still to be told."""
        mark = self._marks.setdefault(head.order_id, _Mark())
        mark.account_id = head.account_id
        if mark.seq >= head.seq or head.order_id in self._gaps:
            return False
        if self._is_followed(head.order_id, mark):
            return True
        self._move(mark, head.order_id, head.seq, head.ended)
        return False

    def _forget(self, before: float) -> None:
        while self._ended and self._ended[0][0] < before:
            _, order_id = self._ended.popleft()
            self._marks.pop(order_id, None)
            for followers in self._of_account.values():
                for subscription in followers:
                    subscription.forget(order_id)

    # Followers

    def follow(self, session: Session, order_id: UUID | None) -> Subscription:
        """Register a follower; from here on it misses nothing. Raises OrderdError SERVICE_OVERLOADED."""
        if len(session.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise OrderdError(
                ErrorCode.SERVICE_OVERLOADED, f"a connection has at most {MAX_SUBSCRIPTIONS} subscriptions"
            )
        number, session.next_subscription = session.next_subscription, session.next_subscription + 1
        account_id = session.principal.account_id
        known: Iterable[UUID] = self._marks if order_id is None else ()
        subscription = Subscription(number, session.peer, account_id, order_id, known)
        self._followers(subscription).add(subscription)
        session.subscriptions[number] = subscription
        SUBSCRIPTIONS.inc()
        return subscription

    async def begin(self, subscription: Subscription, after: int | None) -> None:
        """Bring a follower up to date and let it go live. Raises ConnectionClosed."""
        while True:
            try:
                orders, events = await self._database.run(
                    _standing, subscription.account_id, subscription.order_id, after
                )
                break
            except OrderdError as error:
                log.warning("snapshot waits", action="snapshot_waits", error=error.detail)
                await asyncio.sleep(RETRY_SECONDS)
        await subscription.begin(orders, events)

    def unfollow(self, session: Session, number: int) -> bool:
        """End a subscription; False when there is none of this number."""
        subscription = session.subscriptions.pop(number, None)
        if subscription is None:
            return False
        followers = self._followers(subscription)
        followers.discard(subscription)
        if not followers:
            if subscription.order_id is not None:
                del self._of_order[subscription.order_id]
            else:
                del self._of_account[subscription.account_id]
        SUBSCRIPTIONS.dec()
        return True

    def end(self, session: Session) -> None:
        """End all subscriptions of a connection that is gone."""
        for number in tuple(session.subscriptions):
            self.unfollow(session, number)

    def _followers(self, subscription: Subscription) -> set[Subscription]:
        if subscription.order_id is not None:
            return self._of_order[subscription.order_id]
        return self._of_account[subscription.account_id]


def _missing(order_id: UUID, seq: int) -> tuple[Head | None, list[OrderEvent]]:
    return history.head_of(order_id), views.events_after(order_id, seq)


def _standing(account_id: UUID, order_id: UUID | None, after: int | None) -> tuple[list[OrderView], list[OrderEvent]]:
    """What a new follower is sent: where its orders stand, and the events it asks for again."""
    if order_id is None:
        return views.active(account_id), []
    order = views.order_view(views.find(account_id, str(order_id)))
    return [order], [] if after is None else views.events_after(order_id, after)
