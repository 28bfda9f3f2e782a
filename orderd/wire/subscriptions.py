"""Messages of order subscriptions: requests and notifications."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from orderd.domain.events import OrderEvent
from orderd.domain.order import OrderKind
from orderd.wire.message import ACCOUNT, Message, Name, OrderRef
from orderd.wire.orders import OrderView

MAX_FOLLOWED: Final = 100
"""Maximum number of orders that one subscription can name."""


class Followed(Message):
    """An order to follow. ``after`` resumes a subscription: the events from ``after + 1`` on are sent."""

    order: OrderRef
    after: int | None = Field(None, ge=0)


class SubscribeParams(Message):
    """Selects the orders to follow: one, several, or, if none is named, all active orders of a pair or a kind.

    Every event of a followed order is sent, in order and without gaps. ``after`` is only allowed with ``order``; the
    tokens and the kind only without named orders.
    """

    order: OrderRef | None = None
    after: int | None = Field(None, ge=0, description="resumes a subscription: the events from after + 1 on are sent")
    orders: tuple[Followed, ...] = Field((), max_length=MAX_FOLLOWED)
    account: Name | None = Field(None, description=ACCOUNT)
    token_in: str | None = Field(None, max_length=64, description="only orders that sell this token")
    token_out: str | None = Field(None, max_length=64, description="only orders that buy this token")
    kind: OrderKind | None = Field(None, description="only orders of this kind")


class SubscribeResult(Message):
    """While a subscription is active, the daemon sends a heartbeat about every ``heartbeat_seconds``."""

    subscription: int
    heartbeat_seconds: int | None = None


class UnsubscribeParams(Message):
    subscription: int


class UnsubscribeResult(Message):
    removed: bool


class Snapshot(Message):
    """The current state of an order. Events with a greater seq follow; with ``after`` also the events from ``after +
    1`` on."""

    type: Literal["SNAPSHOT"] = "SNAPSHOT"
    subscription: int
    order: OrderView


class ResyncRequired(Message):
    """The events after ``after`` cannot be sent: the client must discard what it knows about the order.

    ``AHEAD``: the daemon has no event ``after``, for example after a restore from a backup. ``GONE``: the events have
    been deleted. The order's SNAPSHOT follows, and then newer events.
    """

    type: Literal["RESYNC_REQUIRED"] = "RESYNC_REQUIRED"
    subscription: int
    order_id: UUID
    after: int = Field(description="the requested resume point")
    seq: int = Field(description="the seq of the order's last event")
    reason: Literal["AHEAD", "GONE"]


class Event(Message):
    type: Literal["EVENT"] = "EVENT"
    subscription: int
    event: OrderEvent


class Ready(Message):
    """All snapshots of a subscription have been sent; from now on it is live.

    Events of new orders, and of orders whose snapshot was sent, can precede it.
    """

    type: Literal["READY"] = "READY"
    subscription: int
    orders: int


Notification = Annotated[Snapshot | ResyncRequired | Event | Ready, Field(discriminator="type")]


class Position(Message):
    """The position of a live subscription. A client that has counted fewer events has missed some and must subscribe
    again."""

    subscription: int
    events: int = Field(description="number of EVENTs sent since the subscription began")
    order_id: UUID | None = Field(description="the order of the last SNAPSHOT or EVENT sent")
    seq: int | None = Field(description="the seq of the last SNAPSHOT or EVENT sent")


class Heartbeat(Message):
    """Shows that the daemon and the connection are alive. ``at`` is the daemon's clock.

    Everything that was stored before ``as_of`` has been sent or is being sent. ``as_of`` does not advance while the
    daemon cannot reach its database.
    """

    at: datetime
    as_of: datetime
    subscriptions: tuple[Position, ...]
