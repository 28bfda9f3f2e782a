"""Toasts for orders that have ended, unless there are too many to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from orderctl.display.cells import state
from orderctl.display.ids import SHORT_ID
from orderd.domain.order import FILLED, TERMINAL, OrderStatus
from orderd.wire.orders import OrderView

MAX_TOASTS: Final = 3
"""Maximum number of toasts per second; for more orders, one toast shows the number, and for a flood none is shown."""
FLOOD: Final = 12


@dataclass(frozen=True, slots=True)
class Toast:
    text: str
    severity: Literal["information", "warning", "error"]


def toasts(ended: Sequence[OrderView]) -> list[Toast]:
    """The toasts for orders that have ended within the last second."""
    shown = [order for order in ended if order.status in TERMINAL and order.parent_id is None]
    if len(shown) > FLOOD:
        return []
    if len(shown) > MAX_TOASTS:
        filled = sum(order.status in FILLED for order in shown)
        others = f", {len(shown) - filled} ended otherwise" if filled < len(shown) else ""
        return [Toast(f"{filled} orders filled{others}", "information" if not others else "warning")]
    return [_toast(order) for order in shown]


def _toast(order: OrderView) -> Toast:
    name = str(order.id)[:SHORT_ID]
    if order.status in FILLED:
        return Toast(
            f"{name} filled: {order.amount_in} {order.token_in} → {order.amount_out} {order.token_out}", "information"
        )
    if order.status is OrderStatus.CANCELLED:
        return Toast(f"{name} cancelled", "information")
    why = f": {order.error.title}" if order.error is not None else ""
    return Toast(f"{name} {state(order)[0]}{why}", "error" if order.status is OrderStatus.FAILED else "warning")
