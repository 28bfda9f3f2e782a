"""Two traders, each at its own gateway, which submit orders of all kinds and cancel those that still rest."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from orderd.client.errors import RefusedError
from orderd.wire.submissions import SubmitParams
from tests.acceptance.trader import Trader

ORDER_USDC: Final = 21
"""Approximate maximum value of an order of ``orders_of_all_kinds``."""

_PACE_SECONDS: Final = 0.25
"""Mean time between two orders of a trader."""
_PATIENCE: Final = 600.0
_ANSWERS: Final = ("PRICE", "ROUTE", "RPC", "LIMIT")
"""Categories of refusals that are expected: the market has moved, or the key's allowance is used up."""


def submit_all(trader: Trader, orders: Sequence[SubmitParams], choice: random.Random, refused: Counter[str]) -> None:
    """Submit the orders slowly, so that faults happen between them."""
    for params in orders:
        time.sleep(choice.uniform(0, 2 * _PACE_SECONDS))  # not a wait for an event: the pace
        try:
            trader.submit(params)
        except RefusedError as refusal:
            if refusal.problem.code.category not in _ANSWERS:
                raise
            refused[refusal.problem.code] += 1


def end_all(trader: Trader, rest_seconds: float) -> None:
    """Wait until all orders have ended. After ``rest_seconds`` cancel those that are still active."""
    until = time.monotonic() + rest_seconds
    trader.end_all(_PATIENCE, lambda active: active if time.monotonic() > until else ())
