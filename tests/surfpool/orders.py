"""Orders, one after the other: each is quoted on a market that only the ones before it have moved."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from orderd.domain.order import OrderStatus
from orderd.wire import SubmitParams
from tests.acceptance.trader import Trader, order

CHILLGUY: Final = "Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump"
"""By its mint, for a validator's chain has no symbol for it."""
_WAYS: Final = (
    ("SOL", "USDC", 1_000_000, 2_000_000_000, 9),
    ("USDC", "SOL", 100_000, 250_000_000, 6),
    ("SOL", CHILLGUY, 100_000, 1_500_000, 9),
    (CHILLGUY, "SOL", 100_000, 900_000, 6),
)
"""What is sold and bought, the least and the most of it in base units, and its decimals."""
_ORDER_SECONDS: Final = 60.0


@dataclass
class Row:
    """What became of the orders on one chain."""

    name: str
    orders: int = 0
    confirmed: int = 0
    as_quoted: int = 0
    attempts: int = 0
    pools: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)

    def add(self, trader: Trader, params: SubmitParams) -> None:
        """Submit it, follow it to its end, and compare what was received with what was quoted."""
        order_id = trader.submit(params)
        trader.follow(order_id, _ORDER_SECONDS)
        seen = trader.detail(order_id)
        view = seen.order
        self.orders += 1
        self.attempts += len(seen.attempts)
        what = f"{view.amount_in} {view.token_in} for {view.token_out}"
        if view.status is not OrderStatus.CONFIRMED:
            self.differences.append(f"{what}: {view.status}, {view.error}")
            return
        self.confirmed += 1
        self.pools |= {leg.pool for leg in view.route} or {str(view.pool)}
        assert view.amount_out is not None
        assert view.quoted_amount_out is not None
        if Decimal(view.amount_out) == Decimal(view.quoted_amount_out):
            self.as_quoted += 1
        else:
            self.differences.append(f"{what}: quoted {view.quoted_amount_out}, received {view.amount_out}")


def orders(count: int, seed: int = 1) -> Iterator[SubmitParams]:
    """All ways in turn, of all sizes."""
    choice = random.Random(seed)
    for number in range(count):
        sold, bought, least, most, decimals = _WAYS[number % len(_WAYS)]
        amount = int(least * (most / least) ** choice.random())
        yield order(sold, bought, f"{Decimal(amount).scaleb(-decimals):f}", slippage="1")


def trade(name: str, trader: Trader, count: int) -> Row:
    row = Row(name)
    for params in orders(count):
        row.add(trader, params)
    return row
