"""The parts of a gateway and of a worker, called in this process, so that each batch of orders takes the same steps.

Everything that depends on the machine's speed is left out: loops, slots, and periodic tasks.
"""

import asyncio
import gc
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final
from unittest import mock

import redis

from benchmarks.counting import counted
from benchmarks.null_chain import SETTINGS, running_null_chain
from db.audit import Actor
from db.connection import connect, database, migrate
from db.models import DEFAULT_ACCOUNT
from orderd.config.settings import Settings
from orderd.domain.clock import ClockWatch
from orderd.domain.terms_given import GivenTerms
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.engine.execution import turn
from orderd.engine.handover import HandOver
from orderd.engine.intake import Intake, Submission
from orderd.engine.one_way import OneWay
from orderd.engine.publish import CHANNEL, Publisher, events_of
from orderd.gateway import threads
from orderd.gateway.process import _queue_of, open_engine
from orderd.gateway.rpc import batch
from orderd.gateway.rpc.batch import Batcher
from orderd.gateway.streaming.subscription import Notifications, StreamEvent
from orderd.gateway.threads import DatabaseThreads
from orderd.process.wallet import fund_on_simnet, open_wallet
from orderd.queue.broker import MAX_ORDERS_PER_MESSAGE, QUEUE, redis_client
from orderd.queue.worker_process import WorkerProcess
from orderd.solana.rpc import RpcClient
from orderd.telemetry import configure_logging

BATCH_SIZE: Final = MAX_ORDERS_PER_MESSAGE
"""Number of orders in a full message."""
COMMITS: Final = "commits that write"
BYTES: Final = "bytes to a subscriber"
CYCLES: Final = "objects that only the collector frees"
_BATCHES: Final = {1: 16, BATCH_SIZE: 4}
"""Number of counted batches by their size."""
_WARM_UP: Final = 2
_FOR_EVER: Final = 10**9
_PATIENCE_SECONDS: Final = 30.0
_PREFETCH: Final = 4


class Subscriber:
    """Receives published events, and encodes them as for a client that follows all orders."""

    def __init__(self, client: "redis.Redis") -> None:
        self._encoder = Notifications(1)
        self._client = client  # keeps it alive, because it closes its connections when it is collected
        self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(CHANNEL)
        self._next("subscribe")
        self.bytes = 0

    def receive(self, events: int) -> None:
        """Wait for this many events. Raises TimeoutError."""
        while events > 0:
            for body in events_of(self._next("message")):
                self.bytes += sum(map(len, self._encoder.event(StreamEvent(body))))
                events -= 1

    def _next(self, kind: str) -> bytes:
        message = self._pubsub.get_message(timeout=_PATIENCE_SECONDS)
        if message is None:
            raise TimeoutError("no message was received")
        assert message["type"] == kind, message
        data: bytes = message["data"]
        return data


class Engine:
    """The parts of a gateway and of a worker with their own services, on a chain whose slot does not change."""

    def __init__(self, intake: Intake, worker: WorkerProcess, subscriber: Subscriber) -> None:
        self._intake = intake
        self._threads = DatabaseThreads("database", 1, _PATIENCE_SECONDS)
        self._worker = worker
        self._messages = worker.parts.broker.consume(QUEUE, _PREFETCH, timeout=int(_PATIENCE_SECONDS * 1000))
        self._subscriber = subscriber
        self._submitted = 0

    def trade(self, orders: int) -> None:
        """Trade one batch from its submission to its end. Raises OrderdError if an order is not accepted."""
        asyncio.run(self._submit([self._submission() for _ in range(orders)]))
        self._subscriber.receive(orders)
        self._work()
        self._subscriber.receive(3 * orders)  # started, routed, submitted
        self._worker.parts.settling._run_once()
        self._subscriber.receive(orders)

    async def _submit(self, submissions: Sequence[Submission]) -> None:
        """Submit all at once, as many connections can."""
        batcher = Batcher(self._intake.submit_batch, self._threads)
        await asyncio.gather(*map(batcher.submit, submissions))

    def _submission(self) -> Submission:
        self._submitted += 1
        pair = ("SOL", "USDC", "0.01") if self._submitted % 2 else ("USDC", "SOL", "1")
        given = dict(zip(("token_in", "token_out", "amount_in"), pair, strict=True))
        terms = self._intake.terms(GivenTerms.model_validate({**given, "slippage": "5"}))
        return Submission(DEFAULT_ACCOUNT, f"order-{self._submitted}", terms, Actor("budget"))

    def _work(self) -> None:
        """Process one message, as a thread of Dramatiq does."""
        message = next(self._messages)
        assert message is not None
        broker = self._worker.parts.broker
        broker.emit_before("process_message", message)
        result = broker.get_actor(message.actor_name)(*message.args)
        broker.emit_after("process_message", message, result=result)
        self._messages.ack(message)


