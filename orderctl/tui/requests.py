"""The periodic requests to the daemon while there is a connection: its state, the wallet and prices."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from fractions import Fraction
from time import perf_counter

from orderctl.display.pairs import know
from orderctl.display.resting import is_open
from orderctl.trading.charting import fills_wanted
from orderctl.trading.polling import MAX_ORDERS, pairs_at_rest
from orderctl.tui.desk import Desk
from orderctl.tui.prices import Pair
from orderd.client.errors import ClientError, RefusedError
from orderd.client.news import Caller
from orderd.client.protocol import params_of
from orderd.domain.errors import ErrorCode
from orderd.domain.order import TERMINAL, OrderKind, OrderStatus
from orderd.wire.balances import BalancesResult
from orderd.wire.fills import HistoryParams, HistoryResult
from orderd.wire.message import NoParams
from orderd.wire.orders import ListParams, ListResult
from orderd.wire.prices import PricesResult, PricesSubscribeParams, PricesSubscribeResult
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult
from orderd.wire.subscriptions import UnsubscribeParams, UnsubscribeResult
from orderd.wire.tokens import TokensResult

STATUS_SECONDS = 1.0
BALANCES_SECONDS = 2.0
PRICE_SECONDS = 2.0
CANDLES_SECONDS = 5.0
FILLS_SECONDS = 2.0
SETTLED_SECONDS = 0.2
"""A pair is requested when the cursor has stayed on it for this long."""
TOO_SMALL = (ErrorCode.ROUTE_AMOUNT_TOO_SMALL, ErrorCode.AMOUNT_TOO_PRECISE)
ENDED_AT_START = 50
PAGE = 500
FILLS = 200
"""Number of fills in the table."""


class PeriodicRequests:
    """Sends periodic requests and stores the results in the desk. ``is_connected`` is set while connected."""

    def __init__(self, desk: Desk, caller: Caller) -> None:
        self.is_connected = asyncio.Event()
        self._desk = desk
        self._caller = caller

    # Loops

    async def status(self) -> None:
        """Request it periodically."""
        await self._repeat(self._request_status, "status", STATUS_SECONDS)

    async def balances(self) -> None:
        """Request it periodically."""
        await self._repeat(self._request_balances, "balances", BALANCES_SECONDS)

    async def price(self) -> None:
        """Request the price of the desk's pair repeatedly."""
        await asyncio.sleep(SETTLED_SECONDS)
        await self._repeat(self._request_price, "quote", PRICE_SECONDS)

    async def candles(self) -> None:
        """Read the candles of the chart and the trader's fills; if the chart ends now, subscribe to changes.

        If the daemon is older and has no such subscription, candles are read repeatedly.
        """
        filled = -1
        chart = self._desk.chart
        await self._unfollow_candles()
        while chart.room:
            if chart.subscription is None:
                await self._request(self._request_candles, "prices")
            if self._desk.book.filled != filled and self._desk.chart.prices is not None:
                filled = self._desk.book.filled
                with suppress(ClientError):  # candles are useful without fills
                    await self._request_marks()
            await asyncio.sleep(SETTLED_SECONDS)
            if chart.subscription is None and chart.prices is not None and not chart.back:
                with suppress(ClientError):
                    await self._follow_candles()
            await asyncio.sleep(CANDLES_SECONDS)

    async def fills(self) -> None:
        """Read the newest fills after each new fill."""
        filled = -1
        while True:
            if self._desk.book.filled != filled:
                filled = self._desk.book.filled
                await self._request(self._request_fills, "history")
            await asyncio.sleep(FILLS_SECONDS)

    async def _request_candles(self) -> None:
        desk = self._desk
        wanted = desk.chart.wanted(desk.pair, desk.clock())
        desk.chart.prices = await self._caller.call(Method.PRICES, wanted, PricesResult)

    async def _follow_candles(self) -> None:
        desk = self._desk
        wanted = PricesSubscribeParams(pair="/".join(desk.pair), interval=desk.chart.interval)
        now = await self._caller.call(Method.PRICES_SUBSCRIBE, wanted, PricesSubscribeResult)
        desk.chart.subscription = now.subscription
        for candle in now.candles:
            desk.chart.take(candle)

    async def _unfollow_candles(self) -> None:
        subscription, self._desk.chart.subscription = self._desk.chart.subscription, None
        if subscription is not None:
            params = UnsubscribeParams(subscription=subscription)
            with suppress(ClientError):
                await self._caller.call(Method.PRICES_UNSUBSCRIBE, params, UnsubscribeResult)

    async def _request_marks(self) -> None:
        chart = self._desk.chart
        if chart.prices is not None and chart.prices.candles:
            wanted = fills_wanted(chart.prices).model_copy(update={"limit": PAGE})
            chart.fills = (await self._caller.call(Method.HISTORY, wanted, HistoryResult)).fills

    async def _request_fills(self) -> None:
        self._desk.history = await self._caller.call(Method.HISTORY, HistoryParams(limit=FILLS), HistoryResult)

    # Orders

    async def distances(self) -> None:
        """Request the market prices of resting orders repeatedly."""
        while True:
            await self.is_connected.wait()
            # Unknown data is not shown.
            with suppress(ClientError):
                await self._request_markets()
                await self._request_unpriced()
            await asyncio.sleep(PRICE_SECONDS)

    async def catch_up(self) -> None:
        """Read recently ended orders, and those that ended during a disconnection.

        Raises ClientError.
        """
        book, cursor = self._desk.book, None
        while True:
            size = PAGE if book.unconfirmed else ENDED_AT_START
            params = ListParams(status=tuple(sorted(TERMINAL)), limit=size, cursor=cursor)
            page = await self._caller.call(Method.ORDERS_LIST, params, ListResult)
            book.put_all(page.orders)
            cursor = page.next_cursor
            if cursor is None or not book.unconfirmed or page.orders[-1].id < min(book.unconfirmed):
                break
        book.forget_missing()
        with suppress(RefusedError):  # optional
            await self._learn_tokens()

    async def _learn_tokens(self) -> None:
        tokens = (await self._caller.call(Method.TOKENS, NoParams(), TokensResult)).tokens
        know(tokens)
        self._desk.symbols = tuple(token.symbol for token in tokens)

    # Single requests

    async def _repeat(self, request: Callable[[], Awaitable[None]], name: str, seconds: float) -> None:
        while True:
            await self._request(request, name)
            await asyncio.sleep(seconds)

    async def _request(self, request: Callable[[], Awaitable[None]], name: str) -> None:
        await self.is_connected.wait()
        try:
            await request()
        except RefusedError as error:
            self._desk.received_at = self._desk.clock()
            self._desk.errors[name] = error
        except ClientError:
            # The banner shows errors of the connection.
            pass
        else:
            self._desk.received_at = self._desk.clock()
            self._desk.errors.pop(name, None)

    async def _request_status(self) -> None:
        began = perf_counter()
        status = await self._caller.call(Method.STATUS, NoParams(), StatusResult)
        self._desk.status = status
        self._desk.answers.record(status, self._desk.clock(), (perf_counter() - began) * 1000)

    async def _request_balances(self) -> None:
        self._desk.wallet = await self._caller.call(Method.BALANCES, NoParams(), BalancesResult)

    async def _request_price(self) -> None:
        await self._request_price_of(self._desk.pair)

    async def _request_price_of(self, pair: Pair) -> None:
        series = self._desk.prices.of(pair)
        params = params_of(QuoteParams, token_in=pair[0], token_out=pair[1], amount_in=f"{series.probe:f}")
        try:
            quote = await self._caller.call(Method.QUOTE, params, QuoteResult)
        except RefusedError as error:
            self._desk.market.pop(pair, None)
            if error.problem.code in TOO_SMALL:
                series.enlarge_probe()
            raise
        know(quote.tokens)
        self._desk.prices.add(pair, quote)
        self._desk.answers.quoted(quote)
        self._desk.market[pair] = Fraction(quote.chosen.price)

    async def _request_markets(self) -> None:
        """Request the prices of the pairs of resting orders, except the desk's pair."""
        resting = pairs_at_rest(self._desk.book.active.values())
        pairs = [pair for pair in resting if pair != self._desk.pair][:MAX_ORDERS]
        for pair in self._desk.market.keys() - {*pairs, self._desk.pair}:
            del self._desk.market[pair]
        for pair in pairs:
            with suppress(RefusedError):
                await self._request_price_of(pair)

    async def _request_unpriced(self) -> None:
        """Read data that events do not contain: best prices of trailing stops, and times of the next TWAP
        executions."""
        book = self._desk.book
        kinds = {order.kind for order in book.active.values() if is_open(order)}
        if wanted_kinds := tuple(kind for kind in (OrderKind.TRAILING, OrderKind.TWAP) if kind in kinds):
            params = ListParams(status=(OrderStatus.OPEN,), kind=wanted_kinds, limit=PAGE)
            book.put_all((await self._caller.call(Method.ORDERS_LIST, params, ListResult)).orders)
