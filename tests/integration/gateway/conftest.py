"""A gateway on a free port, on a real Postgres and Redis. The market is faked; tests play the workers."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import uvloop
from pydantic import TypeAdapter
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from db import halts, journal
from db.connection import database
from db.journal import Change
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import AnyFact, Deferred
from orderd.domain.halt import Halt
from orderd.domain.order import OrderKind
from orderd.domain.retry import RetryPolicy
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of
from orderd.engine.handover import HandOver
from orderd.engine.intake import Intake
from orderd.engine.next_execution import NextExecution
from orderd.engine.publish import Publisher
from orderd.engine.settlement.outcome import Outcomes
from orderd.engine.settlement.resolution import Resolution
from orderd.engine.status_report import Counts, LineState, OpenOrders, Stored, WaitingAlerts
from orderd.engine.token_desk import TokenDesk
from orderd.gateway.server import Engine, Gateway
from orderd.queue.broker import OrderBroker, redis_client
from orderd.solana.keys import create_wallet
from orderd.solana.observer import Observer
from orderd.solana.rpc import RpcClient
from orderd.solana.rpc_types import EpochInfo
from orderd.wire.balances import BalancesResult
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.prices import CandleChange
from orderd.wire.problem import Problem
from orderd.wire.quotes import PreviewResult, QuoteResult, SimulatedFill
from orderd.wire.rpc import PRICE_CANDLE
from orderd.wire.status import QueueMetrics
from orderd.wire.subscriptions import Event, Heartbeat, Notification, Ready, ResyncRequired, Snapshot
from tests.integration.engine.conftest import WALLET, ScriptedChain
from tests.samples.mints import MintChain
from tests.samples.orders import status_after

_News = Snapshot | ResyncRequired | Event | Ready
_NOTIFICATION: TypeAdapter[_News] = TypeAdapter(Notification)


def pytest_asyncio_loop_factories(item: pytest.Function) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop, as in the gateway; gateways in separate processes are started with asyncio's loop."""
    return {"asyncio": asyncio.new_event_loop} if "start" in item.fixturenames else {"uvloop": uvloop.new_event_loop}


class CallRefusedError(Exception):
    """The call was answered with an error."""

    def __init__(self, code: int, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.code = code
        self.problem = problem


@dataclass
class Client:
    """A client of the port; collects notifications while it waits for answers."""

    websocket: ClientConnection
    notifications: asyncio.Queue[_News] = field(default_factory=asyncio.Queue)
    heartbeats: asyncio.Queue[Heartbeat] = field(default_factory=asyncio.Queue)
    prices: asyncio.Queue[CandleChange] = field(default_factory=asyncio.Queue)
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _next: int = 0

    async def listen(self) -> None:
        adapter = TypeAdapter[Any](Any)
        async for text in self.websocket:
            message = adapter.validate_json(text)
            if message.get("method") == "order.event":
                self.notifications.put_nowait(_NOTIFICATION.validate_python(message["params"]))
            elif message.get("method") == "heartbeat":
                self.heartbeats.put_nowait(Heartbeat.model_validate(message["params"]))
            elif message.get("method") == PRICE_CANDLE:
                self.prices.put_nowait(CandleChange.model_validate(message["params"]))
            elif "error" in message:
                error = CallRefusedError(message["error"]["code"], Problem.model_validate(message["error"]["data"]))
                self._answers.pop(message["id"]).set_exception(error)
            else:
                self._answers.pop(message["id"]).set_result(message["result"])

    async def call(self, method: str, **params: Any) -> Any:
        self._next += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._next] = answer
        request = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}
        async with asyncio.timeout(10):
            await self.websocket.send(TypeAdapter(dict).dump_json(request).decode())
            return await answer

    async def submit(self, client_order_id: str, amount: str = "1.5") -> UUID:
        result = await self.call(
            "order.submit", token_in="SOL", token_out="USDC", amount_in=amount, client_order_id=client_order_id
        )
        return UUID(result["order"]["id"])

    async def next(self) -> _News:
        async with asyncio.timeout(10):
            return await self.notifications.get()

    async def events(self, count: int) -> list[tuple[UUID, int]]:
        """Order id and seq of the next ``count`` notifications, which must be events."""
        found = []
        for _ in range(count):
            notification = await self.next()
            assert isinstance(notification, Event), notification
            found.append((notification.event.order_id, notification.event.seq))
        return found


