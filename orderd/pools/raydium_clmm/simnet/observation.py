"""The observation account of a Raydium CLMM pool: a history of ticks. Swaps must name it, and only the program writes
it.

Source: raydium-io/raydium-clmm, ``programs/amm/src/states/oracle.rs``.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from orderd.solana.programs.layout import (
    I64,
    U8,
    U16,
    U32,
    U64,
    Key,
    Record,
    raw,
)

OBSERVATIONS: Final = 100
OBSERVATION_SECONDS: Final = 15
"""Seconds after which the program writes a new observation."""


@dataclass(frozen=True, slots=True)
class Observation(Record):
    """The sum of ticks over seconds, wrapping around; ``block_timestamp`` in unix seconds."""

    block_timestamp: U32
    tick_cumulative: I64
    padding: Annotated[bytes, raw(32)] = bytes(32)


OBSERVATION_SIZE: Final = 44


@dataclass(frozen=True, slots=True)
class ObservationState(Record):
    """A pool's price history, 4483 bytes: a ring of 100 observations, decoded on demand."""

    DISCRIMINATOR = bytes.fromhex("7aaec5358109a584")
    initialized: U8
    recent_epoch: U64
    index: U16
    pool: Key
    observations: Annotated[bytes, raw(OBSERVATIONS * OBSERVATION_SIZE)] = bytes(OBSERVATIONS * OBSERVATION_SIZE)
    padding: Annotated[bytes, raw(32)] = bytes(32)

    def observation(self, index: int) -> Observation:
        start = index * OBSERVATION_SIZE
        return Observation.decode(self.observations[start : start + OBSERVATION_SIZE])

    def updated(self, unix_time: int, tick: int) -> "ObservationState":
        """The state after a swap that started at ``tick``. The program writes it only if the swap changed the tick."""
        last = self.observation(self.index)
        if not self.initialized:
            return self._with(self.index, replace(last, block_timestamp=unix_time, tick_cumulative=0))
        elapsed = max(unix_time - last.block_timestamp, 0)
        if elapsed < OBSERVATION_SECONDS:
            return self
        index = (self.index + 1) % OBSERVATIONS
        total = _wrapped_i64(last.tick_cumulative + tick * elapsed)
        return self._with(index, replace(self.observation(index), block_timestamp=unix_time, tick_cumulative=total))

    def _with(self, index: int, observation: Observation) -> "ObservationState":
        start = index * OBSERVATION_SIZE
        ring = self.observations[:start] + observation.encode() + self.observations[start + OBSERVATION_SIZE :]
        return replace(self, initialized=1, index=index, observations=ring)


def _wrapped_i64(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
