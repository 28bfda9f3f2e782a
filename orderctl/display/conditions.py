"""What a resting order waits for, and the distance of the market.

The daemon sends the resulting amounts of an order's prices. If only the terms are known, as after the first event of an
order, they are computed here, but only for known tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderctl.display.pairs import pair_of
from orderctl.display.resting import exits, liquidity, prices, word_of
from orderd.domain.money import format_significant, parse_amount
from orderd.domain.order import HELD, OrderKind
from orderd.domain.trigger import Condition, Trail

if TYPE_CHECKING:
    from fractions import Fraction

    from orderd.domain.terms_formatted import FormattedTerms
    from orderd.wire.orders import OrderView


def trigger_of(terms: FormattedTerms) -> Condition | None:
    """The condition before execution: the trigger price, or else the limit price.

    None if it is not a single price, or if a token is unknown.
    """
    if terms.type in (OrderKind.OCO, OrderKind.TWAP):
        return None
    price = terms.stop_price or terms.take_profit_price or terms.limit_price
    return _condition(terms, terms.type, price, terms.trail)


def sides_of(oco: FormattedTerms) -> tuple[Condition, ...]:
    """The two conditions of an OCO order."""
    if oco.type is not OrderKind.OCO:
        return ()
    better = _condition(oco, OrderKind.TAKE_PROFIT, oco.take_profit_price)
    worse = _condition(oco, OrderKind.STOP, oco.stop_price)
    return tuple(each for each in (better, worse) if each is not None)


def limit_of(terms: FormattedTerms) -> Condition | None:
    """The limit price of each execution."""
    return _condition(terms, OrderKind.LIMIT, terms.limit_price)


def awaited(order: OrderView) -> Condition | None:
    """The current condition: a triggered stop waits for its limit price only."""
    return trigger_of(order) if order.triggered_at is None else limit_of(order)


def _condition(terms: FormattedTerms, kind: OrderKind, price: str | None, trail: str | None = None) -> Condition | None:
    pair = pair_of(terms.token_in, terms.token_out)
    if pair is None or terms.amount_in is None or (price is None and trail is None):
        return None
    amount = parse_amount(terms.amount_in, pair.token_in.decimals)
    return Condition(kind, pair, amount, price, None if trail is None else Trail.parse(trail))


def name_of(condition: Condition) -> str:
    """The word before the condition's price."""
    return word_of(condition.kind)


def conditions(order: OrderView) -> str:
    """All conditions of an order, with prices and resulting amounts."""
    return _conditions(order) or order.price_reads or prices(order) or ""


def _conditions(terms: FormattedTerms) -> str | None:
    """The conditions, computed from the terms; None if a token is unknown."""
    parts = [trigger_of(terms)]
    if terms.type is OrderKind.STOP_LIMIT:
        parts.append(limit_of(terms))
    elif terms.type is OrderKind.OCO:
        parts = [*sides_of(terms)]
    link = "; or " if terms.type is OrderKind.OCO else "; then "
    there = "" if terms.min_liquidity is None else f"{liquidity(terms)}, and "
    conditions = link.join(each.describe() for each in parts if each is not None)
    return f"{there}{conditions}" if conditions else None


def requested(terms: FormattedTerms) -> str:
    """Like ``conditions``, for terms that are not an order yet."""
    return _conditions(terms) or prices(terms) or ""


def reading(order: OrderView) -> str:
    """The current condition with its resulting amount, such as ``105 USDC per SOL = at least 157.5 USDC``."""
    if order.status in HELD:
        return f"the fill of order {order.entry_id}; then for {conditions(order)}"
    if order.paused:
        return f"orderctl resume; then for {conditions(order)}"
    condition = awaited(order)
    if condition is None or order.min_liquidity is not None:
        return conditions(order)
    fires_at = trigger_price(order, condition)
    if condition.trail is None or fires_at is None:
        return condition.describe()
    return f"{condition.describe()}, now {format_significant(fires_at, 6)} {condition.pair.unit}"


def what_follows(terms: FormattedTerms) -> str:
    """What happens once the condition is met."""
    ends, pair = exits(terms), pair_of(terms.token_in, terms.token_out)
    unit = "" if pair is None else f" {pair.unit}"
    return _execution(terms) + (f"; then the bought tokens are sold: {ends}{unit}" if ends else "")


def _execution(terms: FormattedTerms) -> str:
    if terms.type in (OrderKind.LIMIT, OrderKind.ON_LIQUIDITY):
        return "it is filled at this price or a better one"
    if terms.type is OrderKind.STOP_LIMIT:
        limit = limit_of(terms)
        return f"it becomes a limit order: {terms.limit_price if limit is None else limit.describe()}"
    if terms.type is OrderKind.TWAP:
        at_least = f"{terms.limit_price} or better" if terms.limit_price is not None else "the best available price"
        return f"each is executed at {at_least}"
    return "it is executed at the best available price"


def trigger_price(order: OrderView, condition: Condition) -> Fraction | None:
    """The trigger price, in the pair's unit; None for a trail whose best price is unknown."""
    return condition.fires_at(_best_out(order, condition))


def _best_out(order: OrderView, condition: Condition) -> int:
    """The highest amount that the market has offered so far, in base units; 0 if unknown."""
    best = order.best_amount_out
    return 0 if best is None else parse_amount(best, condition.pair.token_out.decimals)


def sign(condition: Condition) -> str:
    """Whether the condition is met at or above (≥), or at or below (≤), its price."""
    return "≥" if condition.is_above else "≤"


def distances(order: OrderView, paid: Fraction) -> list[tuple[Condition, Fraction]]:
    """The distance of the market from each price of an order, as a fraction, if known.

    ``paid`` is what the market pays for one sold token.
    """
    found = []
    for condition in (awaited(order), *sides_of(order)):
        if condition is not None:
            market = paid if condition.pair.quote == condition.pair.token_out else 1 / paid
            away = condition.away(market, _best_out(order, condition))
            found += [] if away is None else [(condition, away)]
    return found


def distance(order: OrderView, paid: Fraction) -> Fraction | None:
    """The distance from the nearest price; None if unknown."""
    return min((away for _, away in distances(order, paid)), default=None)
