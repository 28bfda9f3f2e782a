"""The price of a pair on each venue, now and over the last minutes."""

from decimal import Decimal

from rich.text import Text
from textual.widgets import Static

from orderctl.tui.desk import Desk
from orderctl.tui.prices import Series
from orderd.domain.quote import VenueName

NAME_WIDTH = 9
PRICE_WIDTH = 13


class PricePanel(Static):
    def draw(self, desk: Desk) -> None:
        token_in, token_out = desk.pair
        self.border_title = f"1 {token_in} in {token_out}"
        series = desk.prices.of(desk.pair)
        offers = {venue: price for venue in VenueName if (price := series.latest(venue)) is not None}
        best = max(offers.values(), default=None)
        width, height = self.content_size
        is_tall = height >= 2 * len(VenueName)
        lines = Text("\n").join(_venue(series, venue, best, width, is_tall=is_tall) for venue in VenueName)
        if (trouble := desk.trouble.get("quote")) is not None:
            lines.append(f"\n{trouble.title}", "yellow")
        if self.content != lines:
            self.update(lines)


def _venue(series: Series, venue: VenueName, best: Decimal | None, width: int, *, is_tall: bool) -> Text:
    """The price and its line: beside it, or where there is room, below it."""
    name = f"{venue:<{NAME_WIDTH}}"
    price = series.latest(venue)
    if price is None and (refusal := series.refusals.get(venue)) is not None:
        return Text.assemble((name, "dim"), (f"no quote: {refusal}", "yellow"))
    if price is None:
        return Text.assemble((name, "dim"), ("not known yet", "dim"))
    now = Text.assemble(
        (name, "dim"), (f"{price:f}"[:PRICE_WIDTH].ljust(PRICE_WIDTH), "green" if price == best else "")
    )
    if is_tall:
        return now.append("\n" + series.line(venue, width), "cyan")
    return now.append(" " + series.line(venue, width - now.cell_len - 1), "cyan")
