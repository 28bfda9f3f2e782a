"""Follows an order to its end, on whatever stdout is: a terminal, a pipe for lines, or a pipe for JSON."""

import sys
from types import TracebackType
from typing import Protocol, Self

from orderctl.client import Client, Lost, Resumed
from orderctl.exit_codes import ExitCode, exit_code_of_status
from orderctl.output import StreamFormat, document, is_live, narrate, print_json_line, print_line
from orderctl.settings import Settings
from orderctl.timeline import Timeline, clock, describe
from orderd.wire import Event, Snapshot


class Screen(Protocol):
    """Where the news of one order are shown. ``advance`` is called after each event."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...
    def begin(self, timeline: Timeline) -> None: ...
    def advance(self, timeline: Timeline) -> None: ...
    def lost(self, lost: Lost) -> None: ...
    def resumed(self, resumed: Resumed) -> None: ...


def watch(
    client: Client, settings: Settings, order: str, output: StreamFormat, seconds: float | None = None
) -> ExitCode:
    """The exit code is the order's end: 0 confirmed, 1 failed or cancelled; 130 when Ctrl-C let go of it.

    Raises what Client.follow raises.
    """
    timeline: Timeline | None = None
    try:
        with _screen(settings, output) as screen:
            for update in client.follow(order, seconds=seconds):
                match update:
                    case Lost():
                        screen.lost(update)
                    case Resumed():
                        screen.resumed(update)
                    case Snapshot() if timeline is not None:
                        timeline.order = update.order
                    case Snapshot():
                        timeline = Timeline(update.order)
                        screen.begin(timeline)
                    case Event() if timeline is not None:
                        timeline.apply(update.event)
                        screen.advance(timeline)
                if timeline is not None and timeline.is_over:
                    break
    except KeyboardInterrupt:
        known = timeline.order.id if timeline is not None else order
        narrate(settings, f"detached; the order goes on. Come back with: orderctl watch {known}")
        return ExitCode.INTERRUPTED
    assert timeline is not None, "following ends with an order's end, or raises"
    return exit_code_of_status(timeline.status)


def _screen(settings: Settings, output: StreamFormat) -> Screen:
    if output != "table":
        return JsonLines(settings)
    if is_live(sys.stdout):
        # Rich is for terminals only.
        from orderctl.progress import LiveProgress

        return LiveProgress(settings)
    return PlainLines(settings)


class PlainLines:
    """A line or a few for each event; narration about the connection on stderr."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def begin(self, timeline: Timeline) -> None:
        print_line(f"order {timeline.order.id}")

    def advance(self, timeline: Timeline) -> None:
        event = timeline.events[-1]
        start = timeline.events[0].at
        since = f"+{(event.at - start).total_seconds():.3f} s"
        head = f"{clock(event.at)}  {since:>11}  {event.data.kind:<9}"
        for line in describe(event.data, timeline.order):
            print_line(f"{head}  {line}")
            head = " " * len(head)

    def lost(self, lost: Lost) -> None:
        narrate(self._settings, f"connection lost ({lost.reason}); trying again in {lost.retry_in:.1f} s")

    def resumed(self, resumed: Resumed) -> None:
        narrate(self._settings, resumption(resumed))


class JsonLines(PlainLines):
    """Each event as a document of its own line."""

    def begin(self, timeline: Timeline) -> None:
        pass

    def advance(self, timeline: Timeline) -> None:
        print_json_line(document("event", timeline.events[-1]))


def resumption(resumed: Resumed) -> str:
    if resumed.replayed == 0:
        return "reconnected, nothing was missed"
    events = "1 event" if resumed.replayed == 1 else f"{resumed.replayed} events"
    return f"reconnected, {events} replayed"
