"""The first screen: all active orders, those that ended lately, prices, and the daemon's load."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import ClassVar
from uuid import UUID

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer, Input

from orderctl.display.columns import COLUMNS, columns_of
from orderctl.display.detail import brief_view
from orderctl.display.resting import above
from orderctl.tui.desk import Desk
from orderctl.tui.families import Lines
from orderctl.tui.filter import matches
from orderctl.tui.messages import FamilyFolded, OrderHighlighted, PairChosen, SortChosen
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.gauges import Gauges
from orderctl.tui.widgets.order_table import OrderTable
from orderctl.tui.widgets.price_panel import PricePanel
from orderctl.tui.widgets.story import OrderStory
from orderd.client.errors import ClientError
from orderd.client.link import Caller
from orderd.client.protocol import params_of
from orderd.wire import GetParams, Method, OrderDetail, OrderView

WIDE = 110
"""Columns of a terminal from which prices and load stand beside the orders, not below them."""


NEWEST_FIRST = "age"
"""The column that orders are sorted by at first, and from its end."""
SORT = Binding.Group("Sort", compact=True)


class OrdersScreen(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  (Textual's own declaration)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Show only orders with these words", id="filter"),
        Binding("escape", "leave_filter", "All", tooltip="Drop the filter", id="all"),
        Binding("s", "sort", "Sort", tooltip="Sort by the next column", id="sort", group=SORT),
        Binding("S", "reverse", "Reverse", tooltip="Turn the order of sorting round", id="reverse", group=SORT),
    ]

    def __init__(self, desk: Desk, caller: Caller) -> None:
        super().__init__()
        self._desk = desk
        self._caller = caller
        self._columns = columns_of("active")
        self._sorted_by = COLUMNS[NEWEST_FIRST]
        self._is_reversed = True
        self._words: tuple[str, ...] = ()
        self._unfolded: frozenset[UUID] = frozenset()
        """Orders whose families are open to be seen."""
        self._drawn_revision = -1
        self._drawn_frame: tuple[object, ...] = ()
        """All that is drawn again when it changes, but the orders."""

    def compose(self) -> ComposeResult:
        yield Banner()
        with Container(id="body"):
            with Container(id="tables"):
                active = OrderTable(self._columns, id="active")
                yield active
                ended = OrderTable(columns_of("ended"), id="ended")
                ended.border_title = "Ended"
                yield ended
            with Container(id="panels"):
                yield PricePanel()
                gauges = Gauges()
                gauges.border_title = "Daemon"
                yield gauges
                yield OrderStory(self._desk, self._caller, brief_view, can_focus=False)
        yield Input(
            placeholder="words to look for: id, token, status, kind, price, venue, error", id="filter", compact=True
        )
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
        story = self.query_one(OrderStory)
        if story.display:  # on a narrow terminal there is no room for it
            story.show(self.order)
            story.draw()
        now = desk.clock()
        asked_for = (self._sorted_by, self._is_reversed, self._words, self._unfolded)
        frame = (int(now.timestamp()), asked_for, desk.heard_at is None)
        if (desk.book.revision, frame) == (self._drawn_revision, self._drawn_frame):
            return
        column, book = self._sorted_by, desk.book
        active = self._lines(book.active, partial(sorted, key=column.key, reverse=self._is_reversed))
        ended = self._lines(book.ended, partial(sorted, key=attrgetter("updated_at"), reverse=True))
        tables = self.query_one("#active", OrderTable), self.query_one("#ended", OrderTable)
        if frame != self._drawn_frame:
            # A new title draws all of a table again, so counts are told once a second.
            by = f"by {column.heading.lower()} {'↓' if self._is_reversed else '↑'}"
            tables[0].border_title = f"Active {self._count(active)}, {by}"
            tables[1].border_title = f"Ended {self._count(ended)}"
        tables[0].show(
            active.orders,
            now,
            if_empty=self._why_none(book.active, "active"),
            sorted_by=column.name,
            market=desk.market,
            marks=active.marks,
        )
        # To the minute, as its times are: it has no need to be drawn each second.
        minute = now.replace(second=0, microsecond=0)
        tables[1].show(ended.orders, minute, if_empty=self._why_none(book.ended, "ended"), marks=ended.marks)
        self._drawn_revision, self._drawn_frame = desk.book.revision, frame

    def _lines(self, table: Mapping[UUID, OrderView], in_order: Callable[..., list[OrderView]]) -> Lines:
        is_found = (lambda order: matches(order, self._words)) if self._words else None
        return Lines(table, self._desk.book, in_order, is_found, self._unfolded)

    def _count(self, lines: Lines) -> str:
        return f"{lines.found} of {lines.known}" if self._words else f"{lines.known}"

    def _why_none(self, known: Mapping[UUID, OrderView], kind: str) -> str:
        if known:
            return "none with these words; esc drops the filter"
        if self._desk.heard_at is None:
            return "not known yet"
        if kind == "ended":
            return "none yet"
        return "none" if self._desk.read_only else "none; n makes a new one"

    def action_sort(self) -> None:
        index = self._columns.index(self._sorted_by) + 1
        self._sort_by(self._columns[index % len(self._columns)].name)

    def action_reverse(self) -> None:
        self._is_reversed = not self._is_reversed
        self._show_from_the_top()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "leave_filter" or bool(self._words) or isinstance(self.focused, Input)

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
        self.refresh_bindings()
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
        self._sorted_by, self._is_reversed = COLUMNS[name], name == NEWEST_FIRST
        self._show_from_the_top()

    def _show_from_the_top(self) -> None:
        self.draw()
        self.query_one("#active", OrderTable).action_first()

    @on(FamilyFolded)
    def _fold(self, event: FamilyFolded) -> None:
        """Of an order that has no family below it, that of its parent."""
        book = self._desk.book
        order = book.get(event.order)
        if order is None:
            return
        family = order.id if order.id in book.families else above(order)
        assert family is not None, "what has a mark is in a family"
        self._unfolded ^= {family}
        self.draw()
        if isinstance(table := self.focused, OrderTable):
            table.select(family)
        if family in self._unfolded:
            self._read_family(family)

    @work(exclusive=True, group="family", exit_on_error=False)
    async def _read_family(self, family: UUID) -> None:
        """What has ended of it before anybody listened."""
        with suppress(ClientError):  # what is not known is not shown
            detail = await self._caller.call(Method.ORDER_GET, params_of(GetParams, order=str(family)), OrderDetail)
            self._desk.book.put_all(detail.children)

    @on(OrderHighlighted)
    def _highlighted(self, event: OrderHighlighted) -> None:
        order = self._desk.book.get(event.order) if event.order is not None else None
        if order is not None and event.order == self.order:
            self.post_message(PairChosen((order.token_in, order.token_out)))
