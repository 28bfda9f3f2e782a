"""Renders a quote: the route, the quote of each single pool, and the limit of the order.

The limit is a minimum output, or for an exact output a maximum cost.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orderctl.display.formats import ADDRESS_WIDTH, POOL_WIDTH, percent, shorten
from orderctl.display.prices import described_price, pair_price
from orderctl.display.resting import rests
from orderctl.display.routes import by_amount, legs_of
from orderctl.display.shares import shares_of
from orderctl.display.tables import Column, IfItFits, plain_table
from orderctl.display.terms import sale, sold
from orderctl.display.tokens import about
from orderctl.output.colours import Tone
from orderd.domain.errors import ErrorCode
from orderd.domain.quoted import Quoted, Refused, RoutedLeg
from orderd.wire.quotes import GuardView, PreviewResult, QuoteResult


def quote_view(quote: QuoteResult, *, wide: bool = False) -> RenderableType:
    """The full view. ``wide`` explains the choice: how much worse each pool is, full addresses, slots, the amounts of
    each leg, and the compute budget."""
    chosen, words = quote.chosen, _words(quote)
    price = described_price(quote.token_in, quote.token_out, chosen.price)
    cost = f"fee {chosen.fee} {chosen.fee_token}, impact {percent(chosen.price_impact_bps)} %"
    parts: list[RenderableType] = [
        *about(quote.tokens),
        Text(_subject(quote)),
        Text.assemble(f"{words.verb} ", (words.amount, Tone.GOOD.bold), f" at {price}, {cost}"),
    ]
    parts += shares_of(quote.route, ADDRESS_WIDTH if wide else POOL_WIDTH)
    if wide:
        parts += _reasons(quote)
    elif quote.gain_bps is not None and len(quote.route) > 1:
        parts.append(Text(_gain(quote)))
    if quote.quotes:
        parts.append(offers(quote, wide=wide))
    parts += [Text(f"{no.venue}: {no.code}: {no.detail}", "dim") for no in _refusals(quote)]
    parts += map(guard_line, quote.guards)
    fee = "" if quote.network_fee is None else f"; network fee about {quote.network_fee} SOL"
    limit = f"{_why_limit(quote)}{fee}{_rent(quote)}"
    parts.append(Text.assemble(f"{words.bound} ", (words.limit, "bold"), limit))
    parts += _missed(quote)
    return Group(*parts)


def _subject(quote: QuoteResult) -> str:
    """What is traded: the whole order, or its next execution."""
    if quote.part_in is None:
        return sale(quote)
    return f"sell {quote.part_in} of {quote.amount_in} {sold(quote)} for {quote.token_out}"


def _refusals(quote: QuoteResult) -> Iterator[Refused]:
    """The refusals to show. A venue without a pool of the pair may still be part of a route with two hops; then its
    refusal is omitted."""
    is_by_way = any(leg.hop > 1 for leg in quote.route)
    return (no for no in quote.refusals if not (is_by_way and no.code == ErrorCode.ROUTE_NOT_FOUND))


def brief_quote_view(quote: QuoteResult) -> RenderableType:
    """A short view of up to seventy columns, with the most important facts first."""
    chosen, words = quote.chosen, _words(quote)
    price = described_price(quote.token_in, quote.token_out, chosen.price)
    network_fee = "" if quote.network_fee is None else f", network fee about {quote.network_fee} SOL{_rent(quote)}"
    parts: list[RenderableType] = [
        *about(quote.tokens),
        Text.assemble(f"{words.verb:<{len(words.bound)}} ", (words.amount, Tone.GOOD.bold), f" at {price}"),
        Text.assemble(f"{words.bound} ", (words.limit, "bold"), _why_limit(quote)),
        Text(
            f"fee {chosen.fee} {chosen.fee_token}, impact {percent(chosen.price_impact_bps)} %{network_fee}",
            "dim",
        ),
    ]
    parts += [Text(line, Tone.GOOD) for line in legs_of(quote.route)]
    if quote.quotes:
        table = plain_table(
            ("EACH POOL ALONE", "left"), (words.heading, "right"), ("PRICE", "right"), ("IMPACT", "right")
        )
        for offer in by_amount(quote.quotes):
            impact = f"{percent(offer.price_impact_bps)} %"
            table.add_row(Text(offer.pool_kind), Text(_compared(offer)), _price(quote, offer), impact)
        parts += [Text(), table]
    parts += [Text(f"{no.venue}: {no.code}", "dim") for no in _refusals(quote)]
    return Group(*parts)


def guard_line(guard: GuardView) -> Text:
    """A condition of an order on liquidity, and its current state."""
    tone, mark = (Tone.GOOD, "yes") if guard.is_met else (Tone.WARNING, "no ")
    return Text.assemble((f"{mark} {guard.name:<15}", tone), f"{guard.found} ({guard.wanted})")


def offers(quote: QuoteResult, *, wide: bool = False) -> RenderableType:
    """The quotes of single pools for the whole amount, best first."""
    if not wide:
        return _offers(quote, ("POOL", "left"), cells=lambda offer: (shorten(offer.pool, POOL_WIDTH),))
    behind: Column = ("BEHIND", "right")
    slot: Column = ("SLOT", "right")
    pool: Column = ("POOL", "left")
    where = plain_table(("EACH POOL", "left"), slot, ("ADDRESS", "left"))
    for offer in by_amount(quote.quotes):
        where.add_row(offer.pool_kind, str(offer.slot), offer.pool)

    def far(offer: Quoted) -> str:
        return f"{_behind(offer, quote.chosen)} bp"

    return IfItFits(
        _offers(quote, behind, slot, pool, cells=lambda offer: (far(offer), str(offer.slot), offer.pool)),
        Group(_offers(quote, behind, cells=lambda offer: (far(offer),)), where),
    )


def _offers(quote: QuoteResult, *columns: Column, cells: Callable[[Quoted], tuple[str, ...]]) -> Table:
    """The table of single pools with further columns."""
    table = plain_table(
        ("EACH POOL ALONE", "left"),
        (_words(quote).heading, "right"),
        ("PRICE", "right"),
        ("FEE", "right"),
        ("IMPACT", "right"),
        *columns,
    )
    for offer in by_amount(quote.quotes):
        style = Tone.GOOD if len(quote.route) <= 1 and offer == quote.chosen else ""
        table.add_row(
            Text(offer.pool_kind, style),
            Text(_compared(offer), style),
            _price(quote, offer),
            f"{offer.fee} {offer.fee_token}",
            f"{percent(offer.price_impact_bps)} %",
            *cells(offer),
        )
    return table


def _price(quote: QuoteResult, offer: Quoted) -> str:
    return pair_price(quote.token_in, quote.token_out, Fraction(offer.price))[0]


class _Words(NamedTuple):
    """The words for a quote's amount and limit, which differ for an exact output."""

    verb: str
    amount: str
    bound: str
    limit: str
    heading: str


