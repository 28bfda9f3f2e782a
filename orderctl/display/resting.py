"""Describes the prices of a resting order in short.

Most orders do not rest, so what computes with prices is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderd.domain.order import RESTING, OrderKind, TimeInForce, has_children

if TYPE_CHECKING:
    from uuid import UUID

    from orderd.domain.terms_formatted import FormattedTerms
    from orderd.wire.orders import OrderView

_NAMES: Final = {
    OrderKind.TAKE_PROFIT: "take-profit",
    OrderKind.STOP_LIMIT: "stop",
    OrderKind.TRAILING: "trail",
    OrderKind.ON_LIQUIDITY: "limit",
}
"""The words before a price, for kinds where it is not the kind's name."""


def rests(terms: FormattedTerms) -> bool:
    """Whether such an order waits for the market, instead of being executed at once."""
    return terms.type is not OrderKind.MARKET and terms.time_in_force in (None, TimeInForce.GTC)


def is_family(terms: FormattedTerms) -> bool:
    """Whether the order is executed by child orders."""
    return has_children(terms.type, partial=terms.partial)


def above(order: OrderView) -> UUID | None:
    """The parent or entry order."""
    return order.parent_id or order.entry_id


def is_open(order: OrderView) -> bool:
    return order.status in RESTING


def word_of(kind: OrderKind) -> str:
    return _NAMES.get(kind, kind)


def prices(terms: FormattedTerms) -> str | None:
    """The order's prices in short, such as ``stop 95, limit 94.5 USDC per SOL``; None without prices."""
    named = []
    if terms.type is OrderKind.TWAP:
        named.append(f"{terms.slices} executions, one every {terms.every}")
    if terms.type is OrderKind.OCO:
        named.append(f"take-profit {terms.take_profit_price} or stop {terms.stop_price}")
    elif (price := terms.stop_price or terms.take_profit_price or terms.trail) is not None:
        named.append(f"{word_of(terms.type)} {price}")
    if terms.min_liquidity is not None:
        named.append(f"once pools hold {terms.min_liquidity} {terms.token_in}")
    if terms.limit_price is not None:
        named.append(f"limit {terms.limit_price}")
    ends = exits(terms)
    if ends:
        named.append(f"then {ends}")
    if not named:
        return None
    from orderctl.display.pairs import pair_of

    pair = pair_of(terms.token_in, terms.token_out)
    is_percent = terms.trail is not None and terms.trail.endswith("%")
    has_unit = terms.slices is None or terms.limit_price is not None or bool(ends)
    has_unit = has_unit and pair is not None and not is_percent
    return ", ".join(named) + (f" {pair.unit}" if pair is not None and has_unit else "")


def exits(entry: FormattedTerms) -> str:
    """The exit prices of a purchase; empty without exits."""
    named = (("take-profit", entry.then_take_profit), ("stop", entry.then_stop))
    return " or ".join(f"{name} {price}" for name, price in named if price is not None)


def liquidity(terms: FormattedTerms) -> str:
    """The liquidity that an order on liquidity waits for."""
    return f"pools that hold {terms.min_liquidity} {terms.token_in}"


def guards(terms: FormattedTerms) -> str:
    """The further conditions of an order on liquidity."""
    parts = [f"pool fee at most {terms.max_pool_fee} %", f"round trip loses at most {terms.max_round_trip_loss} %"]
    if terms.max_holder is not None:
        parts.append(f"no holder has more than {terms.max_holder} %")
    powers = "" if terms.allow is None else f" except {terms.allow.replace(',', ', ')}"
    return f"{', '.join(parts)}; no authorities over the token{powers}"
