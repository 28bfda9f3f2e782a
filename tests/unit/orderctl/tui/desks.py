"""A static desk: orders with fixed ids and times, a clock that the test moves, and a scripted daemon."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, TypeVar
from uuid import UUID

import pytest

from orderctl.tui import requests
from orderctl.tui.app import OrderctlApp
from orderctl.tui.book import accepted, advanced
from orderctl.tui.desk import Desk
from orderctl.tui.screens import new_order
from orderctl.tui.widgets import depth_pane, order_panel
from orderd.client.errors import ClientError, RefusedError
from orderd.client.news import News, OnNews, Opened
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import AnyFact, Deferred
from orderd.domain.order import OrderKind, OrderStatus
from orderd.gateway.docs import record_examples as examples
from orderd.release import this_release
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.fills import HistoryResult
from orderd.wire.message import Message
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams, ListResult, OrderView
from orderd.wire.prices import PriceCandle, PricesResult, PricesSubscribeResult
from orderd.wire.problem import Problem
from orderd.wire.rpc import WIRE_VERSION, Method
from orderd.wire.status import EndpointView, RateLimitUse, ServiceHealth, StatusResult
from orderd.wire.subscriptions import Ready, Snapshot, UnsubscribeResult
from orderd.wire.tokens import TokensResult
from tests.samples.orders import (
    FILLED,
    LIMIT,
    METEORA,
    OCO,
    QUOTE,
    RAYDIUM,
    REFUSED_FOR_FUNDS,
    START,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TRAILING,
    TWAP,
    WITHDRAWN,
    detail_of,
    history,
)

A = TypeVar("A", bound=Message)
Answer = Message | ClientError | Callable[[Any], Message | ClientError]

NOW = START + timedelta(seconds=42)
WALLET = BalancesResult(
    wallet="AXUnC8Tiq4bfGkzPmgEXxNwWhD1bVw8C5yJrT3bVw8xZ",
    balances=(
        Balance(token="SOL", mint="So11111111111111111111111111111111111111112", amount="998.499995"),
        Balance(token="USDC", mint="EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", amount="152.310211"),
    ),
)
STATUS = StatusResult(
    version=this_release().version,
    wire_version=WIRE_VERSION,
    chain="simnet",
    wallet=WALLET.wallet,
    started_at=START,
    draining=False,
    services={"postgres": ServiceHealth(ok=True), "redis": ServiceHealth(ok=True), "rpc": ServiceHealth(ok=True)},
    orders={OrderStatus.PENDING: 3},
    rate_limit=RateLimitUse(limit=100, window_seconds=60, used=33, waiting=0),
    queue_depth=3,
    workers=2,
    slot=812,
    endpoints=(
        EndpointView(
            host="mainnet.rpc.example.com",
            window_seconds=60,
            processes=3,
            requests=1_204,
            latency_ms=11.2,
            latency_p99_ms=48.9,
            unanswered=0,
            refused=0,
            rate_limited=3,
            errors=1,
            slot=812,
            slot_lag=2,
        ),
    ),
)
PRICES = tuple(
    QUOTE.model_copy(
        update={
            "amount_in": "1",
            "quotes": (
                RAYDIUM.model_copy(update={"price": f"101.5{step * 7 % 10}"}),
                METEORA.model_copy(update={"price": f"101.4{step * 3 % 10}"}),
            ),
        }
    )
    for step in range(60)
)


CANDLES = tuple(
    PriceCandle(
        at=START.replace(second=0, microsecond=0) - timedelta(minutes=240 - step),
        open=f"{100 + step * 37 % 11 / 4:.2f}",
        high=f"{101.5 + step * 29 % 13 / 4:.2f}",
        low=f"{98.5 + step * 23 % 7 / 4:.2f}",
        close=f"{100 + (step + 1) * 37 % 11 / 4:.2f}",
    )
    for step in range(240)
)


class Clock:
    """Does not move by itself."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class ScriptedCaller:
    """A daemon in the same process. Sends ``news`` when the connection opens, and later what ``send`` is given."""

    def __init__(self, *news: News) -> None:
        self.calls: list[tuple[Method, Message]] = []
        self.answers: dict[Method, Answer] = {
            Method.STATUS: STATUS,
            Method.BALANCES: WALLET,
            Method.QUOTE: QUOTE,
            Method.HISTORY: HistoryResult(fills=(), totals=None, next_cursor=None),
            Method.PRICES: PricesResult(base="SOL", quote="USDC", interval="1m", candles=CANDLES),
            Method.PRICES_SUBSCRIBE: PricesSubscribeResult(
                subscription=7, base="SOL", quote="USDC", interval="1m", candles=CANDLES[-2:]
            ),
            Method.PRICES_UNSUBSCRIBE: UnsubscribeResult(removed=True),
            Method.TOKENS: TokensResult(tokens=QUOTE.tokens),
            Method.ORDERS_LIST: ListResult(orders=(), next_cursor=None),
            Method.ORDER_GET: detail,
        }
        self._news = news
        self._on_news: OnNews | None = None
        self._error: asyncio.Future[None] | None = None

    async def run(self, on_news: OnNews) -> None:
        self._on_news = on_news
        self._error = asyncio.get_running_loop().create_future()
        for item in self._news:
            on_news(item)
        await self._error

    def send(self, *news: News) -> None:
        assert self._on_news is not None, "nobody listens yet"
        for item in news:
            self._on_news(item)

    def fail(self, error: ClientError) -> None:
        assert self._error is not None, "nobody listens yet"
        self._error.set_exception(error)

    async def call(self, method: Method, params: Message, answer: type[A]) -> A:
        self.calls.append((method, params))
        given = self.answers[method]
        result = given if isinstance(given, Message | ClientError) else given(params)
        if isinstance(result, ClientError):
            raise result
        assert isinstance(result, answer), f"{method} is scripted with {type(result).__name__}"
        return result

    def called(self, method: Method) -> list[Any]:
        """The parameters of all calls of ``method``."""
        return [params for known, params in self.calls if known is method]


