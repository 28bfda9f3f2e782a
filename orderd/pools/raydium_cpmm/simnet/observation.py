"""The observation account of a Raydium CPMM pool: a price history. Swaps must name it, and only the program writes it.

Source: raydium-io/raydium-cp-swap, ``programs/cp-swap/src/states/oracle.rs``.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from orderd.solana.programs.layout import (
    U8,
    U16,
    U64,
    U128,
    Key,
    Record,
    raw,
)

OBSERVATIONS: Final = 100
OBSERVATION_SECONDS: Final = 15
"""Seconds after which the program writes a new observation."""


@dataclass(frozen=True, slots=True)
class Observation(Record):
    """Sums of prices (Q32.32) over seconds, wrapping around; ``block_timestamp`` in unix seconds."""

    block_timestamp: U64
    cumulative_price_0: U128
    cumulative_price_1: U128


@dataclass(frozen=True, slots=True)
class ObservationState(Record):
    """A pool's price history, 4075 bytes: a ring of 100 observations, decoded on demand."""

    DISCRIMINATOR = bytes.fromhex("7aaec5358109a584")
    initialized: U8
    index: U16
    pool: Key
    observations: Annotated[bytes, raw(OBSERVATIONS * 40)] = bytes(OBSERVATIONS * 40)
    padding: Annotated[bytes, raw(32)] = bytes(32)

    def observation(self, index: int) -> Observation:
        return Observation.decode(self.observations[index * 40 : index * 40 + 40])

    def updated(self, unix_time: int, reserve_0: int, reserve_1: int) -> "ObservationState":
        """The state after a swap, as the program writes it; the reserves are those before the swap."""
        last = self.observation(self.index)
        if not self.initialized:
            return self._with(self.index, Observation(unix_time, 0, 0))
        elapsed = max(unix_time - last.block_timestamp, 0)
        if elapsed < OBSERVATION_SECONDS:
            return self
        price_0, price_1 = (reserve_1 << 32) // reserve_0, (reserve_0 << 32) // reserve_1
        wrap = (1 << 128) - 1
        return self._with(
            (self.index + 1) % OBSERVATIONS,
            Observation(
                unix_time,
                last.cumulative_price_0 + price_0 * elapsed & wrap,
                last.cumulative_price_1 + price_1 * elapsed & wrap,
            ),
        )

    def _with(self, index: int, observation: Observation) -> "ObservationState":
        start = index * 40
        ring = self.observations[:start] + observation.encode() + self.observations[start + 40 :]
        return ObservationState(1, index, self.pool, ring, self.padding)
