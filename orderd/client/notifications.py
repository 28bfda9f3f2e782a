"""Parses the daemon's notifications. Imported on first use, because most commands only make one call."""

from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from orderd.client.protocol import unreadable
from orderd.wire.prices import CandleChange
from orderd.wire.rpc import HEARTBEAT, ORDER_EVENT, PRICE_CANDLE
from orderd.wire.subscriptions import Event, Heartbeat, Notification, Ready, ResyncRequired, Snapshot

_NOTIFICATION: TypeAdapter[Snapshot | ResyncRequired | Event | Ready] = TypeAdapter(
    Notification, config=ConfigDict(defer_build=True)
)
_KNOWN_NOTIFICATIONS = ("SNAPSHOT", "RESYNC_REQUIRED", "EVENT", "READY")


def read_notification(
    message: dict[str, Any],
) -> Snapshot | ResyncRequired | Event | Ready | Heartbeat | CandleChange | None:
    """Parse a notification; None if it is of an unknown kind or not a notification. Raises UnreadableError."""
    params = message.get("params")
    if not isinstance(params, dict):
        return None
    try:
        if message.get("method") == HEARTBEAT:
            return Heartbeat.model_validate(params, extra="ignore")
        if message.get("method") == PRICE_CANDLE:
            return CandleChange.model_validate(params, extra="ignore")
        if message.get("method") == ORDER_EVENT and params.get("type") in _KNOWN_NOTIFICATIONS:
            return _NOTIFICATION.validate_python(params, extra="ignore")
    except ValidationError as error:
        raise unreadable(error) from error
    return None
