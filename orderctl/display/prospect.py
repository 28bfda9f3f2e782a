"""What an order that rests would do, held against a quote for its terms: what the market pays now for all of it."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from orderctl.display.resting import asked_for, distance_of, trigger_of, what_follows
from orderctl.display.tables import pairs
from orderctl.display.timeline import moment, sale
from orderctl.output.colours import Tone
from orderd.domain.money import format_significant, parse_amount
from orderd.domain.plausible import check_plausible
from orderd.domain.terms import GivenTerms, understood
from orderd.domain.times import parse_moment
from orderd.domain.tokens import TokenRegistry
from orderd.domain.trigger import Condition
from orderd.wire import QuoteResult


def check_fires_later(given: GivenTerms, quote: QuoteResult) -> None:
    """Raises OrderdError PRICE_OFF_MARKET or PRICE_WRONG_SIDE as the daemon does when such an order is sent now."""
    counted = given.model_copy(update={"amount_in": quote.amount_in})  # an amount may be a word
    terms = understood(counted, TokenRegistry(), quote.slippage)
    check_plausible(terms, _paid(quote, terms.token_out.decimals))


def is_met(quote: QuoteResult) -> bool:
    """Whether the market pays now what the order would wait for."""
    trigger = trigger_of(quote)
    if trigger is None or trigger.trail is not None:
        return False
    return trigger.bound().is_met(_paid(quote, trigger.pair.token_out.decimals))


def prospect_view(quote: QuoteResult) -> Group:
    return Group(Text(sale(quote)), prospect(quote))


def prospect(quote: QuoteResult) -> Table:
    """What it waits for, what is done then, how far the market is from that, and for how long it may wait."""
    table = pairs()
    trigger = trigger_of(quote)
    table.add_row("waits for", Text(asked_for(quote) if trigger is None else trigger.told(), "bold"))
    table.add_row("then", what_follows(quote))
    if trigger is not None:
        paid = _paid(quote, trigger.pair.token_out.decimals)
        market = trigger.pair.told(trigger.amount_in, paid)
        table.add_row("now", f"{market} = {quote.chosen.amount_out} {quote.token_out}")
        table.add_row("so", _outcome(quote, trigger, paid))
    table.add_row("valid", _validity(quote))
    return table


def _outcome(quote: QuoteResult, trigger: Condition, paid: int) -> Text:
    """What would become of the order if it were sent now."""
    pair, amount = trigger.pair, trigger.amount_in
    if is_met(quote):
        return Text("it would be executed at once", Tone.GOOD.bold)
    if trigger.trail is not None and (out := trigger.trail.behind(pair, amount, paid)):
        fires_at = format_significant(pair.price(amount, out), 6)
        return Text(f"it would rest, and fire at {fires_at} if the price only fell", Tone.WARNING)
    away = distance_of(trigger, pair.price(amount, paid), best_out=paid)
    told = "" if away is None else f": the market is {format_significant(away * 100, 3)} % away"
    return Text(f"it would rest{told}", Tone.WARNING)


def _validity(quote: QuoteResult) -> str:
    if quote.valid_for is not None:
        return f"for {quote.valid_for}"
    if quote.expires is not None:
        return f"until {moment(parse_moment(quote.expires))}"
    return "until it is filled or cancelled"


def _paid(quote: QuoteResult, decimals: int) -> int:
    return parse_amount(quote.chosen.amount_out, decimals)
