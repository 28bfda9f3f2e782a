"""How a quote looks on a terminal: what each pool offers, the choice, and the least that will be accepted."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orderctl.tables import Column, plain_table
from orderctl.timeline import legs_of, percent, shorten
from orderd.domain.events import Quoted, Refused, RoutedLeg
from orderd.wire import PreviewResult, QuoteResult

POOL_WIDTH = 9


def quote_view(quote: QuoteResult, *, wide: bool = False) -> RenderableType:
    """``wide`` explains the choice: whole addresses, kinds of pools and slots, each leg, and the network's fee."""
    parts: list[RenderableType] = [f"sell {quote.amount_in} {quote.token_in} for {quote.token_out}"]
    if len(quote.route) > 1:
        parts += _route_lines(quote)
    chosen = quote.chosen if len(quote.route) <= 1 else None
    parts.append(offers(quote.quotes, chosen, quote.refusals, quote.token_out, wide=wide))
    if wide:
        parts += _reasons(quote)
    parts.append(
        Text.assemble(
            "at least ", (f"{quote.min_amount_out} {quote.token_out}", "bold"), f" at {quote.slippage} % slippage"
        )
    )
    return Group(*parts)


def offers(
    quotes: Sequence[Quoted], chosen: Quoted | None, refusals: Iterable[Refused], token_out: str, *, wide: bool = False
) -> Table:
    """The chosen offer first, where one pool takes it all. ``token_out`` is the symbol of what is bought."""
    more: tuple[Column, ...] = (("KIND", "left"), ("SLOT", "right")) if wide else ()
    table = plain_table(
        ("VENUE", "left"),
        (f"{token_out} OUT", "right"),
        ("PRICE", "right"),
        ("FEE", "right"),
        ("IMPACT", "right"),
        *more,
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
            *((quote.pool_kind, str(quote.slot), quote.pool) if wide else (shorten(quote.pool, POOL_WIDTH),)),
        )
    for refusal in refusals:
        table.add_row(Text(refusal.venue, "dim"), Text("-", "dim"), Text(refusal.code, "yellow"))
    return table


def _route_lines(quote: QuoteResult) -> list[RenderableType]:
    """What the route pays over all its legs, and which they are."""
    chosen = quote.chosen
    paid = (f"{chosen.amount_out} {quote.token_out}", "bold green")
    fee = f"fee {chosen.fee} {chosen.fee_token}, impact {percent(chosen.price_impact_bps)} %"
    lines: list[RenderableType] = [Text.assemble("receive ", paid, f" at {chosen.price}, {fee}")]
    lines += [Text(f"  {line}", "green") for line in legs_of(quote.route)]
    lines.append("each pool alone:" if quote.quotes else "no pool trades this pair itself")
    return lines


def _reasons(quote: QuoteResult) -> list[RenderableType]:
    """Why the choice is the best one, in figures."""
    lines: list[RenderableType] = [Text(f"  {_leg_line(leg)}", "dim") for leg in quote.route]
    if quote.gain_bps is not None and len(quote.route) > 1:
        lines.append(f"pays {quote.gain_bps} basis points more than the best single pool")
    elif quote.gain_bps is not None:
        lines.append("the best single pool: no split pays more than its legs cost")
    elif quote.quotes:
        lines.append("no single pool takes the whole order")
    if quote.route and quote.route[-1].hop > 1:
        second = next(leg for leg in quote.route if leg.hop > 1)
        spent = sum(Decimal(leg.amount_in) for leg in quote.route if leg.hop > 1)
        lines.append(f"what the first hop pays above {spent} {second.token_in} stays in the wallet")
    if quote.network_fee is not None:
        price = f"{quote.compute_units} compute units at {quote.compute_unit_price} micro-lamports"
        lines.append(f"network fee about {quote.network_fee} SOL: {price}")
    return lines


def _leg_line(leg: RoutedLeg) -> str:
    return (
        f"hop {leg.hop}: {leg.share} % {leg.pool_kind} {leg.pool}: "
        f"{leg.amount_in} {leg.token_in} for {leg.amount_out} {leg.token_out}"
    )


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
