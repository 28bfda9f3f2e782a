"""The forms of an alert: JSON for programs, and one line of text for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from db.alerts import Alert
from orderd.domain.alerts import AlertKind

_MAX_LINES: Final = 20


def body(alert: Alert) -> bytes:
    """The JSON of an alert. It is always the same, so that a repeated delivery is equal to the first."""
    return orjson.dumps(
        {
            "id": alert.id,
            "type": alert.kind,
            "timestamp": alert.at,
            "message": line(alert),
            "data": _data(alert),
        },
        option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC,
    )


def _data(alert: Alert) -> Mapping[str, Any]:
    if alert.order_id is None:
        return {name: value for name, value in alert.data.items() if name != "text"}
    return {"order_id": alert.order_id, **(alert.order or {}), "seq": alert.seq, "event": alert.event}


def digest(alerts: Sequence[Alert]) -> tuple[str, str]:
    """The title and text of one message about all of these alerts."""
    title = f"orderd: {_TITLES[alerts[0].kind]}" if len(alerts) == 1 else f"orderd: {len(alerts)} alerts"
    lines = [f"{alert.at:%H:%M:%S} UTC: {line(alert)}" for alert in alerts[:_MAX_LINES]]
    if more := len(alerts) - len(lines):
        lines.append(f"and {more} more")
    return title, "\n".join(lines)


def line(alert: Alert) -> str:
    """The event in one line."""
    if alert.order_id is not None:
        return f"{_TITLES[alert.kind]}: {_of_order(alert)}"
    data = alert.data
    if data.get("state") == "resolved":
        return f"over: {_TITLES[alert.kind]} ({data['key']})"
    return f"{_TITLES[alert.kind]}: {data['text']}" if "text" in data else _TITLES[alert.kind]


def _of_order(alert: Alert) -> str:
    order, event = alert.order or {}, alert.event or {}
    token_in, token_out, known_as = (order.get(name) for name in ("token_in", "token_out", "client_order_id"))
    if alert.kind is AlertKind.FILLED and "amount_in" in event:
        return f"{event['amount_in']} {token_in} for {event['amount_out']} {token_out} ({known_as})"
    why = "".join(f": {event[name]}" for name in ("code", "detail") if name in event)
    return f"{token_in} to {token_out} ({known_as}){why}"


_TITLES: Final[Mapping[AlertKind, str]] = {
    AlertKind.FILLED: "order filled",
    AlertKind.FAILED: "order failed",
    AlertKind.EXPIRED: "order expired",
    AlertKind.UNKNOWN: "outcome of a transaction unknown",
    AlertKind.ROLLED_BACK: "fill rolled back",
    AlertKind.STOP_CANNOT_SELL: "stop has fired and cannot sell",
    AlertKind.RESTARTED: "a process died and its work was taken over",
    AlertKind.BALANCE_LOW: "balance low",
    AlertKind.ENDPOINT_LAGGING: "the chain's endpoint lags",
    AlertKind.LIMITER_SATURATED: "the rate limit is saturated",
    AlertKind.HALTED: "trading is halted",
    AlertKind.TEST: "test alert",
}
