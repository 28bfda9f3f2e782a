"""Converts between an order's terms and the columns of its row."""

from dataclasses import fields
from typing import Any, Final

from db.models import Order
from orderd.domain.terms import OrderTerms
from orderd.domain.tokens import Token

_OTHERS: Final = [each.name for each in fields(OrderTerms) if each.name not in ("token_in", "token_out")]
"""The fields after the tokens, in their order."""
TERMS: Final = (*(f"{what}_{side}" for side in ("in", "out") for what in ("token", "mint", "decimals")), *_OTHERS)
"""The columns of the terms."""


def columns_of(terms: OrderTerms) -> dict[str, Any]:
    """The columns of the terms with their values."""
    columns: dict[str, Any] = {}
    for each in fields(terms):
        value = getattr(terms, each.name)
        if isinstance(value, Token):
            side = each.name.removeprefix("token_")
            columns |= {f"token_{side}": value.symbol, f"mint_{side}": value.mint, f"decimals_{side}": value.decimals}
        else:
            columns[each.name] = value
    return columns


def terms_of(order: Order) -> OrderTerms:
    """The trader's terms, as understood when the order was accepted."""
    stored = order.__data__  # faster than the descriptors of columns
    sold = Token(order.token_in, order.mint_in, order.decimals_in)
    bought = Token(order.token_out, order.mint_out, order.decimals_out)
    return OrderTerms(sold, bought, *map(stored.get, _OTHERS))
