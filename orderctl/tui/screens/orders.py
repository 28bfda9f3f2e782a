"""The first screen: all active orders, those that ended lately, prices, and the daemon's load."""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer, Input

from orderctl.tui.columns import ACTIVE_COLUMNS, AGE, ENDED_COLUMNS, matches
from orderctl.tui.desk import Desk
from orderctl.tui.messages import OrderHighlighted, SortChosen
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.gauges import Gauges
from orderctl.tui.widgets.order_table import OrderTable
from orderctl.tui.widgets.price_panel import PricePanel
from orderd.wire import OrderView

WIDE = 110
"""Columns of a terminal from which prices and load stand beside the orders, not below them."""


class OrdersScreen(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  (Textual's own declaration)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Show only orders with these words", id="filter"),
        Binding("s", "sort", "Sort", tooltip="Sort by the next column", id="sort"),
        Binding("S", "reverse", "Reverse", show=False, tooltip="Turn the order of sorting round", id="reverse"),
        Binding("escape", "leave_filter", "All", show=False, tooltip="Drop the filter", id="all"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._sorted_by = AGE
        self._is_reversed = True
        self._words: tuple[str, ...] = ()
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Banner()
        with Container(id="body"):
            with Container(id="tables"):
                active = OrderTable(ACTIVE_COLUMNS, id="active")
                yield active
                ended = OrderTable(ENDED_COLUMNS, id="ended")
                ended.border_title = "Ended"
                yield ended
            with Container(id="panels"):
                yield PricePanel()
                gauges = Gauges()
                gauges.border_title = "Daemon"
                yield gauges
        yield Input(placeholder="words to look for: id, token, status, venue, error", id="filter", compact=True)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#active").focus()
        self.draw()

    @property
    def order(self) -> UUID | None:
        """The order that keys are about."""
        table = self.focused if isinstance(self.focused, OrderTable) else self.query_one("#active", OrderTable)
        return table.selected

    def select(self, order: UUID) -> None:
        table = self.query_one("#active", OrderTable)
        table.select(order)
        table.focus()

    def draw(self) -> None:
        """Show the desk as it is now. What has not changed is not drawn again."""
        desk = self._desk
        self.set_class(desk.stale_since() is not None, "-stale")
        for panel in (self.query_one(Banner), self.query_one(PricePanel), self.query_one(Gauges)):
            panel.draw(desk)
        now = desk.clock()
        shown = (desk.book.revision, int(now.timestamp()), self._sorted_by, self._is_reversed, self._words)
        if shown == self._drawn:
            return
        self._drawn = shown
        column, book = self._sorted_by, desk.book
        active = sorted(self._matching(book.active.values()), key=column.key, reverse=self._is_reversed)
        ended = sorted(self._matching(book.ended.values()), key=lambda order: order.updated_at, reverse=True)
        table = self.query_one("#active", OrderTable)
        table.show(active, now, column.name)
        count = f"{len(active)} of {len(book.active)}" if self._words else f"{len(active)}"
        table.border_title = f"Active {count}, by {column.name.lower()} {'↓' if self._is_reversed else '↑'}"
        self.query_one("#ended", OrderTable).show(ended, now)

    def _matching(self, orders: Iterable[OrderView]) -> list[OrderView]:
        return [order for order in orders if matches(order, self._words)]

    def action_sort(self) -> None:
        index = ACTIVE_COLUMNS.index(self._sorted_by) + 1
        self._sort_by(ACTIVE_COLUMNS[index % len(ACTIVE_COLUMNS)].name)

    def action_reverse(self) -> None:
        self._is_reversed = not self._is_reversed
        self._show_from_the_top()

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.add_class("-open")
        field.focus()

    def action_leave_filter(self) -> None:
        self.query_one("#filter", Input).clear()
        self._close_filter()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self._words = tuple(event.value.lower().split())
        self.draw()

    @on(Input.Submitted, "#filter")
    def _close_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.set_class(bool(field.value), "-open")
        self.query_one("#active").focus()

    @on(SortChosen)
    def _sort_chosen(self, event: SortChosen) -> None:
        if event.column == self._sorted_by.name:
            self.action_reverse()
        else:
            self._sort_by(event.column)

    def _sort_by(self, name: str) -> None:
        for column in ACTIVE_COLUMNS:
            if column.name == name:
                self._sorted_by, self._is_reversed = column, column is AGE
        self._show_from_the_top()

    def _show_from_the_top(self) -> None:
        self.draw()
        self.query_one("#active", OrderTable).action_first()

    @on(OrderHighlighted)
    def _highlighted(self, event: OrderHighlighted) -> None:
        order = self._desk.book.get(event.order) if event.order is not None else None
        if order is not None and event.order == self.order:
            self._desk.pair = (order.token_in, order.token_out)
