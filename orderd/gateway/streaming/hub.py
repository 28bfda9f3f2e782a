"""Fan-out: every stored event reaches each of its followers once and in order.

Redis delivers events quickly and may lose them; Postgres has all of them. The hub knows the last event that the
followers of each order have received. The next event is passed on; if there is a gap, the hub reads the missing events
from Postgres. A sweep, about once per second and after each reconnection to Redis, searches Postgres for orders that
are further than the hub knows.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError

from db.journal import Moved
from orderd.best_effort import failed
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine.publish import event_json
from orderd.gateway.streaming import history
from orderd.gateway.streaming.active_orders import ActiveOrders
from orderd.gateway.streaming.history import Head
from orderd.gateway.streaming.selection import Group, Selection, groups_of
from orderd.gateway.streaming.session import Session
from orderd.gateway.streaming.snapshots import Snapshots
from orderd.gateway.streaming.subscription import Encoder, Notifications, StreamEvent, Subscription
from orderd.gateway.threads import DatabaseThreads
from orderd.metrics.port import EVENT_SECONDS, GAPS_FILLED, SUBSCRIPTIONS

SWEEP_SECONDS: Final = 1.0
SWEEP_SECONDS_WITHOUT_REDIS: Final = 0.2
"""The sweep's period while Redis is unavailable and events come only from the sweep."""
SWEEP_OVERLAP_SECONDS: Final = 5.0
"""How much longer than its period a sweep looks back: a change is stamped a little before its commit."""
MEMORY_SECONDS: Final = 60.0
"""How long an order that has ended is remembered; well above the overlap."""
READERS: Final = 8
"""Number of orders whose gaps are filled concurrently."""
MAX_SUBSCRIPTIONS: Final = 1_000
"""Of one connection."""
T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Mark:
    """The last event that an order's followers have received, and the order's groups, once they are known."""

    number: int
    """Its number among the active orders."""
    seq: int = 0
    groups: tuple[Group, ...] | None = None
    ended: bool = False


