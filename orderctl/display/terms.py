"""Describes the terms of an order in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderctl.display.formats import moment
from orderctl.display.resting import prices
from orderd.domain.order import MARKET_EXITS, Floor, TimeInForce

if TYPE_CHECKING:
    from orderd.domain.terms_formatted import FormattedTerms
    from orderd.wire.orders import OrderView


def terms(order: OrderView) -> str:
    text = sale(order)
    if (price := prices(order)) is not None:
        text += f", {price}"
    if order.slippage_widens:
        text += f", slippage at most {order.max_slippage} %, less in the first attempts"
    elif order.limit_price is None:
        text += f", slippage at most {order.slippage} %"
    if order.min_out is not None:
        text += f", at least {order.min_out} {order.token_out}"
    if order.max_in is not None:
        text += f", at most {order.max_in} {order.token_in}"
    if order.max_cost is not None:
        text += f", cost at most {order.max_cost} %"
    if order.floor is Floor.EACH and order.type not in MARKET_EXITS:
        text += f", a new {'floor' if order.exact_out is None else 'ceiling'} in each attempt"
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        text += f", {_AT_ONCE[order.time_in_force]}"
    return text


_AT_ONCE: Final = {TimeInForce.IOC: "at once or not at all", TimeInForce.FOK: "all of it at once or nothing"}


def sale(terms: FormattedTerms) -> str:
    if terms.exact_out is not None:
        return f"buy {terms.exact_out} {terms.token_out} with {sold(terms)}"
    amount = "all" if terms.amount_in is None else terms.amount_in
    bought = ", once it is bought" if terms.amount_in is None else ""
    return f"sell {amount} {sold(terms)} for {terms.token_out}{bought}"


def sold(terms: FormattedTerms) -> str:
    return f"wrapped {terms.token_in}" if terms.use_wrapped else terms.token_in


def validity(order: OrderView) -> str:
    """Until when an order is valid."""
    return "until it is filled or cancelled" if order.valid_until is None else f"until {moment(order.valid_until)}"
