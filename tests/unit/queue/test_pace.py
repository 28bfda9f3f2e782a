from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orderd.config.settings import Settings
from orderd.engine.trading import Trading
from orderd.queue.pace import SlotPace


@dataclass
class Slots:
    """Stands in for a process' chain: slots of a given duration."""

    ms: int = 400

    @property
    def slot_time(self) -> Any:
        return SimpleNamespace(ms=self.ms)

    def pool_age_ms(self) -> int:
        return self.ms


def pace(slots: Slots, *, is_hinted: bool = True, **settings: Any) -> SlotPace:
    return SlotPace(cast("Trading", slots), Settings(**settings), is_hinted)


def test_slot_based_intervals_follow_the_slot_time() -> None:
    slots = Slots()
    found = pace(slots, is_hinted=False)
    assert (found.slot_seconds, found.resend_seconds, found.idle_seconds) == (0.4, 1.0, 0.4)
    slots.ms = 200
    assert (found.slot_seconds, found.resend_seconds, found.idle_seconds) == (0.2, 0.5, 0.2)


@pytest.mark.parametrize("ms", [400, 200])
def test_configured_and_hinted_intervals_do_not_follow_the_slot_time(ms: int) -> None:
    found = pace(Slots(ms), resend_interval_ms=700)
    assert (found.resend_seconds, found.idle_seconds) == (0.7, 2.0)
