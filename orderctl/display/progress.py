"""The live display of one order: a progress bar, its stages, quotes, waits and its fill."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from orderctl.config.settings import Settings
from orderctl.display.cells import distance_bar, local_time, next_execution, sold_bar
from orderctl.display.conditions import distances, name_of, reading, sign, what_follows
from orderctl.display.facts import describe
from orderctl.display.formats import duration, waiting
from orderctl.display.ids import SHORT_ID
from orderctl.display.live_data import LiveData
from orderctl.display.orders import cell_text, family_table
from orderctl.display.resting import is_open
from orderctl.display.routes import by_amount
from orderctl.display.screen import connection_message
from orderctl.display.tables import status_text
from orderctl.display.terms import terms, validity
from orderctl.display.timeline import OrderTimeline, Span
from orderctl.output.colours import STATE_TONES, Tone
from orderctl.output.streams import console
from orderd.client.errors import with_order_id
from orderd.client.following import Connection, Resumed
from orderd.client.freshness import Fresh
from orderd.domain.errors import ERRORS
from orderd.domain.events import (
    Confirmed,
    Deferred,
    Failed,
    OrderEvent,
    Reclaimed,
    Retrying,
    RolledBack,
    Submitted,
    Triggered,
)
from orderd.domain.order import (
    FILLED,
    HELD,
    IDLE,
    RESTING,
    STAGES,
    STATES,
    TERMINAL,
    UNFILLED,
    WAITING,
    WORKING,
    OrderStatus,
)
from orderd.wire.orders import OrderView

REFRESH_HZ = 10
BAR_WIDTH = 44
DISTANCE_WIDTH = 30
SIGNATURE_WIDTH = 24
LINES_AROUND_QUOTES = 15
LINES_AROUND_FAMILY = 11
LABEL_WIDTH = max(len(state.label) for state in STATES.values())


class LiveProgress:
    """A Screen that redraws itself ten times per second, in a thread of Rich."""

    def __init__(self, settings: Settings, data: LiveData | None = None) -> None:
        self._data = data or LiveData()
        self._timeline: OrderTimeline | None = None
        self._connection: Connection | None = None
        self._connection_since = 0.0
        self._spinner = Spinner("dots", style=Tone.MOVING)
        self._live = Live(
            console=console(settings), get_renderable=self.render, refresh_per_second=REFRESH_HZ, transient=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()
        if self._timeline is not None and isinstance(end := self._timeline.end, Confirmed):
            # On a separate line in full, to be copied.
            self._live.console.print(f"signature {end.signature}", soft_wrap=True)

    def begin(self, timeline: OrderTimeline) -> None:
        self._timeline = timeline
        self._live.start()

    def advance(self, timeline: OrderTimeline) -> None:
        pass

    def connection(self, change: Connection) -> None:
        self._connection, self._connection_since = change, time.monotonic()

    def render(self) -> RenderableType:
        """Render the current state. If its lines do not fit on the terminal, the quotes are left out: Rich would leave
        out the last lines, where the running stage is."""
        timeline = self._timeline
        if timeline is None:
            return Text()
        console = self._live.console
        room = max(2, console.height - LINES_AROUND_QUOTES - len(timeline.failed_attempts))
        whole = self._drawn(timeline, room)
        if timeline.is_over or len(console.render_lines(whole, pad=False)) <= console.height:
            return whole
        return self._drawn(timeline, 0)

    def _drawn(self, timeline: OrderTimeline, room: int) -> Group:
        """With at most ``room`` quotes."""
        now = datetime.now(UTC)
        parts: list[RenderableType] = [_headline(timeline)]
        if timeline.status in IDLE:
            parts += _rest(timeline, now, self._spinner, self._data)
            parts += self._family(timeline, now)
        else:
            parts += [_bar(timeline, now), *_stages(timeline, now, self._spinner, room)]
            parts += self._countdown(timeline)
        parts += [_failed_attempt(event) for event in timeline.failed_attempts]
        if isinstance(end := timeline.end, Failed):
            next_step = with_order_id(ERRORS[end.code].next_step, timeline.order.id)
            parts.append(Text.assemble(("next: ", Tone.HINT), next_step))
        if (line := self._connection_line()) is not None:
            parts.append(line)
        return Group(*parts)

    def _family(self, timeline: OrderTimeline, now: datetime) -> Iterator[RenderableType]:
        """The child orders, active ones before ended ones, as many as fit."""
        children = self._data.children_of(timeline)
        newest = sorted(children, key=lambda child: (child.status not in TERMINAL, child.id), reverse=True)
        shown = newest[: max(1, self._live.console.height - LINES_AROUND_FAMILY)]
        if shown:
            yield Text()
            yield family_table(shown, self._data.showing(now))
        if len(shown) < len(children):
            yield Text(f"{len(children) - len(shown)} more have ended", "dim")

    def _countdown(self, timeline: OrderTimeline) -> Iterator[RenderableType]:
        """The remaining time in which the signed transaction can land, if known."""
        last = timeline.events[-1].data if timeline.events else None
        if isinstance(last, Submitted) and (height := self._data.height) is not None:
            left = height.until(last.last_valid_block_height, time.monotonic())
            yield _indented(Text(f"expires in {left}, unless it lands", Tone.WARNING))

    def _connection_line(self) -> Text | None:
        return None if self._connection is None else connection_line(self._connection, self._connection_since)


def connection_line(change: Connection, since: float) -> Text:
    """The line about the connection; ``since`` is the monotonic time of the change."""
    style = Tone.GOOD if isinstance(change, Resumed | Fresh) else Tone.WARNING
    return Text(connection_message(change, time.monotonic() - since), style)


def _indented(line: Text) -> Padding:
    """Without spaces up to the right edge: the terminal would echo the ``^C`` of Ctrl-C into a new line."""
    return Padding(line, (0, 0, 0, 3), expand=False)


def _headline(timeline: OrderTimeline) -> Text:
    order = timeline.order
    return Text.assemble((str(order.id)[:SHORT_ID], "bold"), "  ", terms(order))


def _rest(timeline: OrderTimeline, now: datetime, spinner: Spinner, data: LiveData) -> Iterator[RenderableType]:
    """What a resting order waits for, the distance of the market, what follows, and its validity."""
    order = data.order_of(timeline)
    spans = timeline.spans
    span = spans[-1] if spans else Span(timeline.status, order.updated_at)
    yield _row(span, now, spinner, Text(f"waits for {reading(order)}", Tone.WARNING))
    for distance in _distances(order, data, now):
        yield _indented(distance)
    for line in (
        f"then {what_follows(order)}",
        _valid(order, now),
        f"Ctrl-C stops watching; to cancel: orderctl cancel {str(order.id)[:SHORT_ID]}",
    ):
        yield _indented(Text(line, "dim"))


def _distances(order: OrderView, data: LiveData, now: datetime) -> Iterator[Text]:
    """The distance of the market from each of its prices; for an order with several executions, the part sold."""
    if not is_open(order):
        return
    if order.slices is not None:
        amounts = f"  {order.filled_amount_in or 0} of {order.amount_in} {order.token_in} sold, "
        following = () if order.paused or order.next_at is None else (("next ", ""),)
        yield Text.assemble(
            cell_text(sold_bar(order, DISTANCE_WIDTH)), amounts, cell_text((*following, next_execution(order, now)))
        )
        return
    paid = data.market.get((order.token_in, order.token_out))
    for condition, away in distances(order, paid) if paid else ():
        price = f"  {name_of(condition)} {sign(condition)} {condition.price or condition.describe()}"
        yield Text.assemble(cell_text(distance_bar(away, DISTANCE_WIDTH)), price)


def _valid(order: OrderView, now: datetime) -> str:
    if order.valid_until is None:
        return f"valid {validity(order)}"
    left = (order.valid_until - now).total_seconds()
    return f"expires in {duration(max(0.0, left))}, at {local_time(order.valid_until, now)}"


def _bar(timeline: OrderTimeline, now: datetime) -> Table:
    status = timeline.status
    spans = timeline.spans
    reached = max((STAGES.index(span.stage) for span in spans if span.stage in STAGES), default=0)
    style = STATE_TONES[status] if status in TERMINAL else Tone.MOVING
    row = Table.grid(padding=(0, 2, 0, 0))
    started = timeline.events[0].at if timeline.events else timeline.order.created_at
    ended = timeline.ended_at or now
    attempt = f"attempt {timeline.attempt}" if timeline.attempt > 1 else ""
    row.add_row(
        ProgressBar(
            total=len(STAGES) - 1, completed=reached, width=BAR_WIDTH, complete_style=style, finished_style=style
        ),
        status_text(status, is_unknown=timeline.unknown_since is not None, is_bold=True),
        Text(duration(max(0.0, (ended - started).total_seconds()))),
        Text(attempt, style=Tone.WARNING),
    )
    return row


def _stages(timeline: OrderTimeline, now: datetime, spinner: Spinner, room: int) -> Iterator[RenderableType]:
    """One row per stage, with further lines below it; at most ``room`` quotes, and nothing about the route for 0."""
    spans = {span.stage: span for span in timeline.spans}
    for stage in (*(status for status in OrderStatus if status in IDLE), *STAGES, *sorted(UNFILLED)):
        if (span := spans.get(stage)) is not None:
            details = _details(timeline, span, room)
            beside = Text(details.pop()) if len(details) == 1 else _wait(timeline, span, now)
            yield _row(span, now, spinner, beside)
            style = Tone.GOOD.bold if stage in FILLED else ""
            for line in details:
                yield _indented(Text(line, style))
        elif stage in STAGES and not timeline.is_over:
            yield Text.assemble(("·  ", "dim"), (STATES[stage].label, "dim"))


def _row(span: Span, now: datetime, spinner: Spinner, beside: Text) -> Table:
    if span.end is None:
        icon: RenderableType = spinner
    elif span.stage in UNFILLED:
        icon = Text("✗", STATE_TONES[span.stage])
    else:
        icon = Text("✓", Tone.GOOD)
    took = "" if span.stage in TERMINAL else duration(span.seconds(now))
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column()
    row.add_column(no_wrap=True, min_width=LABEL_WIDTH)
    row.add_column(justify="right", no_wrap=True, min_width=8)
    row.add_column(overflow="fold")
    row.add_row(icon, Text(STATES[span.stage].label), Text(took, "dim"), beside)
    return row


def _wait(timeline: OrderTimeline, span: Span, now: datetime) -> Text:
    """The reason and the remaining time of a wait."""
    wait = timeline.wait
    if span.stage not in WAITING or span.end is not None or wait is None:
        return Text()
    reason = f": {wait.reason}" if isinstance(wait, Deferred) else ""
    return Text(f"{waiting(wait.until, now)}{reason}", style=Tone.WARNING)


def _details(timeline: OrderTimeline, span: Span, room: int) -> list[str]:
    """Describe the event that ended a stage."""
    order = timeline.order
    if span.stage is OrderStatus.ROUTING:
        routed = timeline.routed
        if routed is None or not room:
            return []
        best = by_amount(routed.quotes)[:room]
        left_out = len(routed.quotes) - len(best)
        lines = describe(routed.model_copy(update={"quotes": tuple(best)}), order)
        return [*lines, f"  and {left_out} pools with worse quotes"] if left_out else lines
    if span.stage in RESTING:
        fired = [event for event in timeline.events if isinstance(event.data, Triggered)]
        return describe(fired[-1].data, order)[:1] if fired else []
    if span.stage in HELD | WAITING | WORKING:
        return []  # the condition is shown beside the stage
    events = [event for event in timeline.events if event.status is span.stage]
    return describe(events[-1].data, order, SIGNATURE_WIDTH) if events else []


def _failed_attempt(event: OrderEvent) -> Text:
    match event.data:
        case Retrying(attempt=attempt, code=code, detail=detail):
            return Text.assemble(("! ", Tone.WARNING), f"attempt {attempt} failed: {code}: {detail}")
        case Reclaimed():
            return Text.assemble(("! ", Tone.WARNING), "a worker died before signing")
        case RolledBack(slot=slot):
            return Text.assemble(("! ", Tone.WARNING), f"confirmed in slot {slot}, whose block was rolled back")
        case other:
            raise AssertionError(f"{other.kind} is not a setback")
