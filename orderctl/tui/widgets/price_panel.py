"""The current and recent prices of a pair at each venue."""

from decimal import Decimal

from rich.text import Text
from textual.widgets import Static

from orderctl.output.colours import Tone
from orderctl.tui.desk import Desk
from orderctl.tui.prices import Series
from orderd.domain.pool_kind import VenueName

NAME_WIDTH = 9
PRICE_WIDTH = 13
MAX_CHART_HEIGHT = 3


class PricePanel(Static):
    def draw(self, desk: Desk) -> None:
        title = "1 {} in {}".format(*desk.pair)
        if self.border_title != title:  # setting it redraws the panel
            self.border_title = title
        series = desk.prices.of(desk.pair)
        offers = {venue: price for venue in VenueName if (price := series.latest(venue)) is not None}
        best = max(offers.values(), default=None)
        width, height = self.content_size
        chart_height = min(MAX_CHART_HEIGHT, height // len(VenueName) - 1)
        lines = [line for venue in VenueName for line in _venue(series, venue, best, width, chart_height)]
        if (error := desk.errors.get("quote")) is not None:
            lines.append(Text(error.title, Tone.WARNING))
        elif len(lines) < height and (scale := series.scale(width)) is not None:
            lines.append(Text(f"from {scale[0]:f} to {scale[1]:f}", "dim"))
        text = Text("\n").join(lines)
        if self.content != text:
            self.update(text, layout=False)


def _venue(series: Series, venue: VenueName, best: Decimal | None, width: int, chart_height: int) -> list[Text]:
    """The price of a venue and its chart, beside it or, if there is room, below it."""
    name = f"{venue:<{NAME_WIDTH}}"
    price = series.latest(venue)
    if price is None and (refusal := series.refusals.get(venue)) is not None:
        return [Text.assemble((name, "dim"), (f"no quote: {refusal}", Tone.WARNING))]
    if price is None:
        return [Text.assemble((name, "dim"), ("not known yet", "dim"))]
    now = Text.assemble((name, "dim"), (f"{price:f}"[:PRICE_WIDTH], Tone.GOOD.bold if price == best else ""))
    if chart_height < 1:
        now.pad_right(len(name) + PRICE_WIDTH + 1 - now.cell_len)
        return [now.append("".join(series.chart(venue, width - now.cell_len)), Tone.MOVING)]
    if (change := series.change(venue, width)) is not None:
        tone = Tone.GOOD if change > 0 else Tone.BAD if change else Tone.MUTED
        words, room = f"{change:+f} %", width - now.cell_len
        if len(words) < room:
            now.append(words.rjust(room), tone)
    return [now, *(Text(line, Tone.MOVING) for line in series.chart(venue, width, chart_height))]
