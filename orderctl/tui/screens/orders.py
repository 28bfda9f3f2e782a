"""The main screen: chart, blotter, prices, the daemon's load, depth, and the selected order."""

from typing import ClassVar
from uuid import UUID

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Input

from orderctl.display.detail import brief_view
from orderctl.tui.desk import Desk
from orderctl.tui.messages import ChartChosen, OrderHighlighted, PairChosen
from orderctl.tui.price_chart import INTERVALS, market_of
from orderctl.tui.remembered import Memory
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.blotter import Blotter
from orderctl.tui.widgets.candle_pane import CandlePane
from orderctl.tui.widgets.depth_pane import DepthPane
from orderctl.tui.widgets.gauges import Gauges
from orderctl.tui.widgets.key_line import KeyLine
from orderctl.tui.widgets.order_panel import OrderPanel
from orderctl.tui.widgets.price_panel import PricePanel
from orderctl.tui.widgets.tabs import Tab
from orderd.client.news import Caller

WIDE = 110
"""Minimum number of columns for the layout with panels beside the orders."""
HUGE = 170
"""Minimum number of columns for the layout with the depth panel."""
TALL = 36
"""Minimum number of lines for the layout with the chart."""
LOW = 18
"""With fewer lines, only the orders are shown."""
CHART = Binding.Group("Chart", compact=True)
TAB = Binding.Group("Tab", compact=True)


class OrdersScreen(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide"), (HUGE, "-huge")]  # noqa: RUF012  (Textual's own)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-middle"), (TALL, "-tall")]  # noqa: RUF012  (Textual's own)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Show only orders with these words", id="filter"),
        Binding("escape", "leave_filter", "All", tooltip="Drop the filter", id="all"),
        *(
            Binding(str(number), f"tab('{tab}')", tab.capitalize(), False, tooltip=f"The tab {tab}", id=f"tab-{tab}")
            for number, tab in enumerate(Tab, start=1)
        ),
        Binding("p", "chart", "Chart", False, tooltip="Show or hide the chart", id="chart"),
        Binding("plus,equals_sign", "zoom(-1)", "Zoom in", False, tooltip="Shorter candles", id="zoom-in"),
        Binding("minus", "zoom(1)", "Zoom out", False, key_display="-", tooltip="Longer candles", id="zoom-out"),
        Binding("left,left_square_bracket", "pan(1)", "Back", False, tooltip="Earlier candles", id="pan-back"),
        Binding("right,right_square_bracket", "pan(-1)", "On", False, tooltip="Later candles", id="pan-on"),
    ]
    blotter = getters.query_one(Blotter)
    candles = getters.query_one(CandlePane)

    def __init__(self, desk: Desk, caller: Caller, memory: Memory) -> None:
        super().__init__()
        self._desk = desk
        self._caller = caller
        self._memory = memory
        if memory.layout.interval in INTERVALS:
            desk.chart.interval = memory.layout.interval

    def compose(self) -> ComposeResult:
        yield Banner()
        with Container(id="body"):
            with Container(id="trading"):
                yield CandlePane()
                yield Blotter(self._desk, self._caller, self._memory)
            with Container(id="panels"):
                yield PricePanel()
                gauges = Gauges()
                gauges.border_title = "Daemon"
                yield gauges
                yield DepthPane(self._caller, with_figures=False)
                yield OrderPanel(self._desk, self._caller, brief_view, can_focus=False)
        yield Input(
            self._memory.layout.words,
            placeholder="filter by words: id, token, status, kind, price, venue, error",
            id="filter",
            compact=True,
            classes="-open" if self._memory.layout.words else "",
        )
        yield KeyLine()

    def on_mount(self) -> None:
        self._arrange()
        self.blotter.main.focus()
        self.draw()

    @property
    def order(self) -> UUID | None:
        """The order that keys act on."""
        return self.blotter.order

    def select(self, order: UUID) -> None:
        self.blotter.select(order)
        self._show_details()

    def draw(self) -> None:
        """Show the current state of the desk. Unchanged parts are not redrawn."""
        desk = self._desk
        self.set_class(desk.stale_since() is not None, "-stale")
        self.query_one(Banner).draw(desk)
        self.query_one(PricePanel).draw(desk)
        self.query_one(Gauges).draw(desk)
        self.query_one(DepthPane).draw(desk)
        self.candles.draw(desk)
        self._show_details()
        self.blotter.draw()

    def _show_details(self) -> None:
        panel = self.query_one(OrderPanel)
        if panel.display:  # on a narrow terminal there is no room for it
            panel.show(self.order)
            panel.draw()

    def action_tab(self, tab: str) -> None:
        self.blotter.show(Tab(tab))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "leave_filter" or bool(self.blotter.words) or isinstance(self.focused, Input)

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.add_class("-open")
        field.focus()

    def action_leave_filter(self) -> None:
        self.query_one("#filter", Input).clear()
        self._close_filter()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self.blotter.find(event.value)
        self.refresh_bindings()

    @on(Input.Submitted, "#filter")
    def _close_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.set_class(bool(field.value), "-open")
        self.blotter.main.focus()

    @on(OrderHighlighted)
    def _highlighted(self, event: OrderHighlighted) -> None:
        order = self._desk.book.get(event.order) if event.order is not None else None
        if order is not None and event.order == self.order:
            self.post_message(PairChosen(market_of(order.token_in, order.token_out)))

    # The chart

    def _arrange(self) -> None:
        wanted = self._memory.layout.chart
        self.set_class(wanted is True, "-chart")
        self.set_class(wanted is False, "-no-chart")

    def action_chart(self) -> None:
        self._memory.keep(chart=not self.candles.display)
        self._arrange()
        self.call_after_refresh(self.draw)

    def action_zoom(self, steps: int) -> None:
        if self._desk.chart.zoom(steps):
            self._memory.keep(interval=self._desk.chart.interval)
            self._request_candles()

    def action_pan(self, parts: int) -> None:
        if self._desk.chart.pan(parts):
            self._request_candles()

    def _request_candles(self) -> None:
        self.post_message(ChartChosen())
        self.draw()
