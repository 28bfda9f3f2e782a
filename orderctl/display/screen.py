"""The interface of a screen for events of orders, and its texts about the connection."""

from collections.abc import Collection
from typing import Protocol

from orderctl.display.formats import clock, counted
from orderctl.display.timeline import OrderTimeline
from orderd.client.following import Connection, Lost, Resumed
from orderd.client.freshness import Fresh, Stale
from orderd.domain.order import RESTING, TERMINAL
from orderd.wire.subscriptions import ResyncRequired


class Screen(Protocol):
    """Shows events of orders. ``advance`` is called after each event."""

    def begin(self, timeline: OrderTimeline) -> None: ...
    def advance(self, timeline: OrderTimeline) -> None: ...
    def connection(self, news: Connection) -> None: ...


def only_rest(timelines: Collection[OrderTimeline]) -> str:
    """What to say where all that has not ended rests; empty where something is under way, or all has ended."""
    resting = sum(timeline.status in RESTING for timeline in timelines)
    ended = sum(timeline.status in TERMINAL for timeline in timelines)
    if not resting or resting + ended < len(timelines):
        return ""
    left = "1 order rests" if resting == 1 else f"{resting} orders rest"
    return f"{left} until the market meets the price; Ctrl-C lets go and cancels nothing"


def words_of(news: Connection, elapsed: float = 0.0) -> str:
    """What to say of the connection, ``elapsed`` seconds after these news."""
    match news:
        case Lost(reason, retry_in):
            return f"connection lost: {reason}; trying again in {max(0.0, retry_in - elapsed):.1f} s"
        case Resumed():
            return _resumption(news)
        case Stale(reason, since):
            return f"{reason} since {clock(since)}; what is shown may be old"
        case Fresh():
            return "up to date again"
        case ResyncRequired(order_id=order, after=after, seq=seq):
            why = f"{seq} is its last event there, {after} was seen: the daemon's database is an older one"
            if news.reason == "GONE":
                why = f"the daemon has not kept the events after {after}"
            return f"order {order} begins anew: {why}"


def _resumption(resumed: Resumed) -> str:
    if resumed.replayed == 0:
        return "reconnected, nothing was missed"
    return f"reconnected, {counted(resumed.replayed, 'event')} replayed"
