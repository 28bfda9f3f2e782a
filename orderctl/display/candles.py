"""Candle charts in terminal cells: one column per candle, with a resolution of half a cell.

A chart also shows the trader's fills, the prices that orders wait for, and the axes. It is drawn as one text per line,
for the terminal, the TUI and SVG files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Final

from rich.console import Console
from rich.text import Text

from orderctl.output.colours import Tone
from orderd.domain.candles import HOUR, Candle

_CELLS: Final = {
    (0, 0): " ", (0, 1): "╷", (0, 2): "╻",
    (1, 0): "╵", (1, 1): "│", (1, 2): "╽",
    (2, 0): "╹", (2, 1): "╿", (2, 2): "┃",
}  # fmt: skip
"""Characters by the content of the upper and the lower half of a cell: 0 nothing, 1 wick, 2 body."""
_ROWS_PER_LABEL: Final = 4
"""Rows between two labels of the price axis."""
_COLUMNS_PER_LABEL: Final = 15
"""Columns between two labels of the time axis."""
_DIGITS: Final = 6
_MAX_NAME_WIDTH: Final = 14
"""Columns reserved for the name of a price level beside the axis; a longer name extends beyond them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A fill of the trader; ``bought``: whether it bought the base token."""

    at: datetime
    price: Decimal
    bought: bool


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """A price that an order waits for."""

    price: Decimal
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Candles of ``seconds`` each, oldest first; candles may be missing."""

    candles: Sequence[Candle]
    seconds: int
    marks: Sequence[Mark] = ()
    levels: Sequence[PriceLevel] = ()

    def lines(self, width: int, height: int, *, fills: bool = False) -> list[Text]:
        """Draw the newest candles that fit, and the axes, in ``height`` lines of ``width`` cells.

        With fewer candles than columns, the chart is narrower, unless ``fills`` is true.
        """
        if not self.candles:
            return []
        scale = _Scale.of(self, height - 2)
        names = self._names(scale)
        axis = max(map(len, [*scale.labels, *(name[:_MAX_NAME_WIDTH] for name in names.values())])) + 2
        columns = max(width - axis - 1, 1)
        first = self.candles[-1].at - timedelta(seconds=self.seconds * (columns - 1))
        shown = {self._column(each.at, first): each for each in self.candles if each.at >= first}
        begin = 0 if fills else min(shown)
        cells = [[(" ", "")] * (columns - begin) for _ in range(scale.rows)]
        for level in self.levels:
            if scale.holds(level.price):
                cells[scale.row(level.price)] = [("┄", Tone.WAITING)] * (columns - begin)
        for column, candle in shown.items():
            self._draw(candle, cells, column - begin, scale)
        for mark in self.marks:
            column = self._column(mark.at, first) - begin
            if 0 <= column < columns - begin and scale.holds(mark.price):
                shape = ("▲", Tone.GOOD.bold) if mark.bought else ("▼", Tone.BAD.bold)
                cells[scale.row(mark.price)][column] = shape
        return [
            *(_line(row, scale.labels[number], names.get(number)) for number, row in enumerate(cells)),
            *self._times(first + timedelta(seconds=self.seconds * begin), columns - begin),
        ]

    def beyond(self, height: int) -> list[PriceLevel]:
        """The price levels that are too far away to be drawn, highest first."""
        scale = _Scale.of(self, height - 2)
        return sorted((each for each in self.levels if not scale.holds(each.price)), key=lambda each: -each.price)

    def _column(self, at: datetime, first: datetime) -> int:
        return int((at - first).total_seconds() // self.seconds)

    def _draw(self, candle: Candle, cells: list[list[tuple[str, str]]], column: int, scale: "_Scale") -> None:
        tone = Tone.GOOD if candle.close >= candle.open else Tone.BAD
        high, low = scale.half(candle.high), scale.half(candle.low)
        top, bottom = sorted((scale.half(candle.open), scale.half(candle.close)))
        for row in range(high // 2, low // 2 + 1):
            halves = [
                2 if top <= half <= bottom else 1 if high <= half <= low else 0 for half in (2 * row, 2 * row + 1)
            ]
            cells[row][column] = _CELLS[halves[0], halves[1]], tone

    def _names(self, scale: "_Scale") -> dict[int, str]:
        """The names of the price levels by row."""
        rows: dict[int, Counter[str]] = {}
        for level in self.levels:
            if scale.holds(level.price):
                rows.setdefault(scale.row(level.price), Counter())[level.name] += 1
        return {
            row: ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())
            for row, names in rows.items()
        }

    def _times(self, first: datetime, columns: int) -> Iterator[Text]:
        """The time axis and its labels, which include the day for intervals of an hour or more."""
        ticks, words = "", ""
        shape = "%H:%M" if self.seconds < HOUR else "%m-%d" if self.seconds >= 24 * HOUR else "%d %H:%M"
        for column in range(0, columns, _COLUMNS_PER_LABEL):
            at = first + timedelta(seconds=self.seconds * column)
            label = f"{at:{shape}}"
            if column + len(label) <= columns:
                words = f"{words:<{column}}{label}"
                ticks = f"{ticks:─<{column}}┬"
        yield Text(f"{ticks:─<{columns}}┘", "dim")
        yield Text(words, "dim")


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps prices to rows, with the highest price at the top."""

    low: Decimal
    high: Decimal
    rows: int

    @classmethod
    def of(cls, chart: Chart, rows: int) -> "_Scale":
        """A scale for all candles and fills, and for the price levels that are not too far away."""
        prices = [price for each in chart.candles for price in (each.low, each.high)]
        prices += [mark.price for mark in chart.marks]
        low, high = min(prices, default=Decimal(0)), max(prices, default=Decimal(1))
        reach = (high - low) or high / 100
        near = [each.price for each in chart.levels if low - reach <= each.price <= high + reach]
        low, high = min([low, *near]), max([high, *near])
        if low == high:
            low, high = low - reach / 2, high + reach / 2
        return cls(low, high, max(rows, 2))

    def holds(self, price: Decimal) -> bool:
        return self.low <= price <= self.high

    def half(self, price: Decimal) -> int:
        """The half row of a price, counted from the top."""
        return round((self.high - price) / (self.high - self.low) * (2 * self.rows - 1))

    def row(self, price: Decimal) -> int:
        return self.half(price) // 2

    @property
    def labels(self) -> list[str]:
        """The label of each row; empty for rows without one."""
        step = (self.high - self.low) / self.rows
        return [
            f"{_price_text(self.high - step * row)}" if row % _ROWS_PER_LABEL == 0 else "" for row in range(self.rows)
        ]


def _price_text(price: Decimal) -> str:
    """Format a price with six significant digits."""
    places = _DIGITS - 1 - price.adjusted() if price else 0
    return f"{price:.{max(places, 0)}f}"


def _line(cells: Iterable[tuple[str, str]], label: str, name: str | None) -> Text:
    line = Text.assemble(*cells, ("│", "dim") if not label else ("┤", "dim"))
    if name is not None:
        return line.append(f" {name}", Tone.WAITING)
    return line.append(f" {label}", "dim") if label else line


def last_line(chart: Chart, title: str, height: int) -> Iterator[str]:
    """The newest price, and the price levels outside of the chart."""
    newest = chart.candles[-1]
    yield f"{title}: {_price_text(newest.close)} at {newest.at:%Y-%m-%d %H:%M} UTC"
    counts = Counter((level.name, level.price) for level in chart.beyond(height))
    if counts:
        named = (
            f"{name} {price:f}" + (f" ({count} orders)" if count > 1 else "") for (name, price), count in counts.items()
        )
        yield f"outside the chart: {', '.join(named)}"


def picture(chart: Chart, title: str, width: int, height: int) -> str:
    """The chart as SVG."""
    with StringIO() as nowhere:
        lines = chart.lines(width, height)
        used = max((line.cell_len for line in lines), default=width)
        console = Console(file=nowhere, width=used, record=True, force_terminal=True, color_system="truecolor")
        for line in lines:
            console.print(line, no_wrap=True, overflow="crop")
        return console.export_svg(title=title)
