"""The hub's queries to Postgres, which stores everything that subscribers get."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from db.connection import database
from db.models import Order, in_states
from orderd.domain.events import OrderEvent
from orderd.domain.order import ACTIVE, TERMINAL
from orderd.engine import views
from orderd.gateway.streaming.selection import Group, Selection, groups_of
from orderd.wire.orders import OrderView


@dataclass(frozen=True, slots=True)
class Head:
    """The seq of an order's last stored event, and its account, pair and kind."""

    order_id: UUID
    account_id: UUID
    token_in: str
    token_out: str
    kind: str
    seq: int
    ended: bool

    @property
    def groups(self) -> tuple[Group, ...]:
        return groups_of(self.account_id, self.token_in, self.token_out, self.kind)


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """The state of an order when a client begins to follow it.

    ``again`` are its stored events from ``after + 1`` on, if a resume point was given.
    """

    order: OrderView
    after: int | None = None
    again: tuple[OrderEvent, ...] = ()
    encoded: dict[object, tuple[bytes, ...]] = field(default_factory=dict, compare=False)
    """By the form in which followers get it; encoded once for all of them."""

    @property
    def lapse(self) -> Literal["AHEAD", "GONE"] | None:
        """Why the follower cannot resume there: this event never happened, or is no longer stored."""
        if self.after is None or self.after == self.order.seq:
            return None
        if self.after > self.order.seq:
            return "AHEAD"
        due = range(self.after + 1, self.after + 1 + max(1, len(self.again)))
        return None if [event.seq for event in self.again] == list(due) else "GONE"


def active_heads() -> list[Head]:
    """All orders that have not ended, oldest first."""
    return _heads(f"{in_states(ACTIVE)} ORDER BY id", ())


def clock_now() -> datetime:
    """The time of Postgres' clock, which stamps changes."""
    (now,) = database.execute_sql("SELECT clock_timestamp()").fetchone()
    assert isinstance(now, datetime)
    return now


def heads_moved(readings: Sequence[datetime], seconds: float) -> tuple[datetime, list[Head]]:
    """The time of Postgres' clock, and the orders whose last event is at most ``seconds`` away from it.

    Also those near its earlier ``readings``, the newest last: if the clock was set, changes have stamps of both clocks.
    Only the last reading may be lower than all stamps in question.
    """
    now = clock_now()
    around = timedelta(seconds=seconds)
    bounds = min((now, *readings[-1:])) - around, max((now, *readings)) + around
    return now, _heads("id IN (SELECT order_id FROM order_events WHERE at BETWEEN %s AND %s)", bounds)


def missing(order_id: UUID, seq: int) -> tuple[Head | None, list[OrderEvent]]:
    """The current state of an order, if it exists, and its events after ``seq``."""
    found = _heads("id = %s", (str(order_id),))
    return found[0] if found else None, views.events_after(order_id, seq)


def snapshots(selection: Selection, among: Sequence[UUID] = ()) -> list[OrderSnapshot]:
    """The snapshots for a new subscription, oldest order first: of the named orders, or of the selected ones ``among``
    these."""
    if selection.orders:
        rows = Order.select().where(Order.id.in_(list(selection.orders))).order_by(Order.id)
        return [_current(views.order_view(row), selection.orders[row.id]) for row in rows]
    active = views.active(among, selection.account_id, selection.token_in, selection.token_out, selection.kind)
    if not selection.from_beginning:
        return [OrderSnapshot(order) for order in active]
    events_by_order = views.events_by_order(order.id for order in active)
    return [OrderSnapshot(order, 0, tuple(events_by_order[order.id])) for order in active]


def _current(order: OrderView, after: int | None) -> OrderSnapshot:
    return OrderSnapshot(order, after, () if after is None else tuple(views.events_after(order.id, after)))


def _heads(where: str, values: Iterable[object]) -> list[Head]:
    columns = "id, account_id, token_in, token_out, kind, seq, status"
    rows = database.execute_sql(f"SELECT {columns} FROM orders WHERE {where}", tuple(values))  # noqa: S608
    return [
        Head(order_id, account_id, token_in, token_out, kind, seq, status in TERMINAL)
        for order_id, account_id, token_in, token_out, kind, seq, status in rows
    ]
