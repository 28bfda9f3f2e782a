"""The label and the tone of an order's state."""

from typing import Final

from orderctl.output.colours import STATE_TONES, UNKNOWN_TONE, Tone
from orderd.domain.order import OrderStatus

UNKNOWN: Final = "unknown"
"""The label of a submitted order whose outcome is unknown."""


def state_of(status: OrderStatus, *, is_unknown: bool) -> tuple[str, Tone]:
    return (UNKNOWN, UNKNOWN_TONE) if is_unknown else (status, STATE_TONES[status])
