"""The candle chart of the current pair, with fills and the prices of resting orders."""

from fractions import Fraction

from rich.text import Text
from textual.widgets import Static

from orderctl.display.candles import Chart
from orderctl.output.colours import Tone
from orderctl.tui.desk import Desk
from orderctl.tui.messages import ChartChosen
from orderctl.tui.price_chart import change
from orderd.domain.money import format_significant

AXIS = 9
"""Approximate width of the price axis, in columns."""
MIN_HEIGHT = 5
DIGITS = 7


class CandlePane(Static):
    """Redrawn when candles, fills, orders or the size have changed."""

    def __init__(self) -> None:
        super().__init__(id="candles")
        self._drawn: tuple[object, ...] = ()

    def draw(self, desk: Desk) -> None:
        view = desk.chart
        width, height = self.content_size
        room = max(0, width - AXIS) if self.display and height >= MIN_HEIGHT else 0
        if room != view.room:
            view.room = room
            self.post_message(ChartChosen())
        if not room:
            return
        chart, error = view.chart(desk.book), desk.errors.get("prices")
        drawn = (chart, error, width, height, desk.pair, view.interval, view.back)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        base, quote = desk.pair
        title = f"{base}/{quote} {view.interval}"
        if chart is not None:
            title += f"  {format_significant(Fraction(chart.candles[-1].close), DIGITS)}  {change(chart)}"
        if view.back:
            title += "  (past)"
        self.border_title = title
        self.update(_picture(desk, chart, width, height), layout=False)


def _picture(desk: Desk, chart: Chart | None, width: int, height: int) -> Text:
    if (error := desk.errors.get("prices")) is not None:
        return Text(f"{error.title}: {error.detail}", Tone.WARNING)
    if chart is not None:
        return Text("\n", no_wrap=True, overflow="crop").join(chart.lines(width, height, fills=True))
    if desk.chart.prices is None:
        return Text("reading prices ...", "dim")
    return Text("no prices of {}/{} are stored for that time".format(*desk.pair), "dim")
