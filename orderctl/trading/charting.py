"""Collects the data of a chart: candles of a pair, the trader's fills, and the prices that orders wait for."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from orderctl.display.candles import Chart, Mark, PriceLevel
from orderctl.trading.fills import read_fills
from orderctl.trading.paging import pages
from orderd.domain.candles import Candle
from orderd.domain.order import RESTING
from orderd.domain.times import format_moment, parse_span
from orderd.wire.fills import HistoryFill, HistoryParams
from orderd.wire.orders import ListParams, OrderView
from orderd.wire.prices import PricesResult

if TYPE_CHECKING:
    from orderd.client.connection import Client


def chart_of(client: "Client", prices: PricesResult) -> Chart:
    """The chart of prices with at least one candle, and the fills of that period. Raises what Client.call raises."""
    fills = read_fills(client, fills_wanted(prices)).fills
    resting = ListParams(token=prices.base, status=tuple(sorted(RESTING)))
    return chart_from(prices, fills, (order for page in pages(client, resting) for order in page.orders))


def fills_wanted(prices: PricesResult) -> HistoryParams:
    """The parameters to read the fills in the period of these candles, of which there is at least one."""
    since, until = prices.candles[0].at, prices.candles[-1].at + timedelta(seconds=parse_span(prices.interval))
    return HistoryParams(token=prices.base, since=format_moment(since), until=format_moment(until))


def chart_from(prices: PricesResult, fills: Iterable[HistoryFill], orders: Iterable[OrderView]) -> Chart:
    """The chart with ``fills`` and resting ``orders``.

    Those of other pairs are ignored, and so are child orders, which wait for the prices of their parents.
    """
    candles = [
        Candle(each.at, Decimal(each.open), Decimal(each.high), Decimal(each.low), Decimal(each.close))
        for each in prices.candles
    ]
    return Chart(
        candles,
        parse_span(prices.interval),
        [_mark(fill, prices.base) for fill in fills if _is_of(fill, prices)],
        [level for order in orders if _is_of(order, prices) and order.parent_id is None for level in _levels(order)],
    )


def _is_of(traded: HistoryFill | OrderView, prices: PricesResult) -> bool:
    return {traded.token_in, traded.token_out} == {prices.base, prices.quote}


def _mark(fill: HistoryFill, base: str) -> Mark:
    bought = fill.token_out == base
    amount, paid = (fill.amount_out, fill.amount_in) if bought else (fill.amount_in, fill.amount_out)
    return Mark(fill.at, Decimal(paid) / Decimal(amount), bought)


def _levels(order: OrderView) -> list[PriceLevel]:
    named = (("limit", order.limit_price), ("stop", order.stop_price), ("take-profit", order.take_profit_price))
    return [PriceLevel(Decimal(price), name) for name, price in named if price is not None]
