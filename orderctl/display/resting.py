"""What a resting order waits for: in words, and how far the market is from it.

The daemon sends an order's prices with what they come to; if only its terms are known, as for an order whose first
event has just arrived, the same is computed from these. For tokens that are not built in nothing is computed.
Completion reads the columns that are made here, so no library is loaded.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from orderd.domain.errors import OrderdError
from orderd.domain.money import format_significant, parse_amount
from orderd.domain.order import HELD, RESTING, OrderKind, TimeInForce, has_children
from orderd.domain.price import PairPrice
from orderd.domain.tokens import Token, TokenRegistry
from orderd.domain.trigger import Condition, Trail
from orderd.domain.well_known import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from orderd.domain.terms_formatted import FormattedTerms
    from orderd.wire.orders import OrderView
    from orderd.wire.tokens import TokenView

_TOKENS: Final = TokenRegistry(EVERYWHERE)
_NAMES: Final = {
    OrderKind.TAKE_PROFIT: "take-profit",
    OrderKind.STOP_LIMIT: "stop",
    OrderKind.TRAILING: "trail",
    OrderKind.ON_LIQUIDITY: "limit",
}
"""Of kinds whose own name is not the word that stands before their price."""


def rests(terms: FormattedTerms) -> bool:
    """Whether such an order waits for the market, instead of being executed at once."""
    return terms.type is not OrderKind.MARKET and terms.time_in_force in (None, TimeInForce.GTC)


def is_family(terms: FormattedTerms) -> bool:
    """Whether it is executed by orders of their own."""
    return has_children(terms.type, partial=terms.partial)


def above(order: OrderView) -> UUID | None:
    """The order that it executes, or that it follows."""
    return order.parent_id or order.entry_id


def is_open(order: OrderView) -> bool:
    return order.status in RESTING


def know(tokens: Iterable[TokenView]) -> None:
    """The daemon has described these tokens: from now on their prices are shown, too."""
    new = {each.symbol: Token(each.symbol, each.mint, each.decimals) for each in tokens}
    if not new.items() <= _tokens_by_name.items():
        _tokens_by_name.update(new)
        pair_of.cache_clear()


_tokens_by_name: dict[str, Token] = {}


@lru_cache
def pair_of(token_in: str, token_out: str) -> PairPrice | None:
    """Of two symbols; None if one of them is not known."""
    try:
        sold, bought = (_tokens_by_name.get(name) or _TOKENS.resolve(name) for name in (token_in, token_out))
    except OrderdError:
        return None
    return None if sold == bought else PairPrice(sold, bought)


def trigger_of(terms: FormattedTerms) -> Condition | None:
    """What it waits for before it may be executed: its trigger, or else its limit.

    None if that is not a single price, or if it is not known.
    """
    if terms.type in (OrderKind.OCO, OrderKind.TWAP):
        return None
    price = terms.stop_price or terms.take_profit_price or terms.limit_price
    return _condition(terms, terms.type, price, terms.trail)


def sides_of(oco: FormattedTerms) -> tuple[Condition, ...]:
    """The two prices of an OCO, whichever comes first."""
    if oco.type is not OrderKind.OCO:
        return ()
    better = _condition(oco, OrderKind.TAKE_PROFIT, oco.take_profit_price)
    worse = _condition(oco, OrderKind.STOP, oco.stop_price)
    return tuple(each for each in (better, worse) if each is not None)


def limit_of(terms: FormattedTerms) -> Condition | None:
    """What each of its executions has to pay."""
    return _condition(terms, OrderKind.LIMIT, terms.limit_price)


def awaited(order: OrderView) -> Condition | None:
    """What it waits for now: a stop that has fired waits for its limit only."""
    return trigger_of(order) if order.triggered_at is None else limit_of(order)


def _condition(terms: FormattedTerms, kind: OrderKind, price: str | None, trail: str | None = None) -> Condition | None:
    pair = pair_of(terms.token_in, terms.token_out)
    if pair is None or terms.amount_in is None or (price is None and trail is None):
        return None
    amount = parse_amount(terms.amount_in, pair.token_in.decimals)
    return Condition(kind, pair, amount, price, None if trail is None else Trail.parse(trail))


def name_of(condition: Condition) -> str:
    """The word that stands before its price."""
    return word_of(condition.kind)


def word_of(kind: OrderKind) -> str:
    return _NAMES.get(kind, kind)


def prices(terms: FormattedTerms) -> str | None:
    """Its prices in short, such as ``stop 95, limit 94.5 USDC per SOL``; None if it has none."""
    named = []
    if terms.type is OrderKind.TWAP:
        named.append(f"{terms.slices} executions, one every {terms.every}")
    if terms.type is OrderKind.OCO:
        named.append(f"take-profit {terms.take_profit_price} or stop {terms.stop_price}")
    elif (price := terms.stop_price or terms.take_profit_price or terms.trail) is not None:
        named.append(f"{word_of(terms.type)} {price}")
    if terms.min_liquidity is not None:
        named.append(f"once {liquidity(terms)} are there")
    if terms.limit_price is not None:
        named.append(f"limit {terms.limit_price}")
    ends = exits(terms)
    if ends:
        named.append(f"then {ends}")
    if not named:
        return None
    pair = pair_of(terms.token_in, terms.token_out)
    is_percent = terms.trail is not None and terms.trail.endswith("%")
    has_unit = terms.slices is None or terms.limit_price is not None or bool(ends)
    has_unit = has_unit and pair is not None and not is_percent
    return ", ".join(named) + (f" {pair.unit}" if pair is not None and has_unit else "")


def exits(entry: FormattedTerms) -> str:
    """The exit prices of a purchase; empty without an exit."""
    named = (("take-profit", entry.then_take_profit), ("stop", entry.then_stop))
    return " or ".join(f"{name} {price}" for name, price in named if price is not None)


def conditions(order: OrderView) -> str:
    """All that it waits for, with both readings."""
    return _conditions(order) or order.price_reads or prices(order) or ""


def _conditions(terms: FormattedTerms) -> str | None:
    """The same computed from its terms alone; None if they are not enough."""
    parts = [trigger_of(terms)]
    if terms.type is OrderKind.STOP_LIMIT:
        parts.append(limit_of(terms))
    elif terms.type is OrderKind.OCO:
        parts = [*sides_of(terms)]
    link = "; or " if terms.type is OrderKind.OCO else "; then "
    there = "" if terms.min_liquidity is None else f"{liquidity(terms)}, and "
    conditions = link.join(each.describe() for each in parts if each is not None)
    return f"{there}{conditions}" if conditions else None


def liquidity(terms: FormattedTerms) -> str:
    """How much of it an order on liquidity waits for."""
    return f"pools that hold {terms.min_liquidity} {terms.token_in}"


def guards(terms: FormattedTerms) -> str:
    """What else such an order asks of its market and its token."""
    parts = [f"pool fee at most {terms.max_pool_fee} %", f"round trip loses at most {terms.max_round_trip_loss} %"]
    if terms.max_holder is not None:
        parts.append(f"nobody holds more than {terms.max_holder} %")
    powers = "" if terms.allow is None else f" but {terms.allow.replace(',', ', ')}"
    return f"{', '.join(parts)}; nobody has power over the token{powers}"


def requested(terms: FormattedTerms) -> str:
    """Like ``conditions``, for what is not an order yet."""
    return _conditions(terms) or prices(terms) or ""


def reading(order: OrderView) -> str:
    """What it waits for now with both readings, such as ``105 USDC per SOL = at least 157.5 USDC``."""
    if order.status in HELD:
        return f"the fill of order {order.entry_id}; then for {conditions(order)}"
    condition = awaited(order)
    if condition is None or order.min_liquidity is not None:
        return conditions(order)
    fires_at = trigger_price(order, condition)
    if condition.trail is None or fires_at is None:
        return condition.describe()
    return f"{condition.describe()}, now {format_significant(fires_at, 6)} {condition.pair.unit}"


def what_follows(terms: FormattedTerms) -> str:
    """What is done once the market has met what is waited for."""
    ends, pair = exits(terms), pair_of(terms.token_in, terms.token_out)
    unit = "" if pair is None else f" {pair.unit}"
    return _execution(terms) + (f"; what it has bought is sold again: {ends}{unit}" if ends else "")


def _execution(terms: FormattedTerms) -> str:
    if terms.type in (OrderKind.LIMIT, OrderKind.ON_LIQUIDITY):
        return "it is filled at this price or a better one"
    if terms.type is OrderKind.STOP_LIMIT:
        limit = limit_of(terms)
        return f"it is a limit order: {terms.limit_price if limit is None else limit.describe()}"
    if terms.type is OrderKind.TWAP:
        at_least = f"{terms.limit_price} or better" if terms.limit_price is not None else "the best price there is"
        return f"each is executed at {at_least}"
    return "it is executed at the best price there is"


def trigger_price(order: OrderView, condition: Condition) -> Fraction | None:
    """The price at which it fires, in the pair's unit; None for a trail whose best price is not known yet."""
    return condition.fires_at(_best_out(order, condition))


def _best_out(order: OrderView, condition: Condition) -> int:
    """The most that it has been paid while it rested, in base units, as far as is known."""
    best = order.best_amount_out
    return 0 if best is None else parse_amount(best, condition.pair.token_out.decimals)


def sign(condition: Condition) -> str:
    """Whether it fires when the price, in the pair's unit, is so high (≥) or so low (≤)."""
    return "≥" if condition.is_above else "≤"


def distances(order: OrderView, paid: Fraction) -> list[tuple[Condition, Fraction]]:
    """How far the market's price has to move until each of its prices is met, as a part of it, as far as that is known.

    ``paid`` is what the market pays for one of the token that is sold.
    """
    found = []
    for condition in (awaited(order), *sides_of(order)):
        if condition is not None:
            market = paid if condition.pair.quote == condition.pair.token_out else 1 / paid
            away = condition.away(market, _best_out(order, condition))
            found += [] if away is None else [(condition, away)]
    return found


def distance(order: OrderView, paid: Fraction) -> Fraction | None:
    """The same of the price that is nearest; None if that is not known."""
    return min((away for _, away in distances(order, paid)), default=None)
