"""What a live screen shows beside the news of its orders: the market's price, and the orders that execute a family."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from orderctl.display.columns import Showing
from orderctl.display.formats import duration
from orderctl.display.timeline import OrderTimeline
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import OrderView


@dataclass(frozen=True, slots=True)
class Height:
    """The chain's block height at ``at``, by the monotonic clock, and how long a block has taken lately, if known."""

    blocks: int
    at: float
    seconds_per_block: float | None = None

    def after(self, blocks: int, at: float) -> "Height":
        """The later height; the pace stays if the chain has not moved."""
        if blocks <= self.blocks:
            return replace(self, blocks=blocks)
        return Height(blocks, at, (at - self.at) / (blocks - self.blocks))

    def until(self, last: int, now: float) -> str:
        """How much is left until block ``last``: blocks and, as far as known, time."""
        pace = self.seconds_per_block
        left = last - self.blocks - (0 if pace is None else int((now - self.at) / pace))
        blocks = f"{max(left, 0)} blocks"
        return blocks if pace is None else f"{blocks}, about {duration(max(left, 0) * pace)}"


@dataclass
class Surroundings:
    """The last answers; empty without a request or an answer."""

    market: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    """What is paid for one of the first token of a pair in the second."""
    details: dict[UUID, OrderDetail] = field(default_factory=dict)
    """Orders as they stood when they were read."""
    height: Height | None = None

    def showing(self, now: datetime) -> Showing:
        return Showing(now, is_live=True, market=self.market)

    def order_of(self, timeline: OrderTimeline) -> OrderView:
        """The order with the facts that no event contains, in the state that its events have led to."""
        detail = self.details.get(timeline.order.id)
        order = timeline.order if detail is None or detail.order.seq < timeline.seq else detail.order
        return order.model_copy(update={"status": timeline.status})

    def children_of(self, timeline: OrderTimeline) -> Sequence[OrderView]:
        detail = self.details.get(timeline.order.id)
        return () if detail is None else detail.children
