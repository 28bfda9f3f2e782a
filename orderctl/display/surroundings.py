"""What a live screen shows beside the news of its orders: what the market pays, and who executes a family."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from orderctl.display.columns import Showing
from orderctl.display.timeline import Timeline
from orderd.wire import OrderDetail, OrderView


@dataclass
class Surroundings:
    """As it was asked for last; empty where nobody asks, or nobody answers."""

    market: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    """What is paid for one of the first token of a pair in the second."""
    details: dict[UUID, OrderDetail] = field(default_factory=dict)
    """Orders as they stood when they were read."""

    def showing(self, now: datetime) -> Showing:
        return Showing(now, is_live=True, market=self.market)

    def order_of(self, timeline: Timeline) -> OrderView:
        """The order with what no event tells, in the state that its events have led to."""
        detail = self.details.get(timeline.order.id)
        order = timeline.order if detail is None or detail.order.seq < timeline.seq else detail.order
        return order.model_copy(update={"status": timeline.status})

    def children_of(self, timeline: Timeline) -> Sequence[OrderView]:
        detail = self.details.get(timeline.order.id)
        return () if detail is None else detail.children
