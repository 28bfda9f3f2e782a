"""The screen with statistics of venues, services and the chain: latencies, slots, errors and outcomes."""

from collections import Counter, deque
from decimal import Decimal
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from orderctl.display.endpoints import endpoints_table
from orderctl.display.formats import milliseconds
from orderctl.display.tables import plain_table
from orderctl.output.colours import Tone
from orderctl.tui.answers import lost, middle, worst
from orderctl.tui.desk import Desk
from orderctl.tui.prices import sparkline
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.key_line import KeyLine
from orderd.wire.status import StatusResult

LINE = 24
"""Width of a sparkline, in characters."""


class VenuesScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", tooltip="Back to the orders", id="leave-venues"),
    ]
    services = getters.query_one("#services", Static)
    endpoints = getters.query_one("#endpoints", Static)
    venues = getters.query_one("#venues", Static)
    errors = getters.query_one("#errors", Static)

    def __init__(self, desk: Desk) -> None:
        super().__init__(name="venues")
        self._desk = desk
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Banner()
        with VerticalScroll(id="report"):
            for name, title in (
                ("services", "Services, over the last two minutes"),
                ("endpoints", "Endpoints of the chain, over the last minute; lag in slots"),
                ("venues", "Venues, since this screen was opened; fills of the newest 200"),
                ("errors", "Errors of the ended orders that this screen knows"),
            ):
                panel = Static(id=name, classes="panel")
                panel.border_title = title
                yield panel
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#report").focus()
        self.draw()

    def draw(self) -> None:
        desk = self._desk
        self.set_class(desk.stale_since() is not None, "-stale")
        self.query_one(Banner).draw(desk)
        drawn = (int(desk.clock().timestamp()), desk.status, desk.history)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.services.update(_services(desk))
        self.endpoints.update(_endpoints(desk.status))
        self.venues.update(_venues(desk))
        self.errors.update(_errors(desk))


def _services(desk: Desk) -> Group:
    table = plain_table(
        ("SERVICE", "left"), ("STATE", "left"), ("NOW", "right"), ("MEDIAN", "right"), ("WORST", "right"),
        ("FAILED", "right"), ("", "left"),
    )  # fmt: skip
    for name, times in desk.answers.services.items():
        now = times[-1] if times else None
        state = Text("ok", Tone.GOOD) if now is not None else _state(desk.status, name)
        failures = lost(times)
        table.add_row(
            name,
            state,
            milliseconds(now),
            milliseconds(middle(times)),
            milliseconds(worst(times)),
            Text(str(failures), Tone.BAD if failures else Tone.MUTED),
            Text(_line(times), Tone.MOVING),
        )
    # Below the table, because another column would not fit on a narrow terminal.
    return Group(table, _chain(desk))


def _state(status: StatusResult | None, name: str) -> Text:
    """The state of a service without a latency: it failed, or the daemon is older and does not send latencies."""
    health = status.services.get(name) if status is not None else None
    if health is None or health.ok:
        return Text("ok" if health is not None else "unknown", Tone.GOOD if health is not None else Tone.WARNING)
    return Text(health.detail or "not ok", Tone.ALARM)


def _chain(desk: Desk) -> Text:
    answers = desk.answers
    if answers.slot is None or answers.slot_at is None:
        return Text("chain: slot not known yet", Tone.WARNING)
    age = max(0.0, (desk.clock() - answers.slot_at).total_seconds())
    rate = "" if answers.slots_per_second is None else f", {answers.slots_per_second:.1f} slots per second"
    return Text(f"chain: slot {answers.slot}, {age:.0f} s old{rate}", Tone.BAD if age > 5 else "")


def _endpoints(status: StatusResult | None) -> Table | Text:
    if status is None or not status.endpoints:  # an older daemon does not report it
        return Text("not known", Tone.MUTED)
    return endpoints_table(status.endpoints)


def _venues(desk: Desk) -> Table:
    table = plain_table(
        ("VENUE", "left"), ("QUOTES", "right"), ("BEST", "right"), ("REFUSED", "right"), ("FILLS", "right"),
        ("QUOTE BP", "right"), ("LAST REFUSAL", "left"),
    )  # fmt: skip
    fills = desk.history.fills if desk.history is not None else ()
    for name, venue in desk.answers.venues.items():
        own = [fill for fill in fills if fill.venue is not None and fill.venue.startswith(name)]
        slippage = [Decimal(fill.quote_slippage_bps) for fill in own if fill.quote_slippage_bps is not None]
        refused = venue.requested - venue.answered
        worst_code = venue.refusals.most_common(1)
        refusal = f"{worst_code[0][0]}: {venue.last_refusal}" if worst_code else ""
        table.add_row(
            name,
            f"{venue.answered} of {venue.requested}",
            f"{venue.best * 100 // venue.requested} %" if venue.requested else "-",
            Text(str(refused), Tone.WARNING if refused else Tone.MUTED),
            str(len(own)),
            f"{sum(slippage) / len(slippage):.2f}" if slippage else "-",
            Text(refusal, Tone.WARNING),
        )
    return table


def _errors(desk: Desk) -> Table | Text:
    codes = Counter(
        (order.error.code, order.venue or "-") for order in desk.book.ended.values() if order.error is not None
    )
    if not codes:
        return Text("no errors", "dim")
    table = plain_table(("ERROR", "left"), ("VENUE", "left"), ("ORDERS", "right"))
    for (code, venue), count in codes.most_common(12):
        table.add_row(Text(code, Tone.BAD), venue, str(count))
    return table


def _line(times: deque[float | None]) -> str:
    shown = [None if time is None else Decimal(str(time)) for time in list(times)[-LINE:]]
    known = [time for time in shown if time is not None]
    return "".join(sparkline(shown, Decimal(0), max(known), 1)) if known else ""
