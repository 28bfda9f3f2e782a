"""The oracle account of a Meteora DLMM pair: a history of active bins. Swaps must name it, and only the program writes
it.

Layout: MeteoraAg/dlmm-sdk, ``idls/dlmm.json`` (lb_clmm 0.12.0). The updates were measured on the deployed program.
"""

from dataclasses import dataclass, replace
from typing import Final

from orderd.solana.programs.layout import I64, I128, U64, Record, Tail

SAMPLE_SECONDS: Final = 120
"""Seconds that an observation covers; the next swap after that starts a new one."""


@dataclass(frozen=True, slots=True)
class Observation(Record):
    """The sum of active bin ids over seconds, and the unix seconds of its first and last swap (0 before the first)."""

    cumulative_active_bin_id: I128
    created_at: I64
    last_updated_at: I64


_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Oracle(Record):
    """A ring of ``length`` observations, of which ``active_size`` are in use; ``index`` is the newest."""

    DISCRIMINATOR = bytes.fromhex("8bc283b38cb3e5f4")
    index: U64
    active_size: U64
    length: U64
    observations: Tail = b""

    @classmethod
    def new(cls, length: int) -> "Oracle":
        return cls(0, 0, length, bytes(_SIZE * length))

    def observation(self, index: int) -> Observation:
        return Observation.decode(self.observations[index * _SIZE : (index + 1) * _SIZE])

    def updated(self, unix_time: int, active_id: int) -> "Oracle":
        """The oracle after a swap that found the pair at ``active_id``."""
        if not self.active_size:
            return self._with(0, 1, Observation(active_id, unix_time, unix_time))
        last = self.observation(self.index)
        total = last.cumulative_active_bin_id + active_id * (unix_time - last.last_updated_at)
        if unix_time - last.created_at < SAMPLE_SECONDS:
            return self._with(self.index, self.active_size, Observation(total, last.created_at, unix_time))
        size = min(self.active_size + 1, self.length)
        return self._with((self.index + 1) % self.length, size, Observation(total, unix_time, unix_time))

    def _with(self, index: int, active_size: int, observation: Observation) -> "Oracle":
        start = index * _SIZE
        ring = self.observations[:start] + observation.encode() + self.observations[start + _SIZE :]
        return replace(self, index=index, active_size=active_size, observations=ring)