@contextmanager
def running_in_process(state_dir: Path) -> Iterator[tuple[Engine, Subscriber]]:
    """An engine with its services, after a warm-up."""
    configure_logging("warning", "console")
    with ExitStack() as stack:
        postgres, queue = Postgres(state_dir), Redis(state_dir)
        for server in (postgres.start(), queue.start()):
            stack.callback(server.stop)
        chain = stack.enter_context(running_null_chain())
        given = SETTINGS | chain.settings | {"ORDERD_POOL_MAX_AGE_MS": str(_FOR_EVER), "ORDERD_CONFIG": os.devnull}
        given |= {
            "ORDERD_STATE_DIR": str(state_dir),
            "ORDERD_DATABASE_URL": postgres.url,
            "ORDERD_REDIS_URL": queue.url,
        }
        stack.enter_context(mock.patch.dict(os.environ, given))
        for module in (batch, threads):
            stack.enter_context(mock.patch.object(module, "ANSWER_SECONDS", _PATIENCE_SECONDS))
        # Without deadlines that split a batch, stored clock readings, and adoption of abandoned attempts.
        stack.enter_context(mock.patch.object(ClockWatch, "may_note", return_value=False))
        for limit in ("_ROUTING_SECONDS", "_WAITING_SECONDS"):
            stack.enter_context(mock.patch.object(turn, limit, float(_FOR_EVER)))
        stack.enter_context(mock.patch.object(OneWay, "_is_free", _is_free_after_the_answer))
        settings = Settings()
        connect(postgres.url, max_connections=20)
        stack.callback(database.close_all)
        migrate()
        wallet = open_wallet(settings)
        with closing(RpcClient(chain.url)) as rpc:
            fund_on_simnet(rpc, wallet.address)
        worker = WorkerProcess(settings, redis_client(queue.url))
        worker.parts.live._adopt_at = float("inf")
        worker.parts.live.on_watched = worker.parts.live.hint  # every transaction has landed
        client = redis_client(queue.url)
        publisher = Publisher(client)
        broker, limiter = _queue_of(settings, client)
        hand_over = HandOver(publisher, client, broker.sending, limiter.forget)
        gateway = open_engine(settings, client, publisher, broker, limiter, hand_over, "gateway")
        subscriber = Subscriber(redis_client(queue.url))
        engine = Engine(gateway.intake, worker, subscriber)
        chain.freeze()
        for _ in range(_WARM_UP):
            for orders in _BATCHES:
                engine.trade(orders)
        yield engine, subscriber


def _is_free_after_the_answer(connection: OneWay, is_free: Callable[[OneWay], bool] = OneWay._is_free) -> bool:
    """Without hand-overs that are made only because Redis has not answered yet."""
    if connection._owed:
        connection._connection.can_read(_PATIENCE_SECONDS)
    return is_free(connection)


def per_order() -> dict[int, dict[str, float]]:
    """Counts per order, by batch size."""
    with (
        tempfile.TemporaryDirectory(prefix="orderd-budget-") as directory,
        running_in_process(Path(directory)) as (engine, subscriber),
    ):
        return {orders: _counted(engine, subscriber, orders) for orders in _BATCHES}


def _counted(engine: Engine, subscriber: Subscriber, orders: int) -> dict[str, float]:
    sent, transactions = subscriber.bytes, _transactions()
    cycles = []
    gc.collect()
    gc.freeze()
    gc.disable()
    with counted() as counts:
        for _ in range(_BATCHES[orders]):
            engine.trade(orders)
            cycles.append(gc.collect())
    gc.enable()
    gc.unfreeze()
    # Cycles of orders are in every batch; now and then a connection or a timer leaves one.
    counts[CYCLES] = statistics.median_low(cycles) * len(cycles)
    counts[COMMITS] = _transactions() - transactions
    counts[BYTES] = subscriber.bytes - sent
    return {name: count / (orders * _BATCHES[orders]) for name, count in sorted(counts.items())}


def _transactions() -> int:
    """Number of transactions so far that have written."""
    with database.connection_context():
        (number,) = database.execute_sql("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
    return int(number)
