"""Prints events of orders to a pipe: as text lines, or as JSON."""

from orderctl.config.settings import Settings
from orderctl.display.facts import describe
from orderctl.display.formats import clock
from orderctl.display.screen import connection_message
from orderctl.display.timeline import OrderTimeline
from orderctl.output.streams import narrate, print_json_line, print_line
from orderd.client.following import Connection


class PlainLines:
    """Prints one or a few lines per event; messages about the connection go to stderr."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def begin(self, timeline: OrderTimeline) -> None:
        print_line(f"order {timeline.order.id}")

    def advance(self, timeline: OrderTimeline) -> None:
        event = timeline.events[-1]
        start = timeline.events[0].at
        since = f"+{(event.at - start).total_seconds():.3f} s"
        head = f"{clock(event.at)}  {since:>11}  {event.data.kind:<9}"
        for line in describe(event.data, timeline.order):
            print_line(f"{head}  {line}")
            head = " " * len(head)

    def connection(self, change: Connection) -> None:
        narrate(self._settings, connection_message(change))


class LinesOfMany(PlainLines):
    """Like PlainLines, with the order's id in each line."""

    def begin(self, timeline: OrderTimeline) -> None:
        pass

    def advance(self, timeline: OrderTimeline) -> None:
        event = timeline.events[-1]
        for line in describe(event.data, timeline.order):
            print_line(f"{clock(event.at)}  {event.order_id}  {event.data.kind:<9}  {line}")


class JsonLines(PlainLines):
    """Prints each event as one JSON document per line."""

    def begin(self, timeline: OrderTimeline) -> None:
        pass

    def advance(self, timeline: OrderTimeline) -> None:
        print_json_line(timeline.events[-1])