def order_id(number: int) -> UUID:
    return UUID(f"0199d3a0-{number:04x}-7abc-8def-0123456789ab")


def order(number: int, facts: tuple[AnyFact, ...], **changes: Any) -> OrderView:
    """The ``number``th order after these facts, started ``number`` seconds after the first."""
    first, *events = history(facts, order_id(number))
    now = reduce(advanced, events, accepted(first))
    begun = timedelta(seconds=number)
    times = {"created_at": now.created_at + begun, "updated_at": now.updated_at + begun}
    return now.model_copy(update=times | changes)


WAITING: tuple[AnyFact, ...] = (
    FILLED[0],
    Deferred(until=NOW + timedelta(seconds=9), reason="the rate limit of 100 starts in 60 s is reached"),
)
TERMS = (
    {"token_in": "USDC", "token_out": "SOL", "amount_in": "250"},
    {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"},
    {"token_in": "SOL", "token_out": "CHILLGUY", "amount_in": "0.125"},
)


STAGES = (FILLED[:1], WAITING, FILLED[:2], FILLED[:3], FILLED[:4])


def twenty() -> list[OrderView]:
    """Twenty active orders in every stage, over three pairs."""
    return [order(number, STAGES[number % 5], **TERMS[number % 3]) for number in range(20)]


RESTS = (
    (LIMIT, {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}, None),
    (STOP, {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}, None),
    (STOP_LIMIT, {"token_in": "SOL", "token_out": "USDC", "amount_in": "20"}, None),
    (TAKE_PROFIT, {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.25"}, None),
    (TRAILING, {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}, "153.2"),
    (LIMIT, {"token_in": "SOL", "token_out": "CHILLGUY", "amount_in": "0.125"}, None),
)


def at_rest() -> ScriptedCaller:
    """A resting order of each kind, one with an unknown market, and one in flight."""
    orders = [
        order(number, (accepted.model_copy(update=pair),), best_amount_out=best)
        for number, (accepted, pair, best) in enumerate(RESTS, start=1)
    ]
    caller = ScriptedCaller(*snapshots([order(0, FILLED[:3]), *orders]))
    trails = tuple(each for each in orders if each.kind is OrderKind.TRAILING)
    caller.answers[Method.ORDERS_LIST] = lambda params: ListResult(
        orders=trails if params.kind else tuple(three_that_ended()), next_cursor=None
    )
    no_pool = RefusedError(Problem.of(OrderdError(ErrorCode.ROUTE_NOT_FOUND, "no venue has a pool")))
    caller.answers[Method.QUOTE] = lambda params: QUOTE if params.token_out == "USDC" else no_pool
    caller.answers[Method.ORDER_GET] = lambda params: OrderDetail(
        order=next(each for each in orders if str(each.id) == params.order), events=(), attempts=(), failures=()
    )
    return caller


def families() -> ScriptedCaller:
    """A market order, an OCO with two resting children, and a TWAP in its third execution.

    The first two executions of the TWAP are reported by the daemon only on request.
    """
    part = FILLED[0].model_copy(update={"amount_in": "0.3", "parent_id": order_id(2)})
    ends = [terms.model_copy(update={"parent_id": order_id(1)}) for terms in (TAKE_PROFIT, STOP)]
    sold = {"filled_amount_in": "0.6", "next_at": NOW + timedelta(seconds=19)}
    twap, third = order(2, (TWAP,), **sold), order(7, (part, *FILLED[1:3]))
    parts = [order(number, (part, *FILLED[1:]), amount_in="0.3") for number in (5, 6)]
    active = [order(0, FILLED[:3]), order(1, (OCO,)), order(3, (ends[0],)), order(4, (ends[1],)), twap, third]
    caller = ScriptedCaller(*snapshots(active))
    caller.answers[Method.ORDERS_LIST] = ListResult(orders=tuple(three_that_ended()), next_cursor=None)
    caller.answers[Method.ORDER_GET] = lambda params: OrderDetail(
        order=next(each for each in active if str(each.id) == params.order),
        events=(),
        attempts=(),
        failures=(),
        children=(*parts, third) if params.order == str(twap.id) else (),
    )
    return caller


def detail(params: GetParams) -> OrderDetail:
    """The details of one of the twenty orders, or of a filled one."""
    number = int(params.order[9:13], 16)
    found = detail_of(STAGES[number % 5] if number < 20 else FILLED, order_id(number))
    return found.model_copy(update={"order": order(number, tuple(event.data for event in found.events))})


def three_that_ended() -> list[OrderView]:
    return [
        order(30, FILLED, updated_at=START + timedelta(seconds=31)),
        order(31, REFUSED_FOR_FUNDS, updated_at=START + timedelta(seconds=33)),
        order(32, WITHDRAWN, updated_at=START + timedelta(seconds=35)),
    ]


def snapshots(orders: list[OrderView]) -> list[News]:
    """The first messages of a connection."""
    shown: list[News] = [Snapshot(subscription=1, order=order) for order in orders]
    return [Opened(), *shown, Ready(subscription=1, orders=len(orders))]


def busy() -> ScriptedCaller:
    """Twenty active orders and three that ended."""
    caller = ScriptedCaller(*snapshots(twenty()))
    caller.answers[Method.ORDERS_LIST] = ListResult(orders=tuple(three_that_ended()), next_cursor=None)
    return caller


def traded() -> ScriptedCaller:
    """The same orders with fills and profits."""
    caller = busy()
    caller.answers[Method.HISTORY] = examples.HISTORY
    caller.answers[Method.PORTFOLIO] = examples.PORTFOLIO
    caller.answers[Method.PNL] = examples.PNL
    return caller


def poll_once(monkeypatch: pytest.MonkeyPatch, *, read_seconds: float) -> None:
    """Send every query once without delay, except for ``read_seconds`` between two readings of an order."""
    monkeypatch.setattr(requests, "STATUS_SECONDS", 3600)
    monkeypatch.setattr(requests, "BALANCES_SECONDS", 3600)
    monkeypatch.setattr(requests, "PRICE_SECONDS", 3600)
    monkeypatch.setattr(requests, "CANDLES_SECONDS", 3600)
    monkeypatch.setattr(requests, "FILLS_SECONDS", 3600)
    monkeypatch.setattr(requests, "SETTLED_SECONDS", 0)
    monkeypatch.setattr(order_panel, "SETTLED_SECONDS", 0)
    monkeypatch.setattr(depth_pane, "SETTLED_SECONDS", 3600)
    monkeypatch.setattr(order_panel, "READ_SECONDS", read_seconds)
    monkeypatch.setattr(new_order, "TYPING_SECONDS", 0)
    monkeypatch.setattr(new_order, "QUOTE_SECONDS", 3600)


def application(caller: ScriptedCaller, clock: Clock | None = None, *, read_only: bool = False) -> OrderctlApp:
    """The app with known prices of the last minutes."""
    desk = Desk("ws://127.0.0.1:3000/", read_only, clock or Clock())
    for quote in PRICES:
        desk.prices.add(desk.pair, quote)
    return OrderctlApp(desk, caller)
