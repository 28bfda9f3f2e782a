"""Two traders, each at its own gateway: orders of all kinds, and in the end nothing that still rests."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from orderd.client.errors import RefusedError
from orderd.wire.submissions import SubmitParams
from tests.acceptance.trader import Trader

ORDER_USDC: Final = 21
"""What each of ``orders_of_all_kinds`` is worth at most, about."""

_PACE_SECONDS: Final = 0.25
"""Between two orders of one trader, on average."""
_PATIENCE: Final = 600.0
_ANSWERS: Final = ("PRICE", "ROUTE", "RPC", "LIMIT")
"""Categories of refusals that an order may end with: the market has moved past it, or the key's allowance is spent."""


def submit_all(trader: Trader, orders: Sequence[SubmitParams], choice: random.Random, refused: Counter[str]) -> None:
    """At a pace that lets faults happen between."""
    for params in orders:
        time.sleep(choice.uniform(0, 2 * _PACE_SECONDS))  # not a wait for anything: the pace
        try:
            trader.submit(params)
        except RefusedError as refusal:
            if refusal.problem.code.category not in _ANSWERS:
                raise
            refused[refusal.problem.code] += 1


def end_all(trader: Trader, rest_seconds: float) -> None:
    """After so many seconds cancel what still rests, until all orders have ended."""
    until = time.monotonic() + rest_seconds
    trader.end_all(_PATIENCE, lambda active: active if time.monotonic() > until else ())
