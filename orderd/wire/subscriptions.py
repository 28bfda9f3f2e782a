"""Following orders: what a subscription asks for, and everything that it sends."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from orderd.domain.events import OrderEvent
from orderd.domain.order import OrderKind
from orderd.wire.message import ACCOUNT, Message, Name, OrderRef
from orderd.wire.orders import OrderView

MAX_FOLLOWED: Final = 100
"""Orders that one subscription may name."""


class Followed(Message):
    """An order to follow. ``after`` resumes it: its events from ``after + 1`` on are sent again."""

    order: OrderRef
    after: int | None = Field(None, ge=0)


class SubscribeParams(Message):
    """What to follow: one order, several, or, if none is named, all active ones, of a pair or a kind if given.

    Every event of an order that is followed is sent, in order and without gaps. ``after`` belongs to ``order``, and the
    tokens and the kind to a subscription that names no order.
    """

    order: OrderRef | None = None
    after: int | None = Field(None, ge=0, description="resumes: the events from after + 1 on are sent again")
    orders: tuple[Followed, ...] = Field((), max_length=MAX_FOLLOWED)
    account: Name | None = Field(None, description=ACCOUNT)
    token_in: str | None = Field(None, max_length=64, description="only orders that sell this token")
    token_out: str | None = Field(None, max_length=64, description="only orders that buy this token")
    kind: OrderKind | None = Field(None, description="only orders of this kind")


class SubscribeResult(Message):
    """While a subscription lasts, its connection carries a heartbeat about every ``heartbeat_seconds``."""

    subscription: int
    heartbeat_seconds: int | None = None


class UnsubscribeParams(Message):
    subscription: int


class UnsubscribeResult(Message):
    removed: bool


class Snapshot(Message):
    """Where an order stands. Events with a greater seq follow; with ``after`` also those from ``after + 1`` on."""

    type: Literal["SNAPSHOT"] = "SNAPSHOT"
    subscription: int
    order: OrderView


class ResyncRequired(Message):
    """The events after ``after`` cannot be sent again: what the client knows of the order is void.

    ``AHEAD``: the daemon has no event ``after``, as when its database is an older one. ``GONE``: events after it are
    stored no more. The order's SNAPSHOT comes next, and then the events that are newer than that.
    """

    type: Literal["RESYNC_REQUIRED"] = "RESYNC_REQUIRED"
    subscription: int
    order_id: UUID
    after: int = Field(description="the resume point that was asked for")
    seq: int = Field(description="the order's last event")
    reason: Literal["AHEAD", "GONE"]


class Event(Message):
    type: Literal["EVENT"] = "EVENT"
    subscription: int
    event: OrderEvent


class Ready(Message):
    """All snapshots of a subscription have been sent; from here on it is live.

    Events of orders that had been shown, or that are new, may have come before.
    """

    type: Literal["READY"] = "READY"
    subscription: int
    orders: int


Notification = Annotated[Snapshot | ResyncRequired | Event | Ready, Field(discriminator="type")]


class Position(Message):
    """How far a live subscription has got. A client that has counted fewer events has missed some: subscribe again."""

    subscription: int
    events: int = Field(description="EVENTs sent since the subscription began")
    order_id: UUID | None = Field(description="whose SNAPSHOT or EVENT was the last one sent")
    seq: int | None = Field(description="the seq of that one")


class Heartbeat(Message):
    """The daemon is alive, and so is the connection. ``at`` is the daemon's time.

    Everything that was stored before ``as_of`` has been sent or is on its way; it stands still while the daemon cannot
    reach its database.
    """

    at: datetime
    as_of: datetime
    subscriptions: tuple[Position, ...]
