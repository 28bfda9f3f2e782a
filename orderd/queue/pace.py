"""What a worker does by the chain's slots, in seconds, as they are now."""

from dataclasses import dataclass
from typing import Final

from orderd.config.settings import Settings
from orderd.engine.trading import Trading
from orderd.engine.triggers.watch import HINTED_SECONDS

_RESEND_SLOTS: Final = 2.5
"""How often what is signed is sent again, unless a setting says so."""


@dataclass(frozen=True, slots=True)
class SlotPace:
    """``is_hinted``: the node reports what has changed."""

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
        """How long a pair is left alone of which no hint comes: without hints, until its pools are too old to trade."""
        return HINTED_SECONDS if self.is_hinted else self.trading.pool_age_ms() / 1000
