"""Which candles the chart shows, and the prices among them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from orderctl.display.candles import PriceLevel
from orderctl.tui.book import Book
from orderctl.tui.price_chart import PriceChart, change, market_of
from orderd.domain.times import format_moment
from orderd.wire.prices import PricesResult
from tests.samples.orders import LIMIT
from tests.unit.orderctl.tui.desks import CANDLES, NOW, order

PRICES = PricesResult(base="SOL", quote="USDC", interval="1m", candles=CANDLES)


@pytest.mark.parametrize("traded", [("SOL", "USDC"), ("USDC", "SOL")])
def test_a_market_has_one_direction_for_both_trades(traded: tuple[str, str]) -> None:
    assert market_of(*traded) == ("SOL", "USDC")


def test_unknown_tokens_keep_the_direction_of_the_trade() -> None:
    assert market_of("WHO", "KNOWS") == ("WHO", "KNOWS")


def test_as_many_of_the_newest_candles_as_fit_are_queried() -> None:
    wanted = PriceChart(room=90).wanted(("SOL", "USDC"), NOW)
    assert (wanted.pair, wanted.interval, wanted.until, wanted.limit) == ("SOL/USDC", "1m", None, 90)


def test_panning_moves_by_thirds_and_ends_at_the_present() -> None:
    chart = PriceChart(room=90)
    assert not chart.pan(-1)
    assert chart.pan(1)
    assert chart.wanted(("SOL", "USDC"), NOW).until == format_moment(NOW - timedelta(minutes=30))
    assert chart.pan(-1)
    assert chart.back == 0


def test_panning_stops_where_no_prices_are_stored() -> None:
    chart = PriceChart(room=90, back=30, prices=PRICES.model_copy(update={"candles": ()}))
    assert not chart.pan(1)
    assert chart.pan(-1)


def test_zooming_keeps_the_end_and_stops_at_days() -> None:
    chart = PriceChart(room=90, back=60, prices=PRICES)
    assert chart.zoom(2)
    assert (chart.interval, chart.back, chart.prices) == ("15m", 4, None)
    assert chart.zoom(3)
    assert not chart.zoom(1)
    assert not PriceChart().zoom(-1)


def test_a_changed_candle_is_replaced_and_a_new_one_drops_the_first() -> None:
    chart = PriceChart(room=240, prices=PRICES)
    changed = CANDLES[-1].model_copy(update={"close": "99"})
    chart.take(changed)
    assert chart.prices is not None
    assert chart.prices.candles == (*CANDLES[:-1], changed)
    new = changed.model_copy(update={"at": changed.at + timedelta(minutes=1)})
    chart.take(new)
    assert chart.prices.candles == (*CANDLES[1:-1], changed, new)


def test_changes_of_unknown_candles_are_ignored() -> None:
    chart = PriceChart(room=240)
    chart.take(CANDLES[-1])
    assert chart.prices is None


def test_prices_of_own_resting_orders_are_lines() -> None:
    book, chart = Book(), PriceChart(room=90, prices=PRICES)
    drawn = chart.chart(book)
    assert drawn is not None
    assert drawn.levels == []
    assert chart.chart(book) is drawn, "an unchanged chart was drawn again"
    book.put(order(1, (LIMIT.model_copy(update={"token_in": "SOL", "token_out": "USDC"}),)))
    again = chart.chart(book)
    assert again is not None
    assert again.levels == [PriceLevel(Decimal(LIMIT.limit_price or 0), "limit")]
    assert change(again).endswith(" %")


def test_no_chart_is_drawn_without_candles() -> None:
    assert PriceChart().chart(Book()) is None
    assert PriceChart(prices=PRICES.model_copy(update={"candles": ()})).chart(Book()) is None
