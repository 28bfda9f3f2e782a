"""The live display of several orders: one bar for all, and one row per order, as many as fit."""

import time
from collections import Counter
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orderctl.config.settings import Settings
from orderctl.display.cells import sold
from orderctl.display.columns import COLUMNS
from orderctl.display.formats import duration, waiting
from orderctl.display.ids import BRANCH, SHORT_ID, short_ids
from orderctl.display.live_data import LiveData
from orderctl.display.orders import cell_text
from orderctl.display.progress import BAR_WIDTH, REFRESH_HZ, connection_line
from orderctl.display.resting import above
from orderctl.display.screen import resting_message
from orderctl.display.tables import Column, fitting_table, status_text
from orderctl.display.timeline import OrderTimeline
from orderctl.output.colours import STATE_TONES, Tone
from orderctl.output.streams import console
from orderd.client.following import Connection
from orderd.domain.events import Confirmed, Failed
from orderd.domain.order import IDLE, STAGES, TERMINAL, OrderStatus

ROW_BAR_WIDTH = 10
LINES_AROUND = 4
COLUMNS_OF_ROWS: Final[tuple[Column, ...]] = (
    ("id", "left"),
    ("status", "left"),
    ("stages", "left"),
    ("sell", "right"),
    ("result", "left"),
    ("took", "right"),
)
SPARED: Final = (frozenset({"took"}), frozenset({"stages"}), frozenset({"status"}), frozenset({"sell"}))
"""What a narrow terminal leaves out, one after another."""


class LiveProgressOfMany:
    """A Screen. At the end, all rows remain on the terminal."""

    def __init__(self, settings: Settings, data: LiveData | None = None) -> None:
        self._data = data or LiveData()
        self._timelines: dict[UUID, OrderTimeline] = {}
        self._connection: Connection | None = None
        self._connection_since = 0.0
        self._has_ended = False
        self._console = console(settings)
        self._live = Live(console=self._console, get_renderable=self.render, refresh_per_second=REFRESH_HZ)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._has_ended = True
        self._live.vertical_overflow = "visible"
        self._live.stop()

    def begin(self, timeline: OrderTimeline) -> None:
        self._timelines[timeline.order.id] = timeline

    def advance(self, timeline: OrderTimeline) -> None:
        pass

    def connection(self, change: Connection) -> None:
        self._connection, self._connection_since = change, time.monotonic()

    def render(self) -> RenderableType:
        """Render the current state."""
        timelines = list(self._timelines.values())
        ended = sum(timeline.status in TERMINAL for timeline in timelines)
        head = Table.grid(padding=(0, 2, 0, 0))
        counts = Counter(timeline.status for timeline in timelines)
        summary = [
            Text.assemble(f"{counts[status]} ", (status, STATE_TONES[status]))
            for status in OrderStatus
            if counts[status]
        ]
        bar = ProgressBar(total=max(1, len(timelines)), completed=ended, width=BAR_WIDTH, complete_style=Tone.MOVING)
        head.add_row(bar, f"{ended} of {len(timelines)}", Text(", ").join(summary))
        parts: list[RenderableType] = [head, self._rows(timelines)]
        if message := resting_message(timelines):
            parts.append(Text(message, "dim"))
        if self._connection is not None:
            parts.append(connection_line(self._connection, self._connection_since))
        return Group(*parts)

    def _rows(self, timelines: list[OrderTimeline]) -> RenderableType:
        """The rows: active orders first, each followed by its children. Orders that do not fit are only counted."""
        room = len(timelines) if self._has_ended else max(1, self._console.height - LINES_AROUND)

        firsts = {timeline.order.id: self._first_above(timeline) for timeline in timelines}

        def place(timeline: OrderTimeline) -> tuple[bool, UUID, UUID]:
            first = firsts[timeline.order.id]
            return first.status in TERMINAL, first.order.id, timeline.order.id

        shown = sorted(timelines, key=place)[:room]
        below = {order for order, first in firsts.items() if first.order.id != order}
        ids = short_ids(firsts.keys() - below) | {order: f"{BRANCH}{order}"[:SHORT_ID] for order in below}
        now = datetime.now(UTC)
        rows = [self._row(timeline, ids[timeline.order.id], now) for timeline in shown]
        return fitting_table(COLUMNS_OF_ROWS, rows, spared=SPARED, show_header=False)

    def _row(self, timeline: OrderTimeline, short_id: str, now: datetime) -> tuple[RenderableType, ...]:
        bar, outcome = self._rest(timeline, now) if timeline.status in IDLE else (_bar(timeline.status), Text())
        return (
            short_id,
            status_text(timeline.status, is_unknown=timeline.unknown_since is not None),
            bar,
            sold(timeline.order),
            _outcome(timeline, now) or outcome,
            _took(timeline, now),
        )

    def _first_above(self, timeline: OrderTimeline) -> OrderTimeline:
        """The topmost followed ancestor of an order, or the order itself."""
        first = self._timelines.get(above(timeline.order) or timeline.order.id)
        return timeline if first is None or first is timeline else self._first_above(first)

    def _rest(self, timeline: OrderTimeline, now: datetime) -> tuple[Text, Text]:
        """The distance of the market from its price, if known, and its condition."""
        order, showing = self._data.order_of(timeline), self._data.showing(now)
        return cell_text(COLUMNS["stages"].cell(order, showing)), cell_text(COLUMNS["result"].cell(order, showing))


def _outcome(timeline: OrderTimeline, now: datetime) -> Text:
    """The remaining wait, the fill, the error code, or the bought token; empty for a resting order."""
    if (wait := timeline.wait) is not None:
        return Text(waiting(wait.until, now), Tone.WARNING)
    if timeline.status in IDLE:
        return Text()
    match timeline.end:
        case Confirmed(amount_out=amount):
            return Text(f"{amount} {timeline.order.token_out}", Tone.GOOD)
        case Failed(code=code):
            return Text(code, Tone.BAD)
        case _:
            return Text(f"→ {timeline.order.token_out}", "dim")


def _bar(status: OrderStatus) -> ProgressBar:
    done = STAGES.index(status) + 1 if status in STAGES else len(STAGES)
    style = STATE_TONES[status]
    return ProgressBar(
        total=len(STAGES), completed=done, width=ROW_BAR_WIDTH, complete_style=style, finished_style=style
    )


def _took(timeline: OrderTimeline, now: datetime) -> str:
    if not timeline.events:
        return ""
    end = timeline.ended_at or now
    return duration(max(0.0, (end - timeline.events[0].at).total_seconds()))
