"""Data that live displays show in addition to events: market prices, child orders and the block height."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from orderctl.display.cells import Showing
from orderctl.display.formats import duration
from orderctl.display.timeline import OrderTimeline
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import OrderView


@dataclass(frozen=True, slots=True)
class Height:
    """The chain's block height at the monotonic time ``at``, and the recent block time, if known."""

    blocks: int
    at: float
    seconds_per_block: float | None = None

    def after(self, blocks: int, at: float) -> "Height":
        """The height after another observation; the block time is kept if the height has not changed."""
        if blocks <= self.blocks:
            return replace(self, blocks=blocks)
        return Height(blocks, at, (at - self.at) / (blocks - self.blocks))

    def until(self, last: int, now: float) -> str:
        """The distance from block ``last``, in blocks and, if known, time."""
        pace = self.seconds_per_block
        left = last - self.blocks - (0 if pace is None else int((now - self.at) / pace))
        blocks = f"{max(left, 0)} blocks"
        return blocks if pace is None else f"{blocks}, about {duration(max(left, 0) * pace)}"


@dataclass
class LiveData:
    """The last data received."""

    market: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    """The price of one first token of a pair in second tokens."""
    details: dict[UUID, OrderDetail] = field(default_factory=dict)
    """The details of orders when they were last read."""
    height: Height | None = None

    def showing(self, now: datetime) -> Showing:
        return Showing(now, is_live=True, market=self.market)

    def order_of(self, timeline: OrderTimeline) -> OrderView:
        """The order with data that events do not contain, and with the status from its events."""
        detail = self.details.get(timeline.order.id)
        order = timeline.order if detail is None or detail.order.seq < timeline.seq else detail.order
        return order.model_copy(update={"status": timeline.status})

    def children_of(self, timeline: OrderTimeline) -> Sequence[OrderView]:
        detail = self.details.get(timeline.order.id)
        return () if detail is None else detail.children
