"""Renders what an order would do if it were sent now, based on a quote for it or for its first execution."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from orderctl.display.cells import distance_bar
from orderctl.display.conditions import limit_of, requested, sides_of, trigger_of, what_follows
from orderctl.display.formats import moment
from orderctl.display.orders import cell_text
from orderctl.display.pairs import pair_of
from orderctl.display.quotes import guard_line
from orderctl.display.tables import pairs
from orderctl.display.terms import sale
from orderctl.display.tokens import about
from orderctl.output.colours import Tone
from orderd.domain.money import format_significant, parse_amount
from orderd.domain.order import CatchUp
from orderd.domain.plausible import check_plausible
from orderd.domain.schedule import Schedule
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.times import format_span, parse_moment, parse_span
from orderd.domain.tokens import Token, TokenRegistry
from orderd.domain.trigger import Condition
from orderd.domain.well_known import EVERYWHERE
from orderd.wire.problem import Problem
from orderd.wire.quotes import QuoteResult

TIMES_SHOWN = 4
"""Maximum number of execution times shown, besides the last one."""
BAR_WIDTH = 20


def check_fires_later(given: GivenTerms, quote: QuoteResult) -> None:
    """Raises OrderdError PRICE_OFF_MARKET or PRICE_WRONG_SIDE, as the daemon would for this order.

    An order on liquidity is not checked, because it has no market yet.
    """
    if given.min_liquidity is not None:
        return
    # The amount may be a word or an exact output; with several executions, the quote is for the first.
    sold = {"amount_in": quote.part_in or quote.amount_in or quote.chosen.amount_in, "exact_out": None, "max_in": None}
    tokens = [Token(each.symbol, each.mint, each.decimals) for each in quote.tokens]
    registry = TokenRegistry(tokens or EVERYWHERE)  # older daemons do not send tokens
    terms = understood(given.model_copy(update=sold), registry, quote.slippage)
    check_plausible(terms, _paid(quote, terms.token_out.decimals))


def is_met(quote: QuoteResult) -> bool:
    """Whether the market currently meets the order's condition."""
    trigger = trigger_of(quote)
    if trigger is None or trigger.trail is not None:
        return False
    is_guarded = all(guard.is_met for guard in quote.guards)
    return is_guarded and trigger.bound().is_met(_paid(quote, trigger.pair.token_out.decimals))


def prospect_view(quote: QuoteResult) -> Group:
    return Group(*about(quote.tokens), Text(sale(quote)), prospect(quote), *map(guard_line, quote.guards))


def unlisted_view(order: GivenTerms, why: Problem) -> Table:
    """Describe an order on liquidity that cannot be quoted yet, with the reason."""
    table = pairs()
    table.add_row("sell", f"{order.amount_in} {order.token_in} for {order.token_out}, limit {order.limit_price}")
    table.add_row("waits for", Text(f"pools that hold {order.min_liquidity} {order.token_in}", "bold"))
    table.add_row("now", Text(f"{why.code}: {why.detail}"))
    table.add_row("result", Text("it would rest", Tone.WARNING))
    return table


def prospect(quote: QuoteResult) -> Table:
    """The order's condition, what follows, the distance of the market, and its validity."""
    table = pairs()
    for name, value in _executions(quote) if quote.slices is not None else _waits(quote):
        table.add_row(name, value)
    table.add_row("valid", _validity(quote))
    return table


def _waits(quote: QuoteResult) -> Iterator[tuple[str, Text]]:
    trigger, sides = trigger_of(quote), sides_of(quote)
    if trigger is not None and quote.min_liquidity is None:
        yield "waits for", Text(trigger.describe(), "bold")
    elif not sides:
        yield "waits for", Text(requested(quote), "bold")
    yield from awaited_rows((Text(side.describe(), "bold"), side.away(_market(quote, side))) for side in sides)
    yield "then", Text(what_follows(quote))
    if trigger is not None:
        yield "now", Text(_now(quote, trigger))
        yield "result", _outcome(quote, trigger)
    elif sides:
        yield "now", Text(_now(quote, sides[0]))
        yield "result", Text("both would rest; the first to be reached is executed", Tone.WARNING)


