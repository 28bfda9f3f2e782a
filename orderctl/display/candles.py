"""Candles in the cells of a terminal: half a cell is the smallest step, and a candle is one column.

Beside them stand own fills, prices that orders wait for, and the axes. What is drawn here is one text a line, for a
terminal, the full screen and a picture alike.
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
"""By what the upper and the lower half of a cell show: nothing, wick or body."""
_LABEL_EVERY: Final = 4
"""Rows from one price on the axis to the next."""
_TIME_EVERY: Final = 15
"""Columns from one time on the axis to the next."""
_DIGITS: Final = 6
_NAME: Final = 14
"""Columns that the name of a price gets beside the axis; a longer one runs on."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An own fill: where it was, and whether the base token was bought."""

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
    """Candles of ``seconds`` each, in the order of time; some may be missing."""

    candles: Sequence[Candle]
    seconds: int
    marks: Sequence[Mark] = ()
    levels: Sequence[PriceLevel] = ()

    def lines(self, width: int, height: int, *, fills: bool = False) -> list[Text]:
        """So many lines of so many cells: the newest candles that find room, and the axes.

        Where there are fewer candles than columns, the picture is narrower, unless it ``fills`` the width.
        """
        if not self.candles:
            return []
        scale = _Scale.of(self, height - 2)
        names = self._names(scale)
        axis = max(map(len, [*scale.labels, *(name[:_NAME] for name in names.values())])) + 2
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
        """Prices that orders wait for and that lie too far away to be drawn, highest first."""
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
        """What waits for a price, by rows."""
        rows: dict[int, Counter[str]] = {}
        for level in self.levels:
            if scale.holds(level.price):
                rows.setdefault(scale.row(level.price), Counter())[level.name] += 1
        return {
            row: ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())
            for row, names in rows.items()
        }

    def _times(self, first: datetime, columns: int) -> Iterator[Text]:
        """The axis, and times below it; the day where they are of several."""
        ticks, words = "", ""
        shape = "%H:%M" if self.seconds < HOUR else "%m-%d" if self.seconds >= 24 * HOUR else "%d %H:%M"
        for column in range(0, columns, _TIME_EVERY):
            at = first + timedelta(seconds=self.seconds * column)
            label = f"{at:{shape}}"
            if column + len(label) <= columns:
                words = f"{words:<{column}}{label}"
                ticks = f"{ticks:─<{column}}┬"
        yield Text(f"{ticks:─<{columns}}┘", "dim")
        yield Text(words, "dim")


@dataclass(frozen=True, slots=True)
class _Scale:
    """Prices as rows, the highest at the top."""

    low: Decimal
    high: Decimal
    rows: int

    @classmethod
    def of(cls, chart: Chart, rows: int) -> "_Scale":
        """Wide enough for all candles and fills, and for prices that are waited for, unless these are too far away."""
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
        """Which half row from the top a price is in."""
        return round((self.high - price) / (self.high - self.low) * (2 * self.rows - 1))

    def row(self, price: Decimal) -> int:
        return self.half(price) // 2

    @property
    def labels(self) -> list[str]:
        """The price at each row that has one, else nothing."""
        step = (self.high - self.low) / self.rows
        return [f"{_shortened(self.high - step * row)}" if row % _LABEL_EVERY == 0 else "" for row in range(self.rows)]


def _shortened(price: Decimal) -> str:
    """Six significant digits."""
    places = _DIGITS - 1 - price.adjusted() if price else 0
    return f"{price:.{max(places, 0)}f}"


def _line(cells: Iterable[tuple[str, str]], label: str, name: str | None) -> Text:
    line = Text.assemble(*cells, ("│", "dim") if not label else ("┤", "dim"))
    if name is not None:
        return line.append(f" {name}", Tone.WAITING)
    return line.append(f" {label}", "dim") if label else line


def last_line(chart: Chart, title: str, height: int) -> Iterator[str]:
    """What the newest price is, as the axis shows prices, and what orders wait for beyond the picture."""
    newest = chart.candles[-1]
    yield f"{title}: {_shortened(newest.close)} at {newest.at:%Y-%m-%d %H:%M} UTC"
    for level in chart.beyond(height):
        yield f"beyond the picture: {level.name} at {level.price:f}"


def picture(chart: Chart, title: str, width: int, height: int) -> str:
    """The chart as SVG, as it looks on a terminal."""
    with StringIO() as nowhere:
        console = Console(file=nowhere, width=width, record=True, force_terminal=True, color_system="truecolor")
        for line in chart.lines(width, height):
            console.print(line, no_wrap=True, overflow="crop")
        return console.export_svg(title=title)
