"""The intervals of a worker that depend on the chain's slot time, in seconds."""

from dataclasses import dataclass
from typing import Final

from orderd.config.settings import Settings
from orderd.engine.trading import Trading
from orderd.engine.triggers.watch import HINTED_SECONDS

_RESEND_SLOTS: Final = 2.5
"""Default interval in slots at which signed transactions are sent again."""


@dataclass(frozen=True, slots=True)
class SlotPace:
    """``is_hinted``: the node reports changes of accounts."""

    trading: Trading
    settings: Settings
    is_hinted: bool

    @property
    def slot_seconds(self) -> float:
        return self.trading.slot_time.ms / 1000

    @property
    def resend_seconds(self) -> float:
        every_ms = self.settings.resend_interval_ms
        return self.slot_seconds * _RESEND_SLOTS if every_ms is None else every_ms / 1000

    @property
    def idle_seconds(self) -> float:
        """Seconds after which a pair without hints is read again. Without a hinting node: the age at which its pools
        are too old to trade."""
        return HINTED_SECONDS if self.is_hinted else self.trading.pool_age_ms() / 1000
