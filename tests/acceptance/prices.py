"""The price of SOL in a test's hand: what all SOL/USDC pools of the local chain stand at, slot by slot.

Prices are decimal strings of USDC a SOL, from 50 to 1000. From its slot on a price holds: whatever is traded in a slot,
in the next one the pools stand at it again. So two orders that meet one price both meet all of it. With
``ORDERD_SIMNET_MARKET=false`` nobody else moves it. The two DLMM pools have bins only, and stand up to 2 and up to 5
hundredths of a percent beside it, on either side; with the fees (the least is 4 hundredths) what an order is offered is
within 5 hundredths of a percent of the price. A near miss is further away than that. A daemon may quote from what it
read a moment ago: with ``ORDERD_POOL_MAX_AGE_MS=0`` it does not.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.simnet import call

_BETWEEN_QUESTIONS = 0.005
"""Seconds. A test that asks without a pause keeps the chain from what it is waited for."""


@dataclass(frozen=True)
class Prices:
    """Of the chain that the daemon of this state directory has brought along. Its restart changes none of them."""

    state_dir: Path

    def set(self, price: str, *, slot: int | None = None, pool: str | None = None) -> int:
        """From the next slot on, or another; its number. What was to come then is forgotten."""
        (begins,) = self.script([price], start=slot, pool=pool)
        return begins

    def script(self, prices: Sequence[str | None], *, start: int | None = None, pool: str | None = None) -> list[int]:
        """One price a slot, the last one for ever; their slots. None lets go: the price is where trades leave it."""
        slot_of_first = [start, *[None] * (len(prices) - 1)]
        changes = [
            {"price": price, "slot": slot, "pool": pool} for price, slot in zip(prices, slot_of_first, strict=True)
        ]
        slots: list[int] = call(self.state_dir, "simnet_setPrices", changes)
        return slots

    def hold(self) -> None:
        """Forget what is to come: the price stays where it is."""
        call(self.state_dir, "simnet_setPrices", [])

    def let_go(self) -> int:
        """From the next slot on the price is where trades leave it; its number."""
        (begins,) = self.script([None])
        return begins

    @property
    def slot(self) -> int:
        """The one whose block is open."""
        number: int = call(self.state_dir, "getSlot", {"commitment": "processed"})
        return number

    def wait(self, slot: int, commitment: str = "confirmed") -> None:
        """Until the chain has come so far."""
        while call(self.state_dir, "getSlot", {"commitment": commitment}) < slot:
            time.sleep(_BETWEEN_QUESTIONS)
