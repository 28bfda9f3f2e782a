"""How a quote looks on a terminal: each venue's offer, the choice, and the least that will be accepted."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orderctl.tables import plain_table
from orderctl.timeline import percent, shorten
from orderd.domain.events import Quoted, Refused
from orderd.wire import PreviewResult, QuoteResult

POOL_WIDTH = 9


def quote_view(quote: QuoteResult) -> RenderableType:
    return Group(
        f"sell {quote.amount_in} {quote.token_in} for {quote.token_out}",
        offers(quote.quotes, quote.chosen, quote.refusals, quote.token_out),
        Text.assemble(
            "at least ", (f"{quote.min_amount_out} {quote.token_out}", "bold"), f" at {quote.slippage} % slippage"
        ),
    )


def offers(quotes: tuple[Quoted, ...], chosen: Quoted, refusals: tuple[Refused, ...], token_out: str) -> Table:
    """The chosen offer first. ``token_out`` is the symbol of what is bought."""
    table = plain_table(
        ("VENUE", "left"),
        (f"{token_out} OUT", "right"),
        ("PRICE", "right"),
        ("FEE", "right"),
        ("IMPACT", "right"),
        ("POOL", "left"),
    )
    for quote in sorted(quotes, key=lambda offer: offer != chosen):
        style = "green" if quote == chosen else ""
        table.add_row(
            Text(quote.venue, style),
            Text(quote.amount_out, style),
            quote.price,
            f"{quote.fee} {quote.fee_token}",
            f"{percent(quote.price_impact_bps)} %",
            shorten(quote.pool, POOL_WIDTH),
        )
    for refusal in refusals:
        table.add_row(Text(refusal.venue, "dim"), Text("-", "dim"), Text(refusal.code, "yellow"))
    return table


def preview_view(preview: PreviewResult) -> RenderableType:
    """The quote, and what the chain's simulation of the transaction says."""
    units = f", {preview.units_consumed} compute units" if preview.units_consumed is not None else ""
    parts: list[RenderableType] = [
        quote_view(preview.quote),
        f"fee {preview.network_fee} SOL{units}",
    ]
    if preview.succeeds:
        parts.append(Text("the simulation succeeds", style="green"))
    else:
        parts.append(Text("the simulation fails", style="bold red"))
    if preview.error is not None:
        parts.append(Text.assemble((preview.error.code, "red"), f": {preview.error.detail}"))
        parts.append(Text.assemble(("next: ", "cyan"), preview.error.next_step))
    if not preview.succeeds:
        parts += [Text(f"  {line}", style="dim") for line in preview.logs]
    return Group(*parts)
