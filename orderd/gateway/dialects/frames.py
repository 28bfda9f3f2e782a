"""The names of each dialect for the steps of an order, and its frames.

Prices and amounts are exact numbers, times are written as by JavaScript's toISOString. A step without a name in a
dialect is not sent. No dialect has a name for cancelled or expired; their clients see such orders as failed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from orderd.domain.errors import ERRORS, ErrorCode
from orderd.domain.events import (
    Accepted,
    Cancelled,
    Confirmed,
    Deferred,
    Expired,
    Failed,
    OrderEvent,
    Recovered,
    Retrying,
    RolledBack,
    Routed,
    Submitted,
)
from orderd.domain.order import FILLED, EventKind
from orderd.domain.pool_kind import VenueName
from orderd.domain.quoted import RoutedLeg
from orderd.gateway.dialects.exact import number, percent_of_bps
from orderd.wire.orders import OrderView

Frame = dict[str, Any]

_E = EventKind
_ROUTING: Final = "routing"
_STATUS: Final[dict[EventKind, str]] = {
    _E.ACCEPTED: "pending",
    _E.STARTED: _ROUTING,
    _E.ROUTED: "building",
    _E.SUBMITTED: "submitted",
    _E.CONFIRMED: "confirmed",
    _E.FAILED: "failed",
    _E.CANCELLED: "failed",
    _E.EXPIRED: "failed",
    _E.RETRYING: "pending",
    _E.RECLAIMED: "pending",
    _E.ROLLED_BACK: "submitted",
    _E.RECOVERED: "submitted",
}
UNREPORTED: Final = frozenset(
    {_E.RELEASED, _E.EXECUTING, _E.FILLED, _E.TRIGGERED, _E.AMENDED, _E.CANCEL_REQUESTED, _E.DEFERRED, _E.UNKNOWN}
)
"""Events that do not change an order's state in their terms: a resting order is pending. One dialect reports some of
them. Waits for services count as retries."""


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """``words`` are the statuses by event kind, and ``frame`` makes the frame of one of them.

    ``frame`` also gets the order's last route, if there is one. ``preludes`` are statuses that are repeated right
    before the event. ``end`` makes the only frame for a client that requests an order that has ended; without it, such
    a client gets all frames.
    """

    words: Mapping[EventKind, str]
    frame: Callable[[str, OrderEvent, Routed | None], Frame]
    end: Callable[[OrderView], Frame] | None = None
    preludes: Mapping[EventKind, str] = field(default_factory=dict)

    def frames(self, event: OrderEvent, route: Routed | None) -> tuple[bytes, ...]:
        """One or two; none if the dialect does not report such an event."""
        kind = _reported_kind(event)
        words = (each[kind] for each in (self.preludes, self.words) if kind in each)
        return tuple(orjson.dumps(self.frame(word, event, route)) for word in words)


def _reported_kind(event: OrderEvent) -> EventKind:
    """The kind that is reported: an order that waits for a service is reported like one after a failed attempt."""
    waits = isinstance(event.data, Deferred) and event.data.code is not None
    return EventKind.RETRYING if waits else event.data.kind


def _execute(status: str, event: OrderEvent, _: Routed | None) -> Frame:
    frame: Frame = {"status": status}
    if status == "pending":
        frame["orderId"] = event.order_id
    if status == _ROUTING:
        frame["timestamp"] = _moment(event.at)
    return frame | _facts(event)


def _snapshot_event(status: str, event: OrderEvent, _: Routed | None) -> Frame:
    """The order as it was accepted is the snapshot, the rest are events: whenever one connects, it reads the same."""
    if not isinstance(event.data, Accepted):
        return {"type": "EVENT"} | _stamped(status, event, None)
    terms = event.data
    return (
        {"type": "SNAPSHOT"} | _stamped(status, event, None) | _terms(terms.token_in, terms.token_out, terms.amount_in)
    )


def _snapshot_end(order: OrderView) -> Frame:
    frame = {
        "type": "SNAPSHOT",
        "orderId": order.id,
        "status": "CONFIRMED" if order.status in FILLED else "FAILED",
        "timestamp": _moment(order.updated_at),
    } | _terms(order.token_in, order.token_out, order.amount_in)
    if order.venue is not None:
        frame["dex"] = dex(order.venue)
    if order.status not in FILLED:
        return frame | {"error": failure(order)}
    assert order.executed_price is not None
    return frame | {"txHash": order.signature, "executedPrice": number(order.executed_price)}


def _terms(token_in: str, token_out: str, amount: str | None) -> Frame:
    """The members of the terms. For an exact output, which no dialect supports, the amount is null until the fill."""
    return {"tokenIn": token_in, "tokenOut": token_out, "amount": None if amount is None else number(amount)}


def _stamped(status: str, event: OrderEvent, _: Routed | None) -> Frame:
    return _stamp(status, event) | _facts(event)


def _stamp(status: str, event: OrderEvent) -> Frame:
    return {"orderId": event.order_id, "status": status, "timestamp": _moment(event.at)}


def _quoted(status: str, event: OrderEvent, route: Routed | None) -> Frame:
    """While the order is routing, only the quote is sent; venues are in lower case."""
    frame = _stamp(status, event)
    if route is not None:
        frame |= {"quote": quote(route), "selectedDex": route.chosen.venue}
    if status == _ROUTING:
        return frame
    frame |= _facts(event)
    if isinstance(event.data, Routed):
        frame["dex"] = event.data.chosen.venue
    if isinstance(event.data, Submitted | Confirmed | RolledBack | Recovered):
        frame["txSignature"] = event.data.signature
    if "error" in frame:
        frame["errorMessage"] = frame["error"]
    return frame


def _facts(event: OrderEvent) -> Frame:
    match event.data:
        case Routed() as route:
            return {"dex": dex(route.chosen.venue), "price": number(route.chosen.price)}
        case Confirmed() as fill:
            return {"txHash": fill.signature, "executedPrice": number(fill.executed_price)}
        case Failed(code=code, detail=detail) | Expired(code=code, detail=detail):
            return {"error": _sentence(code, detail)}
        case Retrying(code=code, detail=detail) | Deferred(code=ErrorCode() as code, detail=str() as detail):
            return {"message": _sentence(code, detail)}
        case Cancelled():
            return {"error": ERRORS[ErrorCode.ORDER_CANCELLED].title}
        case _:
            return {}


def quote(route: Routed) -> Frame:
    """``priceImpact`` in percent, ``fee`` of all pools in the token that they take it in, ``route`` its tokens."""
    return {
        "dex": route.chosen.venue,
        "amountOut": number(route.chosen.amount_out),
        "priceImpact": percent_of_bps(route.chosen.price_impact_bps),
        "fee": number(route.chosen.fee),
        "route": _path(route.route),
    }


def _path(legs: Sequence[RoutedLeg]) -> list[str]:
    """From the token that is sold to the one that is bought; legs that share a hop lead to the same."""
    return list(dict.fromkeys(token for leg in legs for token in (leg.token_in, leg.token_out)))


def dex(venue: VenueName) -> str:
    return venue.capitalize()


def failure(order: OrderView) -> str:
    """Why an order has failed, in a sentence."""
    if order.error is None:
        return ERRORS[ErrorCode.ORDER_CANCELLED].title
    return _sentence(order.error.code, order.error.detail)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sentence(code: ErrorCode, detail: str) -> str:
    return f"{ERRORS[code].title}: {detail}"


def _capitals(*left_out: EventKind) -> dict[EventKind, str]:
    return {kind: word.upper() for kind, word in _STATUS.items() if kind not in left_out}


EXECUTE: Final = Dialect(_STATUS, _execute)
SNAPSHOTS: Final = Dialect(_capitals(_E.SUBMITTED, _E.ROLLED_BACK, _E.RECOVERED), _snapshot_event, _snapshot_end)
ROUTING_COMPLETE: Final = Dialect(
    _capitals(_E.ACCEPTED, _E.SUBMITTED, _E.RETRYING, _E.RECLAIMED, _E.ROLLED_BACK, _E.RECOVERED)
    | {_E.ROUTED: "ROUTING_COMPLETE"},
    _stamped,
)
QUOTES: Final = Dialect(_STATUS | {_E.DEFERRED: "pending"}, _quoted, preludes={_E.ROUTED: _ROUTING})
