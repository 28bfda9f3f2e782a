"""Streams in other engines' formats: a subscription to the hub with its own encoder.

A client that follows an order gets all of its events, whenever it connects, and the stream is closed after the last
one; immediately, if the order has ended and its events were removed. A stream of all orders begins with the events of
those that have not ended, and stays open.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Routed, Started
from orderd.domain.order import TERMINAL
from orderd.engine import views
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.access.body import check_given_once
from orderd.gateway.dialects.frames import EXECUTE, QUOTES, ROUTING_COMPLETE, SNAPSHOTS, Dialect
from orderd.gateway.streaming.history import OrderSnapshot
from orderd.gateway.streaming.hub import Hub
from orderd.gateway.streaming.selection import Selection, visible_to
from orderd.gateway.streaming.session import Session
from orderd.gateway.streaming.subscription import StreamEvent
from orderd.gateway.threads import DatabaseThreads
from orderd.wire.message import OrderRef

NATIVE_PATH: Final = "/"
ALL_ORDERS_PATH: Final = "/ws"
ORDER_PATH: Final = "/ws/orders/"
"""The order's id comes next."""
QUERY_PATHS: Final[Mapping[str, Dialect]] = {"/api/orders/execute": EXECUTE, "/ws/orders": SNAPSHOTS}
"""The order's id is the parameter orderId."""

_NORMAL: Final = 1000
_REF: Final[TypeAdapter[str]] = TypeAdapter(OrderRef)


class Connection(Protocol):
    def dismiss(self, code: int, reason: str) -> None:
        """Close it without waiting."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream that a connection requests by its path; ``order_id`` is None for all orders."""

    dialect: Dialect
    order_id: UUID | None


class Streams:
    def __init__(self, hub: Hub, database: DatabaseThreads) -> None:
        self._hub = hub
        self._database = database

    async def requested(self, path: str, principal: Principal) -> Stream | None:
        """The stream of ``path`` and its query; None for orderd's own methods.

        Raises OrderdError: REQUEST_UNKNOWN_METHOD for another path, REQUEST_INVALID for an invalid order id, what
        ``views.find`` raises, and AUTH_FORBIDDEN.
        """
        parts = urlsplit(path)
        if parts.path == NATIVE_PATH:
            return None
        query = parse_qsl(parts.query, keep_blank_values=True)
        check_given_once([name for name, _ in query])
        dialect, ref = _read(parts.path, dict(query))
        principal.require(Scope.READ)
        if ref is None:
            return Stream(dialect, None)
        return Stream(dialect, await self._database.run(_id_of, principal, _checked(ref)))

    def begin(self, stream: Stream, session: Session, connection: Connection) -> None:
        """Send it to the session from now on. Raises OrderdError SERVICE_OVERLOADED."""
        orders = {} if stream.order_id is None else {stream.order_id: 0}
        encoder = DialectEncoder(stream)
        selection = Selection(visible_to(session.principal), orders, from_beginning=True)
        subscription = self._hub.follow(session, selection, lambda _: encoder)

        async def send() -> None:
            await self._hub.begin(subscription)
            encoder.ended.add_done_callback(lambda _: connection.dismiss(_NORMAL, "the order has ended"))

        session.spawn(send())


class DialectEncoder:
    """The encoder of a dialect (see ``orderd.gateway.streaming.subscription.Encoder``)."""

    def __init__(self, stream: Stream) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the last frame of the order that is followed has been made."""
        self._dialect = stream.dialect
        self._is_of_one_order = stream.order_id is not None
        self._routes: dict[UUID, Routed] = {}

    def snapshot(self, snapshot: OrderSnapshot) -> tuple[bytes, ...]:
        order, end = snapshot.order, self._dialect.end
        if order.status not in TERMINAL or (end is None and snapshot.lapse is None):
            return ()
        self.ended.set_result(None)
        return () if end is None else (orjson.dumps(end(order)),)

    def event(self, streamed: StreamEvent) -> tuple[bytes, ...]:
        if self.ended.done():
            return ()
        event = streamed.event
        if isinstance(event.data, Routed):
            self._routes[event.order_id] = event.data
        elif isinstance(event.data, Started):  # a new attempt has no route yet
            self._routes.pop(event.order_id, None)
        frames = streamed.frames(self._dialect, lambda: self._dialect.frames(event, self._routes.get(event.order_id)))
        if streamed.ended:
            self._routes.pop(event.order_id, None)
            if self._is_of_one_order:
                self.ended.set_result(None)
        return frames

    def resync(self, snapshot: OrderSnapshot) -> tuple[bytes, ...]:  # noqa: ARG002  (no dialect has such a message)
        return ()

    def ready(self, orders: int) -> tuple[bytes, ...]:  # noqa: ARG002
        return ()


def _read(path: str, query: Mapping[str, str]) -> tuple[Dialect, str | None]:
    """The dialect at ``path``, and the requested order; None for all orders."""
    ref = query.get("orderId")
    if path == ALL_ORDERS_PATH:
        return QUOTES, ref
    if path in QUERY_PATHS:
        if ref is None:
            raise OrderdError(ErrorCode.REQUEST_INVALID, f"orderId: is missing; connect to {path}?orderId=ID")
        return QUERY_PATHS[path], ref
    if path.startswith(ORDER_PATH):
        return ROUTING_COMPLETE, unquote(path.removeprefix(ORDER_PATH))
    paths = ", ".join((NATIVE_PATH, ALL_ORDERS_PATH, *QUERY_PATHS, f"{ORDER_PATH}ID"))
    raise OrderdError(ErrorCode.REQUEST_UNKNOWN_METHOD, f"websockets are served at {paths}")


def _checked(ref: str) -> str:
    try:
        return _REF.validate_python(ref)
    except ValidationError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"{ref[:50]!r} is not an order's id") from error


def _id_of(principal: Principal, ref: str) -> UUID:
    return views.find(principal.account_id, ref, sees_all=principal.sees_all).id