def _words(quote: QuoteResult) -> _Words:
    chosen, sold, bought = quote.chosen, quote.token_in, quote.token_out
    if chosen.amount_in is not None:
        most = f"{quote.max_amount_in} {sold}"
        return _Words("pay", f"{chosen.amount_in} {sold}", "at most", most, f"{sold} IN")
    least = f"{quote.min_amount_out} {bought}"
    return _Words("receive", f"{chosen.amount_out} {bought}", "at least", least, f"{bought} OUT")


def _compared(offer: Quoted) -> str:
    """The amount by which quotes are compared."""
    return offer.amount_out if offer.amount_in is None else offer.amount_in


def _why_limit(quote: QuoteResult) -> str:
    is_own = quote.min_out == quote.min_amount_out if quote.exact_out is None else quote.max_in == quote.max_amount_in
    if is_own:
        return ", as requested"
    return f" at {quote.slippage} % slippage" if quote.limit_price is None else " at the limit price"


def _missed(quote: QuoteResult) -> list[Text]:
    """A warning if no route meets the order's limit."""
    if quote.chosen.amount_in is not None and quote.max_amount_in is not None:
        over = Decimal(quote.chosen.amount_in) - Decimal(quote.max_amount_in)
        warning = f"the best route costs {over:f} {quote.token_in} more than the maximum: the order would fail now"
        return [Text(warning, Tone.WARNING)] if over > 0 else []
    if Decimal(quote.chosen.amount_out) >= Decimal(quote.min_amount_out):
        return []
    short = Decimal(quote.min_amount_out) - Decimal(quote.chosen.amount_out)
    follows = "it would rest" if rests(quote) else "the order would fail now"
    warning = f"the best route pays {short:f} {quote.token_out} less than the minimum: {follows}"
    return [Text(warning, Tone.WARNING)]


