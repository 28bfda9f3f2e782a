"""The news of orders for a pipe: lines for people, or JSON."""

from orderctl.config.settings import Settings
from orderctl.display.facts import describe
from orderctl.display.formats import clock
from orderctl.display.screen import words_of
from orderctl.display.timeline import OrderTimeline
from orderctl.output.streams import narrate, print_json_line, print_line
from orderd.client.following import Connection


class PlainLines:
    """A line or a few for each event; narration about the connection on stderr."""

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

    def connection(self, news: Connection) -> None:
        narrate(self._settings, words_of(news))


class LinesOfMany(PlainLines):
    """As PlainLines, with the order's id in each line."""

    def begin(self, timeline: OrderTimeline) -> None:
        pass

    def advance(self, timeline: OrderTimeline) -> None:
        event = timeline.events[-1]
        for line in describe(event.data, timeline.order):
            print_line(f"{clock(event.at)}  {event.order_id}  {event.data.kind:<9}  {line}")


class JsonLines(PlainLines):
    """Each event as a document on its own line."""

    def begin(self, timeline: OrderTimeline) -> None:
        pass

    def advance(self, timeline: OrderTimeline) -> None:
        print_json_line(timeline.events[-1])