def awaited_rows(awaited: Iterable[tuple[Text, Fraction | None]]) -> Iterator[tuple[str, Text]]:
    """Rows of alternative conditions with the distance of the market, if known."""
    for number, (condition, away) in enumerate(awaited):
        yield ("or" if number else "waits for"), Text.assemble(condition, "  ", distance_text(away))


def distance_text(away: Fraction | None) -> Text:
    """A bar and the distance in percent; empty if unknown."""
    return Text() if away is None else cell_text(distance_bar(away, BAR_WIDTH))


def _executions(quote: QuoteResult) -> Iterator[tuple[str, Text]]:
    """The amounts and times of the executions, and the market's price for the first one."""
    schedule = schedule_of(quote)
    moved = "" if not schedule.jitter_bps else f", jitter {quote.jitter} %"
    each = f"{schedule.slices} times {quote.part_in} {quote.token_in}, one every {quote.every}{moved}"
    yield "sells", Text(each, "bold")
    yield "when", Text(f"the first at once, {', '.join(_times(schedule))}")
    yield "how", Text(what_follows(quote))
    limit = limit_of(quote)
    pair = pair_of(quote.token_in, quote.token_out)
    if pair is None or quote.part_in is None:
        return
    sold = parse_amount(quote.part_in, pair.token_in.decimals)
    paid = _paid(quote, pair.token_out.decimals)
    yield "now", Text(f"{pair.price_text(sold, paid)} = {quote.chosen.amount_out} {quote.token_out} for one of them")
    if limit is not None and limit.away(pair.price(sold, paid)):
        why = "the market is worse than the limit; what is not sold is added to later executions"
        yield "result", Text(why, Tone.WARNING)
    else:
        yield "result", Text("the first would be executed at once", Tone.GOOD.bold)


def schedule_of(quote: QuoteResult) -> Schedule:
    assert quote.slices is not None
    assert quote.every is not None
    jitter_bps = 0 if quote.jitter is None else parse_amount(quote.jitter, 2)
    return Schedule(quote.slices, parse_span(quote.every), jitter_bps, quote.catch_up or CatchUp.ONE)


def _times(schedule: Schedule) -> Iterator[str]:
    """The delays of the later executions; if there are many, the middle ones are omitted."""
    last = schedule.slices - 1
    for number in range(1, last):
        if number > TIMES_SHOWN:
            yield "..."
            break
        yield f"in {_offset(schedule, number)}"
    yield f"the last in {_offset(schedule, last)}"


def _offset(schedule: Schedule, number: int) -> str:
    """The delay of an execution without jitter."""
    return format_span(schedule.offset_ms(number, _NO_JITTER) // 1000)


_NO_JITTER: Final = 0.5


def _market(quote: QuoteResult, condition: Condition) -> Fraction:
    """The market price, in the unit of the pair."""
    return condition.pair.price(condition.amount_in, _paid(quote, condition.pair.token_out.decimals))


def _now(quote: QuoteResult, condition: Condition) -> str:
    market = condition.pair.price_text(condition.amount_in, _paid(quote, condition.pair.token_out.decimals))
    return f"{market} = {quote.chosen.amount_out} {quote.token_out}"


def _outcome(quote: QuoteResult, trigger: Condition) -> Text:
    """What would happen if the order were sent now."""
    if is_met(quote):
        return Text("it would be executed at once", Tone.GOOD.bold)
    paid = _paid(quote, trigger.pair.token_out.decimals)
    if trigger.trail is not None and (fires_at := trigger.fires_at(paid)):
        text = format_significant(fires_at, 6)
        return Text(f"it would rest, and trigger at {text} if the price did not rise first", Tone.WARNING)
    away = trigger.away(_market(quote, trigger), paid)
    text = "" if away is None else f": the market is {format_significant(away * 100, 3)} % away"
    return Text(f"it would rest{text}", Tone.WARNING)


def _validity(quote: QuoteResult) -> str:
    if quote.valid_for is not None:
        return f"for {quote.valid_for}"
    if quote.expires is not None:
        return f"until {moment(parse_moment(quote.expires))}"
    return "until it is filled or cancelled"


def _paid(quote: QuoteResult, decimals: int) -> int:
    return parse_amount(quote.chosen.amount_out, decimals)