@dataclass
class PlayedMarket:
    """A market that refuses every quote unless a test replaces a method."""

    def quote(self, terms: OrderTerms) -> QuoteResult:
        raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, f"no pool trades {terms.token_in.symbol}")

    def preview(self, terms: OrderTerms) -> PreviewResult:
        raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, f"no pool trades {terms.token_in.symbol}")

    def simulate_fill(self, following: NextExecution) -> SimulatedFill:
        raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, f"no pool trades {following.order.token_in.symbol}")

    def check_prices(self, terms: OrderTerms) -> None:
        """Accept all prices."""

    def bounded(self, terms: OrderTerms) -> OrderTerms:
        """Every token bought costs one token."""
        bought, sold = terms.token_out.decimals, terms.token_in.decimals
        return terms if terms.exact_out is None else replace(terms, max_in=terms.exact_out * 10**sold // 10**bought)

    def notional(self, terms: OrderTerms) -> int:
        """Every token sold is worth 100 USDC."""
        return (terms.amount_in or terms.max_in or 0) * 100_000_000 // int(10**terms.token_in.decimals)

    def balances(self) -> BalancesResult:
        return BalancesResult(wallet="wallet", balances=())

    def pools(self, params: PoolsParams) -> PoolsResult:
        return PoolsResult(pools=(), refusals=(), slot=None)


class PlayedQuestions:
    """Postgres decides whether orders are accepted; all other figures are invented."""

    def takes_orders(self) -> str:
        return str(database.execute_sql("SELECT ''").fetchone()[0])

    def halts(self) -> tuple[Halt, ...]:
        return halts.current()

    def counts(self) -> Counts:
        return Counts({}, 0)

    def stored(self) -> Stored:
        return Stored({"orders": 8192}, {"events": 4}, 65_536)

    def open_orders(self) -> dict[OrderKind, OpenOrders]:
        return {OrderKind.LIMIT: OpenOrders(2, 60.0)}

    def alerts(self) -> dict[str, WaitingAlerts]:
        return {"bot": WaitingAlerts(3, 30.0)}

    def balances(self) -> dict[str, float]:
        return {"SOL": 1.5}

    def queue(self) -> QueueMetrics:
        return QueueMetrics(waiting=1, active=2, delayed=3, confirmed=4, failed=5, rate_limit=None)

    def line(self) -> LineState:
        return LineState(used=3, waiting=1, depth=7, workers=2, policy="noeviction")

    def tip(self) -> EpochInfo:
        return EpochInfo(absolute_slot=1, block_height=1, epoch=0)


@dataclass
class Rig:
    """A running gateway, and methods that play its workers."""

    settings: Settings
    gateway: Gateway
    intake: Intake
    market: PlayedMarket
    mints: MintChain
    publisher: Publisher
    stop: asyncio.Event
    port: int
    served: "asyncio.Task[None]"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Client]:
        async with connect(self.url, compression=None, proxy=None, **options) as websocket:
            client = Client(websocket)
            listening = asyncio.create_task(client.listen())
            try:
                yield client
            finally:
                listening.cancel()
                await asyncio.wait([listening])

    async def happen(self, order_id: UUID, *facts: AnyFact, publish: bool = True) -> None:
        """Store ``facts`` for an order that does not rest, one commit each."""
        for fact in facts:
            moved = await asyncio.to_thread(_apply, Change(order_id, fact, None, to=status_after(fact.kind)))
            if publish:
                await asyncio.to_thread(self.publisher.publish, moved)


