"""Order rows of each kind, without a database."""

from typing import Any
from uuid import UUID

from db.models import Order
from db.terms import columns_of
from orderd.domain.order import OrderStatus
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.well_known import registry_of

TERMS: dict[str, dict[str, str]] = {
    "market": {},
    "limit": {"limit_price": "105"},
    "on_liquidity": {"limit_price": "105", "min_liquidity": "5000"},
    "ioc": {"limit_price": "105", "time_in_force": "ioc"},
    "fok": {"limit_price": "105", "time_in_force": "fok"},
    "stop": {"stop_price": "95"},
    "stop_limit": {"stop_price": "95", "limit_price": "94"},
    "take_profit": {"take_profit_price": "120"},
    "take_profit_limit": {"take_profit_price": "120", "limit_price": "119"},
    "trailing": {"trail": "3%"},
}
"""Terms per kind of order, and the variants that behave differently."""


def order_of(
    what: str, *, sells: str = "SOL", amount: str = "1", terms: dict[str, Any] | None = None, **row: Any
) -> Order:
    """An order with one of ``TERMS`` and further ``terms``; ``row`` are other columns."""
    pair = {"token_in": sells, "token_out": "USDC" if sells == "SOL" else "SOL", "amount_in": amount}
    meant = understood(
        GivenTerms.model_validate({**pair, **TERMS[what], **(terms or {})}), registry_of("simnet"), "0.5"
    )
    kept = {"status": OrderStatus.OPEN, "version": 3, "seq": 1, "failures": 0, "uncounted": 0, "triggered_at": None}
    return Order(id=UUID(int=1), **columns_of(meant), **{**kept, "best_out": None, **row})
