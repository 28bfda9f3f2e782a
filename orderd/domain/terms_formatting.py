"""An order's terms as text: amounts and prices as decimal strings, tokens by their symbols."""

from typing import Any

from orderd.domain.exits import stop_of, take_profit_of
from orderd.domain.money import format_amount
from orderd.domain.order import Floor, OrderKind
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatted import FormattedTerms
from orderd.domain.times import format_moment, format_span
from orderd.domain.tokens import Token


def format_terms(terms: OrderTerms) -> FormattedTerms:
    """The terms as shown: tokens by their symbols, slippage and costs in percent."""
    return FormattedTerms(**formatted_values(terms))


def formatted_values(terms: OrderTerms) -> dict[str, Any]:
    """The formatted terms by name, for messages that include them."""
    return {
        "token_in": terms.token_in.symbol,
        "token_out": terms.token_out.symbol,
        "amount_word": terms.amount_word,
        "amount_in": _formatted(terms.amount_in, terms.token_in),
        "slippage": format_amount(terms.slippage_bps, 2),
        "min_out": _formatted(terms.min_out, terms.token_out),
        "max_cost": _percent(terms.max_cost_bps),
        "floor": terms.floor or Floor.EACH,
        "use_wrapped": terms.use_wrapped,
        "exact_out": _formatted(terms.exact_out, terms.token_out),
        "max_in": _formatted(terms.max_in, terms.token_in),
        "type": terms.kind,
        "limit_price": terms.limit_price,
        "stop_price": terms.stop_price,
        "take_profit_price": terms.take_profit_price,
        "trail": terms.trail,
        "max_slippage": _percent(terms.max_slippage_bps),
        "min_liquidity": _formatted(terms.min_liquidity, terms.token_in),
        "max_pool_fee": _percent(terms.max_pool_fee_bps),
        "max_round_trip_loss": _percent(terms.max_round_trip_loss_bps),
        "max_holder": _percent(terms.max_holder_bps),
        "allow": terms.allowed_traits,
        "slippage_widens": terms.slippage_widens,
        "confirm": terms.confirm,
        "confirm_for": None if terms.confirm_seconds is None else format_span(terms.confirm_seconds),
        "time_in_force": terms.time_in_force,
        "partial": terms.partial,
        "min_fill": _percent(terms.min_fill_bps),
        "slices": terms.slices,
        "over": None if terms.every_seconds is None else format_span(terms.every_seconds * (terms.slices or 1)),
        "every": None if terms.every_seconds is None else format_span(terms.every_seconds),
        "jitter": _percent(terms.jitter_bps),
        "catch_up": terms.catch_up,
        "then_take_profit": terms.then_take_profit_price,
        "then_stop": terms.then_stop_price,
        "valid_for": None if terms.valid_seconds is None else format_span(terms.valid_seconds),
        "expires": None if terms.expires_at is None else format_moment(terms.expires_at),
    }


def price_reads(terms: OrderTerms) -> str | None:
    """Its prices with their unit, and the resulting amounts if known; None if it has no prices."""
    if terms.amount_in is None and terms.exact_out is None:
        prices = (terms.take_profit_price, terms.stop_price)
        return "; or ".join(f"{price} {terms.pair.unit}" for price in prices if price is not None)
    if terms.kind is OrderKind.OCO:
        return "; or ".join(each.trigger.describe() for each in (take_profit_of(terms), stop_of(terms)) if each.trigger)
    readings = [each.describe() for each in (terms.trigger, terms.limit) if each is not None]
    if terms.min_liquidity is not None:
        held = f"pools that hold {_formatted(terms.min_liquidity, terms.token_in)} {terms.token_in.symbol}"
        return f"{held}, and {readings[0]}"
    return "; then ".join(readings) or None


def _percent(bps: int | None) -> str | None:
    return None if bps is None else format_amount(bps, 2)


def _formatted(amount: int | None, token: Token) -> str | None:
    return None if amount is None else format_amount(amount, token.decimals)
