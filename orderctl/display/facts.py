"""Describes the events of an order in words."""

from fractions import Fraction
from typing import Final, assert_never

from orderctl.display.formats import ADDRESS_WIDTH, POOL_WIDTH, clock, percent, shorten
from orderctl.display.prices import described_price, pair_price
from orderctl.display.resting import rests
from orderctl.display.routes import by_amount, legs_of
from orderctl.display.terms import terms
from orderd.domain.events import (
    Accepted,
    Amended,
    AnyFact,
    Cancelled,
    CancelRequested,
    Confirmed,
    Deferred,
    Executing,
    Expired,
    Failed,
    FilledPart,
    Reclaimed,
    Recovered,
    Released,
    Retrying,
    RolledBack,
    Routed,
    Started,
    Submitted,
    Triggered,
    Unknown,
)
from orderd.domain.order import EventKind, OrderKind
from orderd.domain.quoted import Quoted, Refused
from orderd.wire.orders import OrderView

_DESCRIPTIONS: Final = {
    EventKind.RECLAIMED: "its worker died before signing; the order is queued again",
    EventKind.RECOVERED: "its transaction was found on the chain; it was signed after the restored backup",
    EventKind.CANCEL_REQUESTED: "its transaction is signed: the order ends with its outcome, and is not retried",
    EventKind.CANCELLED: "on request; nothing was traded",
    EventKind.UNKNOWN: "its outcome is unknown so far; orderd keeps checking, and signs nothing else",
}


def describe(fact: AnyFact, order: OrderView, signature_width: int = 88, *, wide: bool = False) -> list[str]:
    """Describe an event in one or a few lines. Signatures are shortened to ``signature_width`` characters; full pool
    addresses are only shown with ``wide``."""
    match fact:
        case Released() | Triggered() | Executing() | FilledPart():
            return _rested(fact, order)
        case Deferred():
            # Such an order has no time to wait for: it is checked whenever the market moves.
            is_checked = order.type is OrderKind.ON_LIQUIDITY and fact.code is not None
            until = "" if is_checked else f"until {clock(fact.until)}: "
            reason = [f"{until}{fact.reason}"]
            return reason if fact.detail is None else [*reason, f"{fact.code}: {fact.detail}"]
        case Started():
            return [f"attempt {fact.attempt}"]
        case Routed():
            quotes = [quote_line(quote, fact.chosen, order, wide=wide) for quote in by_amount(fact.quotes)]
            return [
                *quotes,
                *map(refusal_line, fact.refusals),
                *choice_lines(fact, order, ADDRESS_WIDTH if wide else POOL_WIDTH),
            ]
        case Submitted():
            signature = shorten(fact.signature, signature_width)
            return [f"signature {signature}", f"expires at block {fact.last_valid_block_height}"]
        case Retrying():
            return [f"attempt {fact.attempt}: {fact.code}: {fact.detail}", f"next attempt at {clock(fact.until)}"]
        case RolledBack():
            return [f"the block of slot {fact.slot} was rolled back; the same transaction may land again"]
        case Confirmed():
            left_over = [f"and {each.amount} {each.token} left over between the hops" for each in fact.left_over]
            return [fill(fact, order), *left_over, f"fee {fact.network_fee} SOL{rent(fact)}, slot {fact.slot}"]
        case Failed() | Expired():
            return [f"{fact.code}: {fact.detail}"]
        case Accepted() | Amended():
            return _terms_after(fact, order)
        case Reclaimed() | Recovered() | CancelRequested() | Cancelled() | Unknown():
            return [_DESCRIPTIONS[fact.kind]]
        case _:
            assert_never(fact)


def _terms_after(fact: Accepted | Amended, order: OrderView) -> list[str]:
    if isinstance(fact, Amended):
        return [terms(order.model_copy(update=fact.model_dump(exclude={"kind"})))]
    label = [] if fact.label is None else [f"label: wallet {fact.label}"]
    is_held = fact.amount_in is None and fact.exact_out is None
    if not is_held and not rests(order):
        return [terms(order), *label]
    from orderctl.display.conditions import conditions

    if is_held:
        return [terms(order), f"held until the entry order is filled; then it waits for {conditions(order)}"]
    return [terms(order), *label, f"rests, and waits for {conditions(order)}"]


def _rested(fact: Released | Triggered | Executing | FilledPart, order: OrderView) -> list[str]:
    """Describe an event of a resting order."""
    if isinstance(fact, Released):
        return [f"order {fact.entry} is filled: this order sells the {fact.amount_in} {order.token_in} received"]
    if isinstance(fact, Executing):
        return [f"order {fact.child} executes {fact.amount_in} {order.token_in}"]
    if isinstance(fact, FilledPart):
        sold = f"{fact.amount_in} {order.token_in} sold for {fact.amount_out} {order.token_out}"
        return [f"{sold} at {_price(order, fact.executed_price)}, {fact.remaining} {order.token_in} left"]
    confirmed = "" if fact.slot == fact.met_at_slot else f", met since slot {fact.met_at_slot}"
    pays = f"the market pays {fact.amount_out} {order.token_out}, {fact.price}, at slot {fact.slot}{confirmed}"
    return [pays, f"it waited for {fact.condition}"]


def fill(fact: Confirmed, order: OrderView) -> str:
    if order.exact_out is not None:
        paid = f"{fact.amount_in} {order.token_in}"
        return f"received {fact.amount_out} {order.token_out} for {paid}, at {_price(order, fact.executed_price)}"
    return f"received {fact.amount_out} {order.token_out} at {_price(order, fact.executed_price)}"


def _price(order: OrderView, rate: str) -> str:
    return described_price(order.token_in, order.token_out, rate)


def rent(fact: Confirmed) -> str:
    return "" if fact.rent is None else f", rent of new token accounts {fact.rent} SOL"


def quote_line(quote: Quoted, chosen: Quoted, order: OrderView, *, wide: bool) -> str:
    mark = "→" if quote == chosen else " "
    impact = percent(quote.price_impact_bps)
    pool = f", pool {quote.pool}" if wide else ""
    amount = f"{quote.amount_out} {order.token_out}"
    if quote.amount_in is not None:
        amount = f"{quote.amount_in} {order.token_in}"
    price, _ = pair_price(order.token_in, order.token_out, Fraction(quote.price))
    offer = f"{amount} at {price}, impact {impact} %{pool}"
    return f"{mark} {quote.pool_kind:<15} {offer}"


def choice_lines(fact: Routed, order: OrderView, pool_width: int) -> list[str]:
    least = f"for at least {fact.min_amount_out} {order.token_out}"
    if fact.max_amount_in is not None:
        least = f"for at most {fact.max_amount_in} {order.token_in}"
    if len(fact.route) <= 1:
        return [f"  chosen: {fact.chosen.pool_kind} {shorten(fact.chosen.pool, pool_width)}, {least}"]
    chosen, compared = fact.chosen, "more" if fact.chosen.amount_in is None else "less"
    gain = "" if fact.gain_bps is None else f", {fact.gain_bps} bp {compared} than the best pool"
    legs = [f"→ {line}" for line in legs_of(fact.route, pool_width)]
    total = f"{chosen.amount_out} {order.token_out}"
    if chosen.amount_in is not None:
        total = f"{chosen.amount_in} {order.token_in}"
    return [*legs, f"  together {total}{gain}", f"  chosen: this route, {least}"]


def refusal_line(refusal: Refused) -> str:
    return f"  {refusal.venue:<15} no quote: {refusal.code}: {refusal.detail}"
