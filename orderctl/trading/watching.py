"""Follows orders to their ends, on whatever stdout is: a terminal, a pipe for lines, or a pipe for JSON."""

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from orderctl.config.settings import Settings
from orderctl.display.timeline import Timeline, clock, describe
from orderctl.output.exit_codes import ExitCode, exit_code_of_status
from orderctl.output.streams import Format, is_live, narrate, print_json_line, print_line
from orderctl.trading.lookup import suggesting
from orderd.client.connection import Client, Connection, Lost, Resumed, Update
from orderd.client.errors import FollowTimeoutError
from orderd.client.freshness import Fresh, Stale
from orderd.domain.events import Confirmed
from orderd.domain.order import OrderStatus
from orderd.wire import Event, ResyncRequired, Snapshot


class Screen(Protocol):
    """Where the news of orders are shown. ``advance`` is called after each event."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...
    def begin(self, timeline: Timeline) -> None: ...
    def advance(self, timeline: Timeline) -> None: ...
    def connection(self, news: Connection) -> None: ...


def watch(
    client: Client, settings: Settings, orders: Sequence[str], output: Format, seconds: float | None = None
) -> ExitCode:
    """The exit code is the orders' end: 0 all confirmed, 1 one failed or cancelled; 130 when Ctrl-C let go of them.

    Raises what Client.follow_all raises.
    """
    timelines: dict[UUID, Timeline] = {}
    try:
        with _screen(settings, output, many=len(orders) > 1) as screen:
            for update in _news(client, orders, seconds):
                match update:
                    case Lost() | Resumed() | Stale() | Fresh():
                        screen.connection(update)
                    case ResyncRequired(order_id=order_id):
                        timelines.pop(order_id, None)
                        screen.connection(update)
                    case Snapshot(order=order) if order.id in timelines:
                        timelines[order.id].order = order
                    case Snapshot(order=order):
                        timelines[order.id] = Timeline(order)
                        screen.begin(timelines[order.id])
                    case Event(event=event):
                        timelines[event.order_id].apply(event)
                        screen.advance(timelines[event.order_id])
    except FollowTimeoutError as error:
        if unknown := [str(each.order.id) for each in timelines.values() if each.unknown_since is not None]:
            error.detail += f"; unknown is what became of {', '.join(unknown)}"
            error.next_step = f"see what the chain shows: orderctl resolve {unknown[0]}"
        raise
    except KeyboardInterrupt:
        one = next(iter(timelines.values())).order.id if timelines else orders[0]
        rest = f"the order goes on. Come back with: orderctl watch {one}"
        if len(orders) > 1:
            rest = "the orders go on. Come back with: orderctl watch --all"
        narrate(settings, f"detached; {rest}")
        return ExitCode.INTERRUPTED
    if len(orders) > 1:
        narrate(settings, _summary(timelines.values()))
    outcomes = {exit_code_of_status(timeline.status) for timeline in timelines.values()}
    return max(outcomes, default=ExitCode.OK)


def _summary(timelines: Collection[Timeline]) -> str:
    """How many orders ended how, and what they brought: ``3 orders: 2 confirmed, 1 failed; received 250.4 USDC``."""
    ends = Counter(timeline.status for timeline in timelines)
    received: dict[str, Decimal] = {}
    for timeline in timelines:
        if isinstance(end := timeline.end, Confirmed):
            token = timeline.order.token_out
            received[token] = received.get(token, Decimal(0)) + Decimal(end.amount_out)
    counts = ", ".join(f"{ends[status]} {status}" for status in OrderStatus if ends[status])
    amounts = ", ".join(f"{amount:f} {token}" for token, amount in received.items())
    return f"{len(timelines)} orders: {counts}{f'; received {amounts}' if amounts else ''}"


def _news(client: Client, orders: Sequence[str], seconds: float | None) -> Iterator[Update]:
    with suggesting(client):
        yield from client.follow_all(orders, seconds)


def _screen(settings: Settings, output: Format, *, many: bool) -> Screen:
    if output in ("json", "jsonl"):
        return JsonLines(settings)
    if not is_live(sys.stdout):
        return LinesOfMany(settings) if many else PlainLines(settings)
    # Rich is for terminals only.
    if many:
        from orderctl.display.progress_of_many import LiveProgressOfMany

        return LiveProgressOfMany(settings)
    from orderctl.display.progress import LiveProgress

    return LiveProgress(settings)


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

    def connection(self, news: Connection) -> None:
        narrate(self._settings, words_of(news))


class LinesOfMany(PlainLines):
    """As PlainLines, with the order's id in each line."""

    def begin(self, timeline: Timeline) -> None:
        pass

    def advance(self, timeline: Timeline) -> None:
        event = timeline.events[-1]
        for line in describe(event.data, timeline.order):
            print_line(f"{clock(event.at)}  {event.order_id}  {event.data.kind:<9}  {line}")


class JsonLines(PlainLines):
    """Each event as a document of its own line."""

    def begin(self, timeline: Timeline) -> None:
        pass

    def advance(self, timeline: Timeline) -> None:
        print_json_line(timeline.events[-1])


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
    events = "1 event" if resumed.replayed == 1 else f"{resumed.replayed} events"
    return f"reconnected, {events} replayed"
