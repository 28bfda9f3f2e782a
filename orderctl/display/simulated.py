"""Renders the simulation of what an order would do now."""

from fractions import Fraction

from rich.console import Group, RenderableType
from rich.text import Text

from orderctl.display.formats import moment
from orderctl.display.prospect import awaited_rows
from orderctl.display.quotes import preview_view, quote_view
from orderctl.display.resting import word_of
from orderctl.display.tables import pairs
from orderctl.output.colours import Tone
from orderd.wire.quotes import Awaited, SimulatedFill


def simulated_view(simulated: SimulatedFill, *, wide: bool = False) -> Group:
    """The order's conditions with the distance of the market, and its next execution."""
    quote = simulated.quote
    table = pairs()
    for name, value in awaited_rows(map(_awaited, simulated.waits_for)):
        table.add_row(name, value)
    if simulated.at is not None:
        table.add_row("next", f"{quote.part_in or quote.amount_in} {quote.token_in} at {moment(simulated.at)}")
    if simulated.would is not None:
        table.add_row("now", _would(simulated))
    parts: list[RenderableType] = [table] if table.row_count else []
    is_simulated = simulated.units_consumed is not None or not simulated.succeeds
    return Group(*parts, preview_view(simulated, wide=wide) if is_simulated else quote_view(quote, wide=wide))


def _awaited(price: Awaited) -> tuple[Text, Fraction | None]:
    away = None if price.away is None else Fraction(price.away) / 100
    return Text.assemble(f"{word_of(price.kind)} ", (price.reads, "bold")), away


def _would(simulated: SimulatedFill) -> Text:
    quote = simulated.quote
    part = "" if quote.part_in is None else f", {quote.part_in} of {quote.amount_in} {quote.token_in}"
    if simulated.would == "execute":
        return Text(f"it would be executed{part}", Tone.GOOD.bold)
    if simulated.at is not None:
        return Text("it waits for that time; with the current market, it would then do this:", Tone.WARNING)
    if quote.slices is not None:
        return Text("it is paused; with the current market, its next execution would do this:", Tone.WARNING)
    return Text("it rests; if it triggered now:", Tone.WARNING)
