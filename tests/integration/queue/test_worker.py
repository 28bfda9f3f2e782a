"""A worker process as a whole: the work it takes, its heartbeat, and how it stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from db import journal, processes
from db.connection import database
from orderd.config.settings import Settings
from orderd.domain.events import OrderEvent
from orderd.domain.order import EventKind, OrderStatus
from orderd.engine.presence import _stat, this_process
from orderd.engine.publish import CHANNEL, events_of
from orderd.process.roles import ListeningRole
from orderd.process.wallet import fund_on_simnet, open_wallet
from orderd.queue.broker import OrderBroker
from orderd.queue.clock import HEARTBEATS
from orderd.solana.rpc import RpcClient
from tests.integration.engine.conftest import signature
from tests.integration.orders import built, lapse, new_order, read, sign
from tests.integration.set_clock import SettableClock

PATIENCE = 30
BETWEEN_QUESTIONS = 0.01
"""Seconds. Polling without a pause would slow down the worker that the test waits for."""
StartWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def settable(connected: str) -> SettableClock:
    clock = SettableClock(connected)
    database.close()
    database.close_all()
    database.connect()
    return clock


@pytest.fixture(autouse=True)
def connection(connected: str) -> Iterator[None]:
    database.connect()
    yield
    database.close()


@pytest.fixture
def start_worker(connected: str, redis_url: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts ``orderd worker``, and kills it after the test."""
    started: list[subprocess.Popen[bytes]] = []
    open_wallet(Settings(state_dir=tmp_path))

    def start(rpc_url: str, database_url: str = connected, **settings: str) -> "subprocess.Popen[bytes]":
        env = {
            "ORDERD_STATE_DIR": str(tmp_path),
            "ORDERD_DATABASE_URL": database_url,
            "ORDERD_REDIS_URL": redis_url,
            "ORDERD_RPC_URL": rpc_url,
            "ORDERD_LOG_LEVEL": "error",
            "ORDERD_DRAIN_SECONDS": "60",
            "ORDERD_VENUE_TIMEOUT_MS": "60000",
            "ORDERD_TRANSACTION_VERSION": "0",  # a silent endpoint is not asked for it first
            **settings,
        }
        process = subprocess.Popen([sys.executable, "-m", "orderd.main", "worker"], env={**os.environ, **env})
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def silent_rpc() -> Iterator[str]:
    """An endpoint that accepts every call and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def heartbeats(client: "redis.Redis") -> list[bytes]:
    return list(client.scan_iter(match=f"{HEARTBEATS}*"))


def wait_for_heartbeat(client: "redis.Redis") -> None:
    while not heartbeats(client):
        time.sleep(BETWEEN_QUESTIONS)


def test_an_order_is_executed_to_its_confirmation(
    start_worker: StartWorker, simnet: ListeningRole, client: "redis.Redis", tmp_path: Path
) -> None:
    with closing(RpcClient(simnet.url)) as rpc:
        fund_on_simnet(rpc, open_wallet(Settings(state_dir=tmp_path)).address)
    (accepted,) = journal.accept([new_order()])
    with client.pubsub(ignore_subscribe_messages=True) as news:  # type: ignore[no-untyped-call]
        news.subscribe(CHANNEL)
        start_worker(simnet.url)
        OrderBroker(client).send([accepted.order.id])
        kinds: list[EventKind] = []
        while EventKind.CONFIRMED not in kinds:
            if message := news.get_message(timeout=PATIENCE):
                kinds += [OrderEvent.model_validate_json(each).data.kind for each in events_of(message["data"])]
    assert kinds == [EventKind.STARTED, EventKind.ROUTED, EventKind.SUBMITTED, EventKind.CONFIRMED]
    assert read(accepted.order.id).status is OrderStatus.CONFIRMED


def test_an_order_whose_message_redis_lost_is_sent_again_at_once(
    start_worker: StartWorker, silent_rpc: str, client: "redis.Redis"
) -> None:
    (accepted,) = journal.accept([new_order()])
    database.execute_sql("UPDATE orders SET lease_until = now() + interval '1 day'")
    start_worker(silent_rpc)
    while read(accepted.order.id).starts == 0:
        time.sleep(BETWEEN_QUESTIONS)
    wait_for_heartbeat(client)
    (accepted,) = journal.accept([new_order()])
    database.execute_sql("UPDATE orders SET lease_until = now() + interval '1 day' WHERE status = 'pending'")
    client.flushall()
    while read(accepted.order.id).starts == 0:
        time.sleep(BETWEEN_QUESTIONS)


@pytest.mark.parametrize("hours", [-1, 1], ids=["back", "ahead"])
def test_setting_the_clock_delays_no_order(
    start_worker: StartWorker, silent_rpc: str, client: "redis.Redis", settable: SettableClock, hours: int
) -> None:
    """One order is about to be due, one is in the queue; an order due much later keeps waiting."""
    database.execute_sql("UPDATE clock SET at = at - interval '1 minute'")
    start_worker(silent_rpc)
    while database.execute_sql("SELECT clock_timestamp() - at > interval '30 s' FROM clock").fetchone()[0]:
        time.sleep(BETWEEN_QUESTIONS)  # until the worker knows the clock
    soon, far = (moved.order.id for moved in journal.accept([new_order(), new_order()]))
    assert journal.defer({soon: 1_000}, "backoff").orders
    assert journal.defer({far: 1_800_000}, "backoff").orders
    settable.set(timedelta(hours=hours))
    while read(soon).starts == 0:
        time.sleep(BETWEEN_QUESTIONS)
    assert read(far).starts == 0


def test_work_of_a_killed_worker_is_released_before_its_leases_expire(
    start_worker: StartWorker, simnet: ListeningRole, silent_rpc: str, client: "redis.Redis", tmp_path: Path
) -> None:
    """Orders it had started, had sent, and had fetched without starting them."""
    with closing(RpcClient(simnet.url)) as rpc:
        fund_on_simnet(rpc, open_wallet(Settings(state_dir=tmp_path)).address)
    for_long = {"ORDERD_LEASE_SECONDS": "100", "ORDERD_WORKER_THREADS": "1"}
    killed = start_worker(silent_rpc, **for_long)
    wait_for_heartbeat(client)
    orders = [moved.order.id for moved in journal.accept([new_order() for _ in range(3)])]
    OrderBroker(client).send(orders)
    while not (begun := [order for order in map(read, orders) if order.starts]):
        time.sleep(BETWEEN_QUESTIONS)
    database.execute_sql("UPDATE orders SET lease_until = now() + interval '1 day'")
    signed = sign(built(begun[0].lease_owner or ""), signature(1), last_valid_block_height=10**9).order
    database.execute_sql("UPDATE orders SET lease_until = now() + interval '1 day'")
    killed.kill()
    killed.wait()
    start_worker(simnet.url, **for_long)
    while read(signed.id).version == signed.version:  # until it is adopted
        time.sleep(BETWEEN_QUESTIONS)
    while {read(order_id).status for order_id in orders} != {OrderStatus.CONFIRMED}:
        time.sleep(BETWEEN_QUESTIONS)


def test_an_order_stored_but_not_queued_by_a_killed_gateway_is_queued(
    start_worker: StartWorker, silent_rpc: str
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as gateway:
        pid = gateway.pid
        processes.beat(replace(this_process(), name="gateway", pid=pid, started=_stat(pid)[1]))
        (accepted,) = journal.accept([new_order()], "gateway")
        database.execute_sql("UPDATE orders SET lease_until = now() + interval '1 day'")
        start_worker(silent_rpc)
        while len(processes.known()) < 2:
            time.sleep(BETWEEN_QUESTIONS)
        assert read(accepted.order.id).starts == 0
        gateway.kill()
    while read(accepted.order.id).starts == 0:
        time.sleep(BETWEEN_QUESTIONS)


def test_a_stopped_worker_releases_live_attempts_at_once(
    start_worker: StartWorker, simnet: ListeningRole, client: "redis.Redis"
) -> None:
    order = sign(built("a dead worker"), signature(1), last_valid_block_height=10**9).order
    lapse(order.id)
    worker = start_worker(simnet.url)
    while read(order.id).version == order.version:  # until it is adopted
        time.sleep(BETWEEN_QUESTIONS)
    wait_for_heartbeat(client)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0
    left = read(order.id)
    assert (left.status, left.lease_owner, left.lease_until) == (OrderStatus.SUBMITTED, None, None)
    assert heartbeats(client) == []


def test_a_second_signal_ends_a_worker_with_a_hanging_turn(
    start_worker: StartWorker, silent_rpc: str, client: "redis.Redis"
) -> None:
    (accepted,) = journal.accept([new_order()])
    worker = start_worker(silent_rpc)
    OrderBroker(client).send([accepted.order.id])
    while read(accepted.order.id).status is OrderStatus.PENDING:
        time.sleep(BETWEEN_QUESTIONS)
    worker.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.3)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == -signal.SIGTERM


def test_a_worker_refuses_a_database_without_the_current_schema(
    start_worker: StartWorker, silent_rpc: str, empty_postgres_url: str
) -> None:
    assert start_worker(silent_rpc, empty_postgres_url).wait(PATIENCE) == 1


def test_a_worker_refuses_a_database_of_another_chain(
    start_worker: StartWorker, simnet: ListeningRole, client: "redis.Redis"
) -> None:
    database.execute_sql("INSERT INTO chain (genesis_hash) VALUES ('another')")
    assert start_worker(simnet.url).wait(PATIENCE) == 1
    assert heartbeats(client) == []