class Hub:
    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._active_orders = ActiveOrders()
        self._snapshots = Snapshots(database, self._active_orders)
        self._marks: dict[UUID, _Mark] = {}
        self._ended: deque[tuple[float, UUID]] = deque()
        self._of_order: defaultdict[UUID, set[Subscription]] = defaultdict(set)
        self._of_group: defaultdict[Group, set[Subscription]] = defaultdict(set)
        self._gaps: dict[UUID, int] = {}
        self._late: dict[UUID, int] = {}
        self._events_were_lost = False
        self._readers = asyncio.Semaphore(READERS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep_now = asyncio.Event()
        self._swept_at = time.monotonic()
        self._readings: deque[tuple[float, datetime]] = deque()
        self.as_of = datetime.now(UTC)
        """Everything that was stored before has been sent, or is about to be."""
        self.is_redis_connected = False
        """Whether Redis is connected; set by the feed."""

    # What is sent

    def receive(self, payload: bytes) -> None:
        """Take in a published event."""
        try:
            streamed = StreamEvent(payload)
        except ValidationError:
            log.exception("published event is not understood", action="event_unreadable")
            return
        mark = self._marks.get(streamed.order_id)
        if mark is None:
            if self._readings and streamed.at < self._readings[-1][1] - timedelta(seconds=MEMORY_SECONDS / 2):
                return  # a late event of a forgotten order; if it is new, a sweep finds it
            mark = self._mark(streamed.order_id)
        if streamed.seq <= mark.seq:
            return
        if streamed.order_id in self._gaps:
            self._gaps[streamed.order_id] = max(streamed.seq, self._gaps[streamed.order_id])
        elif not self._is_followed(streamed.order_id, mark):
            self._move(mark, streamed.order_id, streamed.seq, streamed.ended)
        elif streamed.seq == mark.seq + 1 and (mark.groups or not self._of_group):
            self._offer(mark, streamed)
        else:
            self._fill(streamed.order_id, streamed.seq)

    def learn(self, new: Sequence[Moved]) -> None:
        """Take in new orders of this gateway, whose followers need not wait for Redis, and which cost no query."""
        for moved in new:
            order = moved.order
            mark = self._mark(order.id)
            mark.groups = groups_of(order.account_id, order.token_in, order.token_out, order.kind)
            if self._is_followed(order.id, mark):
                self.receive(event_json(moved.event, moved.fact))
            elif mark.seq < moved.event.seq:
                self._move(mark, order.id, moved.event.seq, ended=False)

    def _mark(self, order_id: UUID) -> _Mark:
        mark = self._marks.get(order_id)
        if mark is None:
            mark = self._marks[order_id] = _Mark(self._active_orders.add(order_id))
        return mark

    def _is_followed(self, order_id: UUID, mark: _Mark) -> bool:
        if order_id in self._of_order:
            return True
        return bool(self._of_group) if mark.groups is None else any(group in self._of_group for group in mark.groups)

    def _offer(self, mark: _Mark, streamed: StreamEvent) -> None:
        self._move(mark, streamed.order_id, streamed.seq, streamed.ended)
        for subscription in tuple(self._of_order.get(streamed.order_id, ())):
            subscription.offer(streamed, mark.number)
        if self._of_group:
            for group in mark.groups or ():
                for subscription in tuple(self._of_group.get(group, ())):
                    subscription.offer(streamed, mark.number)
        EVENT_SECONDS.observe(max((datetime.now(UTC) - streamed.at).total_seconds(), 0))

    def _move(self, mark: _Mark, order_id: UUID, seq: int, ended: bool) -> None:
        mark.seq = seq
        if ended and not mark.ended:
            self._active_orders.remove(order_id, mark.number)
            self._ended.append((time.monotonic(), order_id))
        elif mark.ended and not ended:  # a confirmed order was rolled back
            mark.number = self._active_orders.add(order_id)
        mark.ended = ended

    # Gaps

    def _fill(self, order_id: UUID, seq: int) -> None:
        """Read the missing events up to ``seq`` from Postgres, and send them."""
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
                    head, events = await self._database.run(history.missing, order_id, mark.seq)
                    if head is None or not events:
                        log.error("published event is not stored", action="event_unknown", order_id=str(order_id))
                        return
                    GAPS_FILLED.inc()
                    mark.groups = head.groups
                    for event in events:
                        self._offer(mark, StreamEvent.of(event))
        except OrderdError as error:
            log.warning("gap not filled yet", action="gap_waits", order_id=str(order_id), error=error.detail)
        except Exception as error:  # noqa: BLE001  (the next sweep finds it again)
            failed("gap", error)
        finally:
            del self._gaps[order_id]

    # Sweeps

    async def start(self) -> None:
        """Load the heads of the active orders; from then on the hub misses nothing. Raises OrderdError."""
        self._swept_at, self.as_of = time.monotonic(), datetime.now(UTC)
        self._readings.append((self._swept_at, await self._database.run(history.clock_now)))
        for head in await self._database.run(history.active_heads):
            self._note(head)

    async def run(self) -> None:
        """Sweep repeatedly."""
        while True:
            try:
                await self.sweep()
            except OrderdError as error:
                log.warning("sweep failed", action="sweep_failed", error=error.detail)
            except Exception as error:  # noqa: BLE001  (a failure does not concern the next one)
                failed("sweep", error)
            period = SWEEP_SECONDS if self.is_redis_connected else SWEEP_SECONDS_WITHOUT_REDIS
            try:
                async with asyncio.timeout(period):
                    await self._sweep_now.wait()
            except TimeoutError:
                pass
            self._sweep_now.clear()

    def request_sweep(self) -> None:
        """Request a sweep, because messages may have been lost."""
        self._events_were_lost = True
        self._sweep_now.set()

    async def sweep(self) -> None:
        """Find events that were missed since the last sweep, and send them. Raises OrderdError.

        While Redis is connected, an order is read only if two sweeps find it behind: late messages arrive by
        themselves, and reading each order that a burst delays would delay it even more.
        """
        started, as_of = time.monotonic(), datetime.now(UTC)
        may_wait, self._events_were_lost = self.is_redis_connected and not self._events_were_lost, False
        window = started - self._swept_at + SWEEP_OVERLAP_SECONDS
        earlier = [reading for _, reading in self._readings]
        reading, heads = await self._database.run(history.heads_moved, earlier, window)
        self._record_reading(started, reading)
        behind = {head.order_id: head.seq for head in heads if self._note(head)}
        for order_id, seq in behind.items():
            if not may_wait or self._marks[order_id].seq < self._late.get(order_id, 0):
                self._fill(order_id, seq)
        self._late = behind
        self._swept_at, self.as_of = started, as_of
        self._forget(started - MEMORY_SECONDS)

    def _record_reading(self, at: float, reading: datetime) -> None:
        """Keep a reading of Postgres' clock as long as changes with its stamps may still be uncommitted."""
        self._readings.append((at, reading))
        while self._readings[0][0] < at - SWEEP_OVERLAP_SECONDS:
            self._readings.popleft()

    def _note(self, head: Head) -> bool:
        """Note the state of an order; returns whether its followers still have to get it."""
        mark = self._mark(head.order_id)
        if mark.groups is None:
            mark.groups = head.groups
        if mark.seq >= head.seq or head.order_id in self._gaps:
            return False
        if self._is_followed(head.order_id, mark):
            return True
        self._move(mark, head.order_id, head.seq, head.ended)
        return False

    def _forget(self, before: float) -> None:
        while self._ended and self._ended[0][0] < before:
            _, order_id = self._ended.popleft()
            if (mark := self._marks.get(order_id)) is not None and mark.ended:
                del self._marks[order_id]

    # Followers

    def follow(
        self, session: Session, selection: Selection, encoder: Callable[[int], Encoder] = Notifications
    ) -> Subscription:
        """Register a follower; from here on it misses nothing. ``encoder``, given its number, writes its messages.

        Raises OrderdError SERVICE_OVERLOADED.
        """
        if len(session.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise OrderdError(
                ErrorCode.SERVICE_OVERLOADED, f"a connection has at most {MAX_SUBSCRIPTIONS} subscriptions"
            )
        number, session.next_subscription = session.next_subscription, session.next_subscription + 1
        since = 0 if selection.orders else self._active_orders.last
        subscription = Subscription(number, session.peer, selection, encoder(number), since)
        for order_id in selection.orders:
            self._of_order[order_id].add(subscription)
        if selection.group is not None:
            self._of_group[selection.group].add(subscription)
        session.subscriptions[number] = subscription
        SUBSCRIPTIONS.inc()
        return subscription

    async def begin(self, subscription: Subscription) -> None:
        """Bring a follower up to date and let it go live. Raises ConnectionClosed."""
        pages = self._snapshots.pages(subscription.selection, subscription.since)
        await subscription.begin(pages, partial(self._is_behind, subscription.selection.group))

    def _is_behind(self, group: Group | None, order_id: UUID, seq: int | None) -> bool:
        """Whether events of an order up to ``seq``, or up to its end with None, may still be offered to followers of
        ``group``."""
        mark = self._marks.get(order_id)
        if seq is None:
            return mark is not None and not mark.ended and (mark.groups is None or group in mark.groups)
        return mark is None or mark.seq < seq

    def unfollow(self, session: Session, number: int) -> bool:
        """End a subscription; False if there is none of this number."""
        subscription = session.subscriptions.pop(number, None)
        if subscription is None:
            return False
        for order_id in subscription.selection.orders:
            _leave(self._of_order, order_id, subscription)
        if (group := subscription.selection.group) is not None:
            _leave(self._of_group, group, subscription)
        SUBSCRIPTIONS.dec()
        return True

    def end(self, session: Session) -> None:
        """End all subscriptions of a connection that is gone."""
        for number in tuple(session.subscriptions):
            self.unfollow(session, number)


def _leave(topics: dict[T, set[Subscription]], topic: T, subscription: Subscription) -> None:
    followers = topics[topic]
    followers.discard(subscription)
    if not followers:
        del topics[topic]
