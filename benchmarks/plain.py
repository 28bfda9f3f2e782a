"""The minimum cost of a durable queue: stock Dramatiq with ten threads, and orders that do not trade.

Each message makes two commits, for the acceptance and the end of an order, and publishes five events. orderd's
additional cost is for routes, simulations, signatures, claims and the chain.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import dramatiq
import psycopg2
import redis
from dramatiq.brokers.redis import RedisBroker

from benchmarks.cpu import seconds_by_process
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis

_THREADS = 10


@dataclass(frozen=True)
class Plain:
    """``cpu`` in seconds per message, of worker, Postgres and Redis."""

    messages_per_second: float
    cpu: float


def plain_engine(state_dir: Path, messages: int) -> Plain:
    """Process ``messages`` messages that are already in the queue."""
    with ExitStack() as stop:
        postgres, queue = Postgres(state_dir), Redis(state_dir)
        servers = [postgres.start(), queue.start()]
        for server in servers:
            stop.callback(server.stop)
        _make_table(postgres.url, messages)
        broker = RedisBroker(url=queue.url)  # type: ignore[no-untyped-call]
        publisher = redis.Redis.from_url(queue.url)
        connections: SimpleQueue[psycopg2.extensions.connection] = SimpleQueue()
        for _ in range(_THREADS):
            connections.put(psycopg2.connect(postgres.url))
        left = threading.Semaphore(0)

        @dramatiq.actor(broker=broker)
        def execute(number: int) -> None:
            connection = connections.get()
            for status in ("submitted", "confirmed"):
                with connection, connection.cursor() as cursor:
                    cursor.execute("UPDATE plain SET status = %s WHERE id = %s", (status, number))
            connections.put(connection)
            for status in ("accepted", "started", "routed", "submitted", "confirmed"):
                publisher.publish("plain", status)
            left.release()

        for number in range(messages):
            execute.send(number)
        worker = dramatiq.Worker(broker, worker_threads=_THREADS, worker_timeout=50)
        pids = [server.pid for server in servers]
        before, own, began = _used(pids), time.process_time(), time.perf_counter()
        worker.start()
        for _ in range(messages):
            left.acquire()
        took = time.perf_counter() - began
        used = time.process_time() - own + _used(pids) - before
        worker.stop()
        return Plain(messages / took, used / messages)


def _make_table(url: str, rows: int) -> None:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (id integer PRIMARY KEY, status text NOT NULL DEFAULT 'accepted')")
        cursor.execute("INSERT INTO plain SELECT generate_series(0, %s)", (rows,))
    connection.close()


def _used(pids: Sequence[int]) -> float:
    return sum(sum(seconds_by_process(pid).values()) for pid in pids)
