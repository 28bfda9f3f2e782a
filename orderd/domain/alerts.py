"""The kinds of alerts for operators and programs, and which of them concern an order.

The names are a promise: they are used in the file of receivers and in the alerts.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from orderd.domain.order import EventKind


class AlertKind(StrEnum):
    FILLED = "filled"  # an order is filled completely
    FAILED = "failed"  # an order ended without a fill, with a code
    EXPIRED = "expired"  # an order's validity ended before it was filled
    UNKNOWN = "unknown"  # the outcome of a signed transaction is unknown so far
    ROLLED_BACK = "rolled_back"  # the block with a fill lost to another fork
    STOP_CANNOT_SELL = "stop_cannot_sell"  # a stop has fired, and has not sold for longer than it should take
    RESTARTED = "restarted"  # a process died, and another has taken over its orders
    BALANCE_LOW = "balance_low"  # the wallet holds less of a token than it should
    ENDPOINT_LAGGING = "endpoint_lagging"  # the chain's endpoint is unavailable, stuck, or behind
    LIMITER_SATURATED = "limiter_saturated"  # orders wait for the rate limit for longer than one of its windows
    HALTED = "halted"  # a halt prevents new signatures
    TEST = "test"  # sent by orderd alert test


OF_ORDERS: Final[Mapping[EventKind, AlertKind]] = {
    EventKind.CONFIRMED: AlertKind.FILLED,
    EventKind.FAILED: AlertKind.FAILED,
    EventKind.EXPIRED: AlertKind.EXPIRED,
    EventKind.UNKNOWN: AlertKind.UNKNOWN,
    EventKind.ROLLED_BACK: AlertKind.ROLLED_BACK,
}
"""The events of an order that cause an alert."""
OF_WHOLE_ORDERS: Final = frozenset({AlertKind.FILLED, AlertKind.FAILED, AlertKind.EXPIRED})
"""A child order causes none of these: its parent's event says how the whole order ended."""
CONDITIONS: Final = frozenset(
    {AlertKind.STOP_CANNOT_SELL, AlertKind.BALANCE_LOW, AlertKind.ENDPOINT_LAGGING}
    | {AlertKind.LIMITER_SATURATED, AlertKind.HALTED}
)
"""Lasting conditions: one alert is sent when a condition begins, and another when it ends."""