def _rent(quote: QuoteResult) -> str:
    """The rent of new token accounts, if the trade creates some."""
    return "" if quote.rent in (None, "0") else f", rent {quote.rent} SOL for a new token account"


def _behind(offer: Quoted, chosen: Quoted) -> str:
    """How much worse than the chosen route a pool is, in basis points."""
    best, other = Decimal(_compared(chosen)), Decimal(_compared(offer))
    behind = best - other if chosen.amount_in is None else other - best
    return f"{behind * 10_000 / best:.2f}"


def _gain(quote: QuoteResult) -> str:
    return f"{quote.gain_bps} basis points {'more' if quote.exact_out is None else 'less'} than the best single pool"


def _reasons(quote: QuoteResult) -> list[RenderableType]:
    """The reasons for the choice, in figures."""
    lines: list[str] = []
    if len(quote.route) > 1:
        lines += [f"  {_leg_line(leg)}" for leg in quote.route]
    if quote.gain_bps is not None and len(quote.route) > 1:
        lines.append(f"chosen because together they {'pay' if quote.exact_out is None else 'cost'} {_gain(quote)}")
    elif quote.gain_bps is not None and quote.exact_out is not None:
        lines.append("chosen because it costs least: no split saves more than its additional legs cost")
    elif quote.gain_bps is not None:
        lines.append("chosen because it pays most: no split gains more than its additional legs cost")
    elif quote.quotes:
        lines.append("chosen because no single pool can trade the whole order")
    else:
        lines.append("chosen because no pool trades this pair directly")
    if quote.route and quote.route[-1].hop > 1:
        second = next(leg for leg in quote.route if leg.hop > 1)
        spent = sum(Decimal(leg.amount_in) for leg in quote.route if leg.hop > 1)
        lines.append(f"output of the first hop above {spent} {second.token_in} stays in the wallet")
    if quote.compute_units is not None:
        lines.append(f"{quote.compute_units} compute units at {quote.compute_unit_price} micro-lamports each")
    return [Text(line) for line in lines]


def _leg_line(leg: RoutedLeg) -> str:
    amounts = f"{leg.amount_in} {leg.token_in} for {leg.amount_out} {leg.token_out}"
    return f"hop {leg.hop}: {leg.share} % {leg.pool_kind}: {amounts}"


def preview_view(preview: PreviewResult, *, wide: bool = False) -> RenderableType:
    """The quote, and the result of the chain's simulation."""
    units = f", {preview.units_consumed} compute units" if preview.units_consumed is not None else ""
    outcome = ("succeeds", Tone.GOOD) if preview.succeeds else ("fails", Tone.ALARM)
    parts: list[RenderableType] = [
        quote_view(preview.quote, wide=wide),
        Text.assemble("the simulation ", outcome, f": network fee {preview.network_fee} SOL{units}"),
    ]
    if preview.error is not None:
        parts.append(Text.assemble((preview.error.code, Tone.BAD), f": {preview.error.detail}"))
        parts.append(Text.assemble(("next: ", Tone.HINT), preview.error.next_step))
    if not preview.succeeds:
        parts += [Text(f"  {line}", style="dim") for line in preview.logs]
    return Group(*parts)
