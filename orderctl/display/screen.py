"""The interface of displays for order events, and messages about the connection."""

from collections.abc import Collection
from typing import Protocol

from orderctl.display.formats import clock, counted
from orderctl.display.timeline import OrderTimeline
from orderd.client.following import Connection, Lost, Resumed
from orderd.client.freshness import Fresh, Stale
from orderd.domain.order import RESTING, TERMINAL
from orderd.wire.subscriptions import ResyncRequired


class Screen(Protocol):
    """Displays events of orders. ``advance`` is called after each event."""

    def begin(self, timeline: OrderTimeline) -> None: ...
    def advance(self, timeline: OrderTimeline) -> None: ...
    def connection(self, change: Connection) -> None: ...


def resting_message(timelines: Collection[OrderTimeline]) -> str:
    """A message if all orders that have not ended are resting; otherwise empty."""
    resting = sum(timeline.status in RESTING for timeline in timelines)
    ended = sum(timeline.status in TERMINAL for timeline in timelines)
    if not resting or resting + ended < len(timelines):
        return ""
    left = "1 order rests" if resting == 1 else f"{resting} orders rest"
    return f"{left} until the market meets the price; Ctrl-C stops watching and cancels nothing"


def connection_message(change: Connection, elapsed: float = 0.0) -> str:
    """The message about a change of the connection, ``elapsed`` seconds after it."""
    match change:
        case Lost(reason, retry_in):
            return f"connection lost: {reason}; reconnecting in {max(0.0, retry_in - elapsed):.1f} s"
        case Resumed():
            return _resumption(change)
        case Stale(reason, since):
            return f"{reason} since {clock(since)}; the display may be outdated"
        case Fresh():
            return "up to date again"
        case ResyncRequired(order_id=order, after=after, seq=seq):
            why = f"its last event is {seq}, but {after} was received: the daemon's database was restored"
            if change.reason == "GONE":
                why = f"the daemon has deleted the events after {after}"
            return f"order {order} is shown from its current state: {why}"


def _resumption(resumed: Resumed) -> str:
    if resumed.replayed == 0:
        return "reconnected, nothing was missed"
    return f"reconnected, {counted(resumed.replayed, 'event')} replayed"
