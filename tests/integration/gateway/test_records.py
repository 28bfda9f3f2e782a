"""Fills, candles and prices are the same over the websocket and over HTTP."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

import httpx
import pytest

from db import candles
from db.candles import PairCandle
from db.connection import database
from orderd.client import AsyncClient, Endpoint, News
from orderd.domain.candles import HOUR, MINUTE, begins, single
from orderd.domain.times import format_moment
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.gateway.streaming.price_feed import MAX_OF_CONNECTION
from orderd.wire.prices import CandleChange, PricesSubscribeParams, PricesSubscribeResult
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Ready
from tests.integration.engine.test_history import filled
from tests.integration.gateway.conftest import CallRefusedError, Rig
from tests.integration.gateway.test_rest import problem

pytestmark = pytest.mark.asyncio


def _filled() -> UUID:
    with database.connection_context():
        return filled().id


async def test_fills_are_returned_in_linked_pages(rig: Rig, http: httpx.AsyncClient) -> None:
    orders = [str(await asyncio.to_thread(_filled)) for _ in range(3)]
    first = await http.get("/api/history", params={"limit": 2, "kind": "market"})
    following = first.links["next"]["url"]
    last = await http.get(following)
    assert [fill["order_id"] for answer in (first, last) for fill in answer.json()["fills"]] == orders[::-1]
    assert "link" not in last.headers
    assert (first.json()["totals"]["fills"], last.json()["totals"]) == (3, None)
    async with rig.client() as client:
        assert await client.call("history", limit=2, kind=["market"]) == first.json()


async def test_prices_of_a_pair_are_returned_as_candles(rig: Rig, http: httpx.AsyncClient) -> None:
    at = begins(datetime.now(UTC), MINUTE)
    await asyncio.to_thread(_keep, PairCandle(WSOL_MINT, USDC_MINT, MINUTE, single(at, Decimal(142), MINUTE)))
    asked = {"pair": "usdc/sol", "from": format_moment(at)}
    answer = await http.get("/api/prices", params=asked)
    candle = dict.fromkeys(("open", "high", "low", "close"), "142")
    expected = {"at": format_moment(at), **candle}
    assert answer.json() == {"base": "SOL", "quote": "USDC", "interval": "1m", "candles": [expected]}
    async with rig.client() as client:
        assert await client.call("prices", **asked) == answer.json()


def _keep(candle: PairCandle) -> None:
    with database.connection_context():
        candles.add([candle])


async def test_a_follower_of_a_pair_gets_its_newest_candles_and_then_each_change_once(rig: Rig) -> None:
    at = begins(datetime.now(UTC), HOUR)
    hour = partial(single, at, seconds=HOUR)
    await asyncio.to_thread(_keep, PairCandle(WSOL_MINT, USDC_MINT, HOUR, hour(Decimal(142))))
    async with rig.client() as client:
        subscribed = await client.call("prices.subscribe", pair="usdc/sol", interval="1h")
        flat = {"at": format_moment(at), **dict.fromkeys(("open", "high", "low", "close"), "142")}
        assert (subscribed["base"], subscribed["quote"], subscribed["interval"], subscribed["candles"]) == (
            "SOL",
            "USDC",
            "1h",
            [flat],
        )
        await asyncio.to_thread(_keep, PairCandle(WSOL_MINT, USDC_MINT, HOUR, hour(Decimal(143))))
        async with asyncio.timeout(20):
            change = await client.prices.get()
            assert (change.subscription, change.base, change.quote) == (subscribed["subscription"], "SOL", "USDC")
            assert change.candle.model_dump(mode="json") == flat | {"high": "143", "close": "143"}
            await asyncio.to_thread(_keep, PairCandle(WSOL_MINT, USDC_MINT, HOUR, hour(Decimal(141))))
            assert (await client.prices.get()).candle.close == "141", "a candle was sent twice"
        assert await client.call("prices.unsubscribe", subscription=subscribed["subscription"]) == {"removed": True}
        assert await client.call("prices.unsubscribe", subscription=subscribed["subscription"]) == {"removed": False}


async def test_the_asynchronous_client_reports_prices(rig: Rig) -> None:
    news = asyncio.Queue[News]()
    client = AsyncClient(Endpoint(f"ws://127.0.0.1:{rig.port}/"))
    running = asyncio.create_task(client.run(news.put_nowait))
    async with asyncio.timeout(20):
        while not isinstance(await news.get(), Ready):
            pass
        followed = PricesSubscribeParams(pair="SOL/USDC")
        subscribed = await client.call(Method.PRICES_SUBSCRIBE, followed, PricesSubscribeResult)
        now = single(datetime.now(UTC), Decimal(142), MINUTE)
        await asyncio.to_thread(_keep, PairCandle(WSOL_MINT, USDC_MINT, MINUTE, now))
        while not isinstance(change := await news.get(), CandleChange):
            pass
    assert (change.subscription, change.candle.close) == (subscribed.subscription, "142")
    running.cancel()


async def test_a_subscription_to_prices_refuses_unknown_and_too_many_pairs(rig: Rig) -> None:
    async with rig.client() as client:
        for _ in range(MAX_OF_CONNECTION):
            await client.call("prices.subscribe", pair="SOL/USDC")
        with pytest.raises(CallRefusedError, match="SERVICE_OVERLOADED"):
            await client.call("prices.subscribe", pair="SOL/USDC")
        with pytest.raises(CallRefusedError, match="TOKEN_UNKNOWN"):
            await client.call("prices.subscribe", pair="SOL/UDSC")


async def test_prices_read_for_quotes_are_stored(rig: Rig) -> None:
    called = asyncio.Event()
    loop = asyncio.get_running_loop()

    def record() -> None:
        loop.call_soon_threadsafe(called.set)

    rig.gateway._record_prices = record
    await asyncio.wait_for(called.wait(), 10)


async def test_invalid_queries_are_refused(http: httpx.AsyncClient) -> None:
    problem(await http.get("/api/history?since=yesterday"), 422, "TIME_INVALID")
    problem(await http.get("/api/history?cursor=1"), 422, "REQUEST_INVALID")
    problem(await http.get("/api/prices?pair=SOL"), 422, "TOKEN_UNKNOWN")
    problem(await http.get("/api/prices?pair=SOL/USDC&interval=1s"), 422, "TIME_INVALID")
    problem(await http.get("/api/history?token=UDSC"), 422, "TOKEN_UNKNOWN")
