"""The state of the candle chart: interval, position, and the candles received."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

from orderctl.display.candles import Chart
from orderctl.display.pairs import pair_of
from orderctl.trading.charting import chart_from
from orderctl.tui.book import Book
from orderctl.tui.prices import Pair
from orderd.domain.times import format_moment, parse_span
from orderd.wire.fills import HistoryFill
from orderd.wire.prices import PriceCandle, PricesParams, PricesResult

INTERVALS: Final = ("1m", "5m", "15m", "1h", "4h", "1d")


def market_of(token_in: str, token_out: str) -> Pair:
    """The pair as base and quote token, whichever of them is sold."""
    pair = pair_of(token_in, token_out)
    return (token_in, token_out) if pair is None else (pair.base.symbol, pair.quote.symbol)


@dataclass
class PriceChart:
    """``back`` is the number of candles between the end of the chart and now; ``room`` is the number of candles that
    fit, 0 while no chart is shown."""

    interval: str = INTERVALS[0]
    back: int = 0
    room: int = 0
    prices: PricesResult | None = None
    subscription: int | None = None
    """The subscription to changes of these candles; None without one."""
    fills: tuple[HistoryFill, ...] = ()
    _drawn: Chart | None = field(default=None, repr=False)
    _drawn_from: tuple[object, ...] = ()

    def zoom(self, steps: int) -> bool:
        """Change to longer or shorter candles and keep the end of the chart. Returns false if there is no such
        interval."""
        index = INTERVALS.index(self.interval) + steps
        if not 0 <= index < len(INTERVALS):
            return False
        before = parse_span(self.interval)
        self.interval = INTERVALS[index]
        self.back = self.back * before // parse_span(self.interval)
        self.forget()
        return True

    def pan(self, parts: int) -> bool:
        """Move by thirds of the chart, into the past if ``parts`` is positive. Returns whether anything changes.

        Where no prices are stored, it does not move farther into the past.
        """
        if parts > 0 and self.prices is not None and not self.prices.candles:
            return False
        back = max(0, self.back + parts * max(self.room // 3, 1))
        is_other, self.back = back != self.back, back
        return is_other

    def forget(self) -> None:
        """Discard candles and fills."""
        self.prices, self.fills = None, ()

    def take(self, candle: PriceCandle) -> None:
        """Store a new or changed candle."""
        if self.prices is None:
            return
        others = [known for known in self.prices.candles if known.at != candle.at]
        candles = sorted((*others, candle), key=attrgetter("at"))
        most = max(self.room, len(self.prices.candles))
        self.prices = self.prices.model_copy(update={"candles": tuple(candles[-most:])})

    def wanted(self, pair: Pair, now: datetime) -> PricesParams:
        until = None
        if self.back:
            until = format_moment(now - timedelta(seconds=self.back * parse_span(self.interval)))
        limit = max(1, min(self.room, 1_000))
        return PricesParams(pair="/".join(pair), interval=self.interval, until=until, limit=limit)

    def chart(self, book: Book) -> Chart | None:
        """The chart with the prices of resting orders; None if no price is known."""
        if self.prices is None or not self.prices.candles:
            return None
        known = (self.prices, self.fills, tuple(book.resting.values()))
        if self._drawn_from != known:
            self._drawn, self._drawn_from = chart_from(*known), known
        return self._drawn


def change(chart: Chart) -> str:
    """The change from the first to the last candle, in percent."""
    first, last = chart.candles[0].open, chart.candles[-1].close
    return f"{(last / first - 1) * 100:+.2f} %" if first else ""
