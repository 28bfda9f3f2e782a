"""The order shapes in the form, with the terms of each.

Several shapes can have the same kind: a purchase of an exact amount is a market order, and a TWAP is defined either by
its total time or by its interval.
"""

from dataclasses import dataclass
from typing import Final

from orderd.domain.order import OrderKind, TimeInForce

EXITS: Final = ("then_take_profit", "then_stop")


@dataclass(frozen=True, slots=True)
class Shape:
    """``needs`` are the required terms besides tokens and amount; ``takes`` are the optional ones. ``valid`` stands for
    ``valid_for`` or ``expires``, and ``in_force`` for the time in force and ``partial``.
    """

    label: str
    kind: OrderKind
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    amount: str = "amount_in"

    @property
    def fields(self) -> tuple[str, ...]:
        return self.needs + self.takes


SHAPES: Final[dict[str, Shape]] = {
    "market": Shape("market: at once", OrderKind.MARKET, takes=("slippage", *EXITS)),
    "buy": Shape("buy an exact amount", OrderKind.MARKET, takes=("slippage", "max_in", *EXITS), amount="exact_out"),
    "limit": Shape(
        "limit: at a price or better", OrderKind.LIMIT, ("limit_price",), ("in_force", "min_fill", "valid", *EXITS)
    ),
    "on_liquidity": Shape(
        "on liquidity: for a new pool",
        OrderKind.ON_LIQUIDITY,
        ("limit_price", "min_liquidity"),
        ("max_pool_fee", "max_round_trip_loss", "max_holder", "allow", "confirm", "valid", *EXITS),
    ),
    "stop": Shape("stop: at a worse price", OrderKind.STOP, ("stop_price",), ("slippage", "confirm", "valid")),
    "stop_limit": Shape("stop, then limit", OrderKind.STOP_LIMIT, ("stop_price", "limit_price"), ("confirm", "valid")),
    "take_profit": Shape(
        "take-profit: a better price", OrderKind.TAKE_PROFIT, ("take_profit_price",), ("slippage", "valid")
    ),
    "trailing": Shape("trailing stop", OrderKind.TRAILING, ("trail",), ("slippage", "confirm", "valid")),
    "oco": Shape(
        "take-profit or stop (OCO)",
        OrderKind.OCO,
        ("take_profit_price", "stop_price"),
        ("max_slippage", "confirm", "valid"),
    ),
    "twap": Shape(
        "parts over a time (TWAP)",
        OrderKind.TWAP,
        ("slices", "over"),
        ("jitter", "catch_up", "limit_price", "slippage", *EXITS),
    ),
    "dca": Shape(
        "parts at an interval (DCA)",
        OrderKind.TWAP,
        ("slices", "every"),
        ("jitter", "catch_up", "limit_price", "slippage", *EXITS),
    ),
}
FIELDS: Final = {
    "slices": "Parts",
    "over": "Over",
    "every": "Every",
    "stop_price": "Stop at",
    "take_profit_price": "Take at",
    "trail": "Trail",
    "limit_price": "Limit",
    "min_liquidity": "Liquidity",
    "max_pool_fee": "Pool fee %",
    "max_round_trip_loss": "Round trip",
    "max_holder": "Holder %",
    "allow": "Allow",
    "jitter": "Jitter %",
    "catch_up": "Catch up",
    "min_fill": "Min fill %",
    "confirm": "Confirm",
    "max_in": "At most",
    "slippage": "Slippage %",
    "max_slippage": "May lose %",
    "valid": "Valid for",
    "then_take_profit": "Then take",
    "then_stop": "Then stop",
}
"""The fields of the form in their order, with their labels."""
PRICES: Final = ("stop_price", "take_profit_price", "limit_price", *EXITS)
"""The fields with prices in the pair's unit."""
HINTS: Final = {
    "slices": "number, like 10",
    "over": "like 5m",
    "every": "like 1h",
    "trail": "like 3% or 2.5",
    "jitter": "0, or like 20",
    "catch_up": "one, all or none",
    "min_fill": "10",
    "confirm": "2 slots in a row",
    "max_in": "of the sold token",
    "min_liquidity": "in the pools, like 5000",
    "max_pool_fee": "5",
    "max_round_trip_loss": "10 %, buy and sell",
    "max_holder": "any share",
    "allow": "mint_authority,...",
    "slippage": "daemon's default",
    "max_slippage": "5, once the stop fires",
    "valid": "like 2h, or a time",
}
IN_FORCE: Final[dict[str, tuple[str, dict[str, object]]]] = {
    "gtc": ("until filled (gtc)", {"time_in_force": TimeInForce.GTC}),
    "parts": ("until filled, in parts", {"partial": True}),
    "ioc": ("at once (ioc)", {"time_in_force": TimeInForce.IOC}),
    "fok": ("all at once (fok)", {"time_in_force": TimeInForce.FOK}),
}
"""The choices for the time in force of a limit order: label and terms."""