def _apply(change: Change) -> list[journal.Moved]:
    with database.connection_context():
        moved = journal.apply([change])
    assert moved, f"{change.fact.kind} did not take effect"
    return moved


def deferred(reason: str = "slot") -> Deferred:
    """A fact that a test may store repeatedly for a pending order."""
    return Deferred(until=datetime.now(UTC), reason=reason)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, port=0, drain_seconds=5)


@pytest_asyncio.fixture
async def rig(connected: str, redis_url: str, settings: Settings) -> AsyncIterator[Rig]:
    async with _serving(redis_url, settings) as rig:
        yield rig


@pytest_asyncio.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the rig. It loads no certificate authorities, which would take as long as a test."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.port}", trust_env=False, verify=False) as client:
        yield client


@pytest_asyncio.fixture
async def other_rig(rig: Rig, redis_url: str, settings: Settings) -> AsyncIterator[Rig]:
    """A second gateway over the Postgres and Redis of the first."""
    async with _serving(redis_url, settings) as other:
        yield other


@asynccontextmanager
async def _serving(redis_url: str, settings: Settings) -> AsyncIterator[Rig]:
    client = redis_client(redis_url)
    publisher = Publisher(client)
    market = PlayedMarket()
    hand_over = HandOver(publisher, client, OrderBroker(client).sending, lambda _: None)
    mints = MintChain()
    desk = TokenDesk(registry_of("simnet"), cast("RpcClient", mints))
    intake = Intake(desk.registry, settings.default_slippage, hand_over.send, hand_over.forget)
    outcomes = Outcomes(WALLET, RetryPolicy())
    chain = ScriptedChain(block_height=200)  # after the last block in which an attempt may land
    resolution = Resolution(lambda: cast("Observer", chain), outcomes, WALLET, publisher, lambda: 400)
    engine = Engine(intake, desk, market, PlayedQuestions(), resolution, WALLET)
    gateway = Gateway(settings, engine, Redis.from_url(redis_url))
    stop, listening = asyncio.Event(), asyncio.get_running_loop().create_future()
    served = asyncio.create_task(gateway.serve(stop, lambda _, port: listening.set_result(port)))
    await asyncio.wait([served, listening], return_when=asyncio.FIRST_COMPLETED)
    if served.done():
        served.result()
    yield Rig(settings, gateway, intake, market, mints, publisher, stop, listening.result(), served)
    stop.set()
    async with asyncio.timeout(10):
        await served
    hand_over.close(5)
    publisher.close(5)
    client.close()


Start = Callable[..., Awaitable["asyncio.subprocess.Process"]]


@pytest_asyncio.fixture
async def start(tmp_path: Path, postgres_url: str, redis_url: str) -> AsyncIterator[Start]:
    """Starts gateways; kills those that still run after the test."""
    create_wallet(tmp_path / "wallet.json")
    started: list[asyncio.subprocess.Process] = []

    async def start(**settings: str) -> asyncio.subprocess.Process:
        given = {
            "state_dir": str(tmp_path),
            "port": "0",
            "database_url": postgres_url,
            "redis_url": redis_url,
            "rpc_url": "http://127.0.0.1:1",
        } | settings
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "orderd.main",
            "gateway",
            env=os.environ | {f"ORDERD_{name.upper()}": value for name, value in given.items()},
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def log_until(process: asyncio.subprocess.Process, action: str) -> dict[str, object]:
    """The first log line with this action; fails if the process ends before."""
    assert process.stderr is not None
    seen = b""
    async with asyncio.timeout(30):
        while line := await process.stderr.readline():
            seen += line
            if line.startswith(b"{") and json.loads(line)["action"] == action:
                return dict(json.loads(line))
    raise AssertionError(seen.decode())
