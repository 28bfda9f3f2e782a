"""An order's history: how long each stage has taken, by the daemon's own clock, and what each event says in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, assert_never

from orderctl.display.resting import conditions, prices, rests
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
    OrderEvent,
    Quoted,
    Reclaimed,
    Recovered,
    Refused,
    Released,
    Retrying,
    RolledBack,
    Routed,
    RoutedLeg,
    Started,
    Submitted,
    Triggered,
    Unknown,
)
from orderd.domain.order import IDLE, TERMINAL, WAITING, EventKind, Floor, OrderStatus, TimeInForce
from orderd.domain.terms import ToldTerms
from orderd.domain.terms_parsing import MARKET_EXITS
from orderd.wire import OrderView

POOL_WIDTH: Final = 9
"""Characters of a pool's address that tell it from the others."""
ADDRESS_WIDTH: Final = 44
"""Of a whole one."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time an order spent in a stage of its present attempt; ``end`` is None while it is there."""

    stage: OrderStatus
    start: datetime
    end: datetime | None = None

    def seconds(self, now: datetime) -> float:
        return max(0.0, ((self.end or now) - self.start).total_seconds())


class Timeline:
    """What is known of one order. Events are applied once each, in order; one seen before changes nothing.

    Those up to ``untold`` will not be told: the daemon has not kept them, and the order says what they came to.
    """

    def __init__(self, order: OrderView, events: Iterable[OrderEvent] = (), *, untold: int = 0) -> None:
        self.order = order
        self._untold = untold
        self.events: tuple[OrderEvent, ...] = ()
        for event in events:
            self.apply(event)

    def apply(self, event: OrderEvent) -> None:
        if event.seq > self.seq:
            self.events = (*self.events, event)
            self.order = self.order.model_copy(update=changed_at_rest(event))

    @property
    def seq(self) -> int:
        return self.events[-1].seq if self.events else self._untold

    @property
    def status(self) -> OrderStatus:
        """By what is newer: the events, or the order as the daemon gave it."""
        return self.events[-1].status if self.events and self.seq >= self.order.seq else self.order.status

    @property
    def unknown_since(self) -> datetime | None:
        """From when on nobody could tell what became of the transaction; None where that is not so."""
        if not self.events or self.seq < self.order.seq:
            return self.order.unknown_since
        last = self.events[-1]
        return last.at if isinstance(last.data, Unknown) else None

    @property
    def is_over(self) -> bool:
        """Terminal, and all that led there is known."""
        return self.seq >= self.order.seq and self.status in TERMINAL

    @property
    def routed(self) -> Routed | None:
        """The quotes of the present attempt."""
        for event in reversed(self.events):
            if isinstance(event.data, Started | Retrying | Reclaimed | Deferred):
                return None
            if isinstance(event.data, Routed):
                return event.data
        return None

    @property
    def wait(self) -> Deferred | Retrying | None:
        """What the order waits for: its slot of the rate limit, a service that is away, or the end of a backoff."""
        last = self.events[-1].data if self.events else None
        return last if isinstance(last, Deferred | Retrying) else None

    @property
    def attempt(self) -> int:
        return next((event.data.attempt for event in reversed(self.events) if isinstance(event.data, Started)), 0)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The stages of the present attempt, in order. What an earlier attempt took is in the queue's span, or where
        the order rests again, in that of its rest.
        """
        spans: list[Span] = []
        for event in self.events:
            if spans and spans[-1].stage is event.status:
                continue
            if event.status in IDLE | WAITING and spans and spans[-1].stage not in IDLE:
                spans = [Span(event.status, event.at)]
                continue
            if isinstance(event.data, RolledBack):
                spans = [*spans[:-2], Span(event.status, spans[-2].start)]
                continue
            if spans:
                spans[-1] = Span(spans[-1].stage, spans[-1].start, event.at)
            spans.append(Span(event.status, event.at, event.at if event.status in TERMINAL else None))
        return tuple(spans)

    @property
    def setbacks(self) -> tuple[OrderEvent, ...]:
        """The events that sent the order back."""
        return tuple(event for event in self.events if isinstance(event.data, Retrying | Reclaimed | RolledBack))

    @property
    def end(self) -> AnyFact | None:
        """How it ended; None where it has not, or where that is not told."""
        return self.events[-1].data if self.is_over and self.events else None

    @property
    def brought(self) -> str | None:
        """What it was filled with, in the token that is bought."""
        if isinstance(end := self.end, Confirmed):
            return end.amount_out
        return self.order.amount_out if self.is_over and not self.events else None

    @property
    def ended_at(self) -> datetime | None:
        """None while it goes on."""
        if not self.is_over:
            return None
        return self.events[-1].at if self.events else self.order.updated_at


_SAYS: Final = {
    EventKind.RECLAIMED: "the worker is gone and nothing was signed: back into the queue",
    EventKind.RECOVERED: "its transaction was found on the chain; it was signed after the backup that was restored",
    EventKind.CANCEL_REQUESTED: "its transaction is signed: it ends as that does, and is not tried again",
    EventKind.CANCELLED: "on request; nothing was traded",
    EventKind.UNKNOWN: "nobody can tell so far what became of it; it is looked after further, nothing else is signed",
}


def describe(fact: AnyFact, order: OrderView, signature_width: int = 88, *, wide: bool = False) -> list[str]:
    """What an event says, in one line or a few. A signature (88 characters) is shortened to ``signature_width``; only
    ``wide`` tells the whole addresses of pools."""
    match fact:
        case Released() | Triggered() | Executing() | FilledPart():
            return _rested(fact, order)
        case Deferred():
            told = [f"until {clock(fact.until)}: {fact.reason}"]
            return told if fact.detail is None else [*told, f"{fact.code}: {fact.detail}"]
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
            return [f"the chain has taken back the block of slot {fact.slot}; the same transaction may land again"]
        case Confirmed():
            left_over = [f"and {each.amount} {each.token} left over between the hops" for each in fact.left_over]
            return [fill(fact, order), *left_over, f"fee {fact.network_fee} SOL{rent(fact)}, slot {fact.slot}"]
        case Failed() | Expired():
            return [f"{fact.code}: {fact.detail}"]
        case Accepted() | Amended():
            return _terms_after(fact, order)
        case Reclaimed() | Recovered() | CancelRequested() | Cancelled() | Unknown():
            return [_SAYS[fact.kind]]
        case _:
            assert_never(fact)


def _terms_after(fact: Accepted | Amended, order: OrderView) -> list[str]:
    if isinstance(fact, Amended):
        return [terms(order.model_copy(update=fact.model_dump(exclude={"kind"})))]
    if fact.amount_in is None and fact.exact_out is None:
        return [terms(order), f"held until that is bought; then it waits for {conditions(order)}"]
    label = [] if fact.label is None else [f"for the wallet {fact.label}, which is a label"]
    return [terms(order), *label, *([f"rests, and waits for {conditions(order)}"] if rests(order) else [])]


def _rested(fact: Released | Triggered | Executing | FilledPart, order: OrderView) -> list[str]:
    """What happens to an order that rests."""
    if isinstance(fact, Released):
        return [f"order {fact.entry} is filled: it sells the {fact.amount_in} {order.token_in} that were received"]
    if isinstance(fact, Executing):
        return [f"order {fact.child} executes {fact.amount_in} {order.token_in}"]
    if isinstance(fact, FilledPart):
        sold = f"{fact.amount_in} {order.token_in} sold for {fact.amount_out} {order.token_out}"
        return [f"{sold} at {fact.executed_price}, {fact.remaining} {order.token_in} left"]
    confirmed = "" if fact.slot == fact.met_at_slot else f", met since slot {fact.met_at_slot}"
    pays = f"the market pays {fact.amount_out} {order.token_out}, {fact.price}, at slot {fact.slot}{confirmed}"
    return [pays, f"it waited for {fact.condition}"]


def changed_at_rest(event: OrderEvent) -> dict[str, Any]:
    """The members of an order that rests which change with the event; empty for an event that changes no term."""
    match event.data:
        case Triggered():
            return {"triggered_at": event.at}
        case Released(amount_in=amount):
            return {"amount_in": amount}
        case Amended() as amended:
            return amended.model_dump(exclude={"kind"})
        case _:
            return {}


def terms(order: OrderView) -> str:
    said = sale(order)
    if (asked := prices(order)) is not None:
        said += f", {asked}"
    if order.slippage_widens:
        said += f", slippage at most {order.max_slippage} %, less in its first tries"
    elif order.limit_price is None:
        said += f", slippage at most {order.slippage} %"
    if order.min_out is not None:
        said += f", at least {order.min_out} {order.token_out}"
    if order.max_in is not None:
        said += f", at most {order.max_in} {order.token_in}"
    if order.max_cost is not None:
        said += f", cost at most {order.max_cost} %"
    if order.floor is Floor.EACH and order.type not in MARKET_EXITS:
        said += f", a new {'floor' if order.exact_out is None else 'ceiling'} in each attempt"
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        said += f", {_AT_ONCE[order.time_in_force]}"
    return said


_AT_ONCE: Final = {TimeInForce.IOC: "at once or not at all", TimeInForce.FOK: "all of it at once or nothing"}


def sale(terms: ToldTerms) -> str:
    if terms.exact_out is not None:
        return f"buy {terms.exact_out} {terms.token_out} with {sold(terms)}"
    amount = "all" if terms.amount_in is None else terms.amount_in
    bought = ", once it is bought" if terms.amount_in is None else ""
    return f"sell {amount} {sold(terms)} for {terms.token_out}{bought}"


def sold(terms: ToldTerms) -> str:
    return f"wrapped {terms.token_in}" if terms.use_wrapped else terms.token_in


def fill(fact: Confirmed, order: OrderView) -> str:
    if order.exact_out is not None:
        paid = f"{fact.amount_in} {order.token_in}"
        return f"received {fact.amount_out} {order.token_out} for {paid}, at {fact.executed_price}"
    return f"received {fact.amount_out} {order.token_out} at {fact.executed_price}"


def rent(fact: Confirmed) -> str:
    return "" if fact.rent is None else f", rent of new token accounts {fact.rent} SOL"


def quote_line(quote: Quoted, chosen: Quoted, order: OrderView, *, wide: bool) -> str:
    mark = "→" if quote == chosen else " "
    impact = percent(quote.price_impact_bps)
    pool = f", pool {quote.pool}" if wide else ""
    amount = f"{quote.amount_out} {order.token_out}"
    if quote.amount_in is not None:
        amount = f"{quote.amount_in} {order.token_in}"
    offer = f"{amount} at {quote.price}, impact {impact} %{pool}"
    return f"{mark} {quote.pool_kind:<15} {offer}"


def choice_lines(fact: Routed, order: OrderView, pool_width: int) -> list[str]:
    least = f"for at least {fact.min_amount_out} {order.token_out}"
    if fact.max_amount_in is not None:
        least = f"for at most {fact.max_amount_in} {order.token_in}"
    if len(fact.route) <= 1:
        return [f"  choose {fact.chosen.pool_kind} {shorten(fact.chosen.pool, pool_width)}, {least}"]
    chosen, compared = fact.chosen, "more" if fact.chosen.amount_in is None else "less"
    gain = "" if fact.gain_bps is None else f", {fact.gain_bps} bp {compared} than the best pool"
    legs = [f"→ {line}" for line in legs_of(fact.route, pool_width)]
    together = f"{chosen.amount_out} {order.token_out}"
    if chosen.amount_in is not None:
        together = f"{chosen.amount_in} {order.token_in}"
    return [*legs, f"  together {together}{gain}", f"  choose this, {least}"]


def legs_of(route: Sequence[RoutedLeg], pool_width: int = POOL_WIDTH) -> list[str]:
    """A line a hop: which pools share it."""
    hops: dict[int, list[RoutedLeg]] = {}
    for leg in route:
        hops.setdefault(leg.hop, []).append(leg)
    return [
        f"{legs[0].token_in} to {legs[0].token_out}: "
        + ", ".join(f"{leg.share} % {leg.pool_kind} {shorten(leg.pool, pool_width)}" for leg in legs)
        for legs in hops.values()
    ]


def refusal_line(refusal: Refused) -> str:
    return f"  {refusal.venue:<15} no quote: {refusal.code}: {refusal.detail}"


def by_amount(quotes: Iterable[Quoted]) -> list[Quoted]:
    """What pays the most, or takes the least, comes first."""
    return sorted(quotes, key=lambda quote: (-Decimal(quote.amount_out), Decimal(quote.amount_in or 0)))


def waiting(until: datetime, now: datetime) -> str:
    """How long an order still waits."""
    left = (until - now).total_seconds()
    return f"goes on in {duration(left)}" if left > 0 else "goes on now"


def validity(order: OrderView) -> str:
    """Until when an order may wait."""
    return "until it is filled or cancelled" if order.valid_until is None else f"until {moment(order.valid_until)}"


def moment(at: datetime) -> str:
    """The local date and time of day, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def percent(bps: str) -> str:
    """Basis points, a decimal string, in percent."""
    return f"{Decimal(bps).scaleb(-2).normalize():f}"


def clock(at: datetime) -> str:
    """The local time of day, to the millisecond."""
    local = at.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def shorten(text: str, width: int) -> str:
    """Both ends of an address or a signature, with … for the middle."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def duration(seconds: float) -> str:
    """A length of time for reading: ``43 ms``, ``1.4 s``, ``1:01``, ``1:02:05``."""
    if round(seconds, 3) < 1:
        return f"{seconds * 1000:.0f} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
