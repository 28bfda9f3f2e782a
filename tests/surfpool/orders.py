"""Consecutive orders: only earlier ones move the market on which each is quoted."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from orderd.domain.events import Routed
from orderd.domain.order import OrderStatus
from orderd.domain.pool_kind import PoolKind
from orderd.wire.order_detail import OrderDetail
from orderd.wire.submissions import SubmitParams
from tests.acceptance.trader import Trader, order

CHILLGUY: Final = "Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump"
"""Its mint, because the chain of a validator has no symbol for it."""
_ORDER_SECONDS: Final = 60.0


class Direction(NamedTuple):
    """The sold and the bought token, and the range of the sold amount in base units, with its decimals."""

    sold: str
    bought: str
    minimum: int
    maximum: int
    decimals: int


_SMALL: Final = (
    Direction("SOL", "USDC", 1_000_000, 2_000_000_000, 9),
    Direction("USDC", "SOL", 100_000, 250_000_000, 6),
)
_LARGE: Final = (
    Direction("SOL", "USDC", 10**9, 60 * 10**9, 9),
    Direction("USDC", "SOL", 100 * 10**6, 6_000 * 10**6, 6),
)
"""Orders that are split among pools."""
_SHALLOW: Final = (Direction("SOL", CHILLGUY, 100_000, 1_500_000, 9), Direction(CHILLGUY, "SOL", 100_000, 900_000, 6))
_BY_KIND: Final = {PoolKind.METEORA_DLMM: (*_SMALL, *_SHALLOW)}
"""For kinds with pools of the third token."""


@dataclass
class Row:
    """The results on one chain."""

    name: str
    orders: int = 0
    confirmed: int = 0
    as_quoted: int = 0
    attempts: int = 0
    swaps: Counter[PoolKind] = field(default_factory=Counter)
    """Number of swaps by pool kind."""
    differences: list[str] = field(default_factory=list)

    def trade(self, trader: Trader, kind: PoolKind | None, count: int) -> None:
        """Trade ``count`` orders in the pools of ``kind``, or of all kinds if it is None."""
        for params in orders(kind, count):
            self._add(trader, params)

    def _add(self, trader: Trader, params: SubmitParams) -> None:
        """Submit the order, follow it to its end, and compare the received amount with the quote."""
        order_id = trader.submit(params)
        trader.follow(order_id, _ORDER_SECONDS)
        seen = trader.detail(order_id)
        view = seen.order
        self.orders += 1
        self.attempts += len(seen.attempts)
        label = f"{view.amount_in} {view.token_in} for {view.token_out}"
        if view.status is not OrderStatus.CONFIRMED:
            self.differences.append(f"{label}: {view.status}, {view.error}")
            return
        self.confirmed += 1
        self.swaps.update(_kinds(seen))
        assert view.amount_out is not None
        assert view.quoted_amount_out is not None
        if Decimal(view.amount_out) == Decimal(view.quoted_amount_out):
            self.as_quoted += 1
        else:
            self.differences.append(f"{label}: quoted {view.quoted_amount_out}, received {view.amount_out}")


def _kinds(seen: OrderDetail) -> list[PoolKind]:
    """The kinds of the pools in the route that was chosen last."""
    (*_, routed) = (event.data for event in seen.events if isinstance(event.data, Routed))
    return [leg.pool_kind for leg in routed.route] or [routed.chosen.pool_kind]


def orders(kind: PoolKind | None, count: int) -> Iterator[SubmitParams]:
    """Orders in alternating directions and of random sizes. With all kinds, some are large enough to be split."""
    choice = random.Random(kind)
    directions = (*_SMALL, *_LARGE) if kind is None else _BY_KIND.get(kind, _SMALL)
    for number in range(count):
        each = directions[number % len(directions)]
        amount = int(each.minimum * (each.maximum / each.minimum) ** choice.random())
        yield order(each.sold, each.bought, f"{Decimal(amount).scaleb(-each.decimals):f}", slippage="1")
