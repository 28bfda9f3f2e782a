"""Sets the price of SOL: in which slot all SOL/USDC pools of the local chain have which price.

Prices are decimal strings of USDC per SOL, from 50 to 1000. A price holds from its slot on: the pools return to it in
the slot after each trade, so two orders that meet one price both meet its full depth. ``ORDERD_SIMNET_MARKET=false``
stops other traders. The two DLMM pools have discrete bins, which differ from the price by up to 0.02 % and 0.05 %; with
fees (at least 0.04 %) an order is quoted within 0.05 % of the price. A price that must not trigger an order has to be
further away than that. A daemon may quote from cached pools unless ``ORDERD_POOL_MAX_AGE_MS=0``.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.simnet import call

_BETWEEN_QUESTIONS = 0.005
"""Seconds. Polling without a pause would slow down the chain that the test waits for."""


@dataclass(frozen=True)
class Prices:
    """Prices on the local chain of the daemon with this state directory. They survive a restart of the chain."""

    state_dir: Path

    def set(self, price: str, *, slot: int | None = None, pool: str | None = None) -> int:
        """Set the price from ``slot`` (default: the next one) on; returns the slot. Cancels a scheduled price."""
        (begins,) = self.script([price], start=slot, pool=pool)
        return begins

    def script(self, prices: Sequence[str | None], *, start: int | None = None, pool: str | None = None) -> list[int]:
        """Set one price per slot, the last one permanently; returns the slots. None lets trades move the price
        again."""
        slot_of_first = [start, *[None] * (len(prices) - 1)]
        changes = [
            {"price": price, "slot": slot, "pool": pool} for price, slot in zip(prices, slot_of_first, strict=True)
        ]
        slots: list[int] = call(self.state_dir, "simnet_setPrices", changes)
        return slots

    def hold(self) -> None:
        """Cancel all scheduled prices: the current price stays."""
        call(self.state_dir, "simnet_setPrices", [])

    def let_go(self) -> int:
        """From the next slot on the price is where trades leave it; its number."""
        (begins,) = self.script([None])
        return begins

    @property
    def slot(self) -> int:
        """The slot whose block is open."""
        number: int = call(self.state_dir, "getSlot", {"commitment": "processed"})
        return number

    def wait(self, slot: int, commitment: str = "confirmed") -> None:
        """Wait until the chain has reached ``slot``."""
        while call(self.state_dir, "getSlot", {"commitment": commitment}) < slot:
            time.sleep(_BETWEEN_QUESTIONS)
