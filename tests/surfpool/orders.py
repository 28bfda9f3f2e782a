"""Orders, one after another: each is quoted on a market that only the ones before it have moved."""

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
"""By its mint, for a validator's chain has no symbol for it."""
_ORDER_SECONDS: Final = 60.0


class Way(NamedTuple):
    """What is sold and bought, the least and the most of it in base units, and its decimals."""

    sold: str
    bought: str
    least: int
    most: int
    decimals: int


_SMALL: Final = (Way("SOL", "USDC", 1_000_000, 2_000_000_000, 9), Way("USDC", "SOL", 100_000, 250_000_000, 6))
_LARGE: Final = (Way("SOL", "USDC", 10**9, 60 * 10**9, 9), Way("USDC", "SOL", 100 * 10**6, 6_000 * 10**6, 6))
"""Which are shared among pools."""
_SHALLOW: Final = (Way("SOL", CHILLGUY, 100_000, 1_500_000, 9), Way(CHILLGUY, "SOL", 100_000, 900_000, 6))
_THEIRS: Final = {PoolKind.METEORA_DLMM: (*_SMALL, *_SHALLOW)}
"""Of kinds that trade the third token too."""


@dataclass
class Row:
    """What became of the orders on one chain."""

    name: str
    orders: int = 0
    confirmed: int = 0
    as_quoted: int = 0
    attempts: int = 0
    swaps: Counter[PoolKind] = field(default_factory=Counter)
    """By the kind of the pool."""
    differences: list[str] = field(default_factory=list)

    def trade(self, trader: Trader, kind: PoolKind | None, count: int) -> None:
        """Orders for pools of this kind, or for those of all."""
        for params in orders(kind, count):
            self._add(trader, params)

    def _add(self, trader: Trader, params: SubmitParams) -> None:
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
        self.swaps.update(_kinds(seen))
        assert view.amount_out is not None
        assert view.quoted_amount_out is not None
        if Decimal(view.amount_out) == Decimal(view.quoted_amount_out):
            self.as_quoted += 1
        else:
            self.differences.append(f"{what}: quoted {view.quoted_amount_out}, received {view.amount_out}")


def _kinds(seen: OrderDetail) -> list[PoolKind]:
    """Of the pools that it was traded in, by the route that was chosen last."""
    (*_, routed) = (event.data for event in seen.events if isinstance(event.data, Routed))
    return [leg.pool_kind for leg in routed.route] or [routed.chosen.pool_kind]


def orders(kind: PoolKind | None, count: int) -> Iterator[SubmitParams]:
    """All ways in turn, of all sizes; for pools of all kinds large ones too."""
    choice = random.Random(kind)
    ways = (*_SMALL, *_LARGE) if kind is None else _THEIRS.get(kind, _SMALL)
    for number in range(count):
        way = ways[number % len(ways)]
        amount = int(way.least * (way.most / way.least) ** choice.random())
        yield order(way.sold, way.bought, f"{Decimal(amount).scaleb(-way.decimals):f}", slippage="1")
