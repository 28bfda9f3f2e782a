"""Two gateways and two workers over one Postgres and one Redis: each gateway reports orders that the other accepted."""

import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Event
from uuid import UUID

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.client.following import Lost
from orderd.domain.order import TERMINAL, OrderStatus
from orderd.process.roles import ListeningRole
from orderd.wire.subscriptions import Event as EventNotification
from tests.acceptance.cluster import Cluster, cluster_over
from tests.acceptance.trader import Trader, order, trading

SECONDS = 60.0


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str, redis_url: str, simnet: ListeningRole) -> Iterator[Cluster]:
    with cluster_over(tmp_path, postgres_url, redis_url, simnet) as cluster:
        yield cluster


@dataclass
class Record:
    """The events that a follower received, in order."""

    events: list[tuple[UUID, int]] = field(default_factory=list)
    losses: int = 0
    _grown: Condition = field(default_factory=Condition)

    def note(self, order_id: UUID, seq: int) -> None:
        with self._grown:
            self.events.append((order_id, seq))
            self._grown.notify_all()

    def wait_for(self, count: int) -> None:
        with self._grown:
            assert self._grown.wait_for(lambda: len(self.events) >= count, SECONDS)

    def by_order(self) -> dict[UUID, list[int]]:
        found = defaultdict(list)
        for order_id, seq in self.events:
            found[order_id].append(seq)
        return dict(found)


Follow = Callable[[str, Sequence[UUID], Record], None]


def follow_with_orderctl(url: str, order_ids: Sequence[UUID], record: Record) -> None:
    with Client(Settings(url=url)) as client:
        for update in client.follow_all(map(str, order_ids), SECONDS):
            if isinstance(update, EventNotification):
                record.note(update.event.order_id, update.event.seq)
            record.losses += isinstance(update, Lost)


def follow_by_hand(url: str, order_ids: Sequence[UUID], record: Record) -> None:
    """Record all events; after a lost connection resume after the last one."""
    after = dict.fromkeys(order_ids, 0)
    pause = Event()
    while after:
        with suppress(OSError, WebSocketException), connect(url) as websocket:
            for number, (order_id, seq) in enumerate(after.items()):
                params = {"order": str(order_id), "after": seq}
                call = {"jsonrpc": "2.0", "id": number, "method": "orders.subscribe", "params": params}
                websocket.send(json.dumps(call))
            for message in websocket:
                notification = json.loads(message).get("params", {})
                if notification.get("type") != "EVENT":
                    continue
                event = notification["event"]
                order_id = UUID(event["order_id"])
                record.note(order_id, event["seq"])
                after[order_id] = event["seq"]
                if event["status"] in TERMINAL:
                    del after[order_id]
                if not after:
                    return
        record.losses += 1
        pause.wait(0.05)


def start_follower(
    threads: ThreadPoolExecutor, follow: Follow, url: str, order_ids: Sequence[UUID]
) -> "tuple[Record, Future[None]]":
    record = Record()
    return record, threads.submit(follow, url, order_ids, record)


def submit(trader: Trader, count: int) -> list[UUID]:
    return [trader.submit(order("SOL", "USDC", "0.01")) for _ in range(count)]


def complete_events(trader: Trader, order_ids: Sequence[UUID]) -> dict[UUID, list[int]]:
    """The event numbers per ended order that a follower without gaps and repetitions has received."""
    return {order_id: list(range(1, trader.detail(order_id).order.seq + 1)) for order_id in order_ids}


def test_followers_receive_each_event_once_when_their_gateway_restarts_or_is_killed(cluster: Cluster) -> None:
    a, b = cluster.gateway("a"), cluster.gateway("b")
    cluster.start(a)
    at_b = cluster.start(b)
    with trading(a.url) as trader, ThreadPoolExecutor(4) as threads:
        # No worker runs yet: the orders wait, and the followers at B have received their first events.
        first = submit(trader, 15)
        followers = [start_follower(threads, follow, b.url, first) for follow in (follow_with_orderctl, follow_by_hand)]
        for record, _ in followers:
            record.wait_for(len(first))

        # B stops in order; the orders are executed while B is down.
        at_b.stop()
        stopped_at = datetime.now(UTC)
        workers = [cluster.start(cluster.worker(name)) for name in ("first", "second")]
        for order_id in first:
            assert trader.follow(order_id, SECONDS)[-1].status is OrderStatus.CONFIRMED
        missed = [event for order_id in first for event in trader.detail(order_id).events if event.at > stopped_at]
        assert len(missed) >= 4 * len(first)
        at_b = cluster.start(b)
        for _, done in followers:
            done.result(SECONDS)

        # B is killed while it sends events: the workers are paused until all orders are followed.
        for worker in workers:
            os.kill(worker.pid, signal.SIGSTOP)
        second = submit(trader, 40)
        followers += [
            start_follower(threads, follow, b.url, second) for follow in (follow_with_orderctl, follow_by_hand)
        ]
        for record, _ in followers[2:]:
            record.wait_for(len(second))
        for worker in workers:
            os.kill(worker.pid, signal.SIGCONT)
        for record, _ in followers[2:]:
            record.wait_for(len(second) + 1)
        os.kill(at_b.pid, signal.SIGKILL)
        cluster.start(b)
        for _, done in followers:
            done.result(SECONDS)

        for (record, _), order_ids in zip(followers, (first, first, second, second), strict=True):
            assert record.losses > 0
            assert record.by_order() == complete_events(trader, order_ids)
