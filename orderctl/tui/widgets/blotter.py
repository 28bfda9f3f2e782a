"""The blotter: active, resting and ended orders, and fills, each in a tab."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import ClassVar
from uuid import UUID

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from orderctl.display.columns import COLUMNS, columns_of
from orderctl.display.resting import above, is_open
from orderctl.tui.desk import Desk
from orderctl.tui.families import Lines
from orderctl.tui.filter import wanted
from orderctl.tui.messages import FamilyFolded, SortChosen
from orderctl.tui.remembered import Memory
from orderctl.tui.sorting import Sorting
from orderctl.tui.sums import count_of, fills_title, outcomes, sold_by, titled
from orderctl.tui.widgets.fill_table import FillTable
from orderctl.tui.widgets.order_table import OrderTable
from orderctl.tui.widgets.tabs import Tab, Tabs
from orderd.client.errors import ClientError
from orderd.client.news import Caller
from orderd.client.protocol import params_of
from orderd.wire.fills import HistoryFill
from orderd.wire.message import Message
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams, OrderView
from orderd.wire.rpc import Method

SORT = Binding.Group("Sort", compact=True)


class Blotter(Container):
    """The tabs with their tables. Tab, sort order and filter are stored. ``words`` is the filter, in lower case."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", tooltip="Sort by the next column", id="sort", group=SORT),
        Binding("S", "reverse", "Reverse", tooltip="Reverse the sort order", id="reverse", group=SORT),
    ]
    active = getters.query_one("#active", OrderTable)
    ended = getters.query_one("#ended", OrderTable)
    fills = getters.query_one(FillTable)
    tabs = getters.query_one(Tabs)

    def __init__(self, desk: Desk, caller: Caller, memory: Memory) -> None:
        super().__init__(id="tables")
        self._desk = desk
        self._caller = caller
        self._memory = memory
        layout = memory.layout
        self.tab = Tab(layout.tab) if layout.tab in list(Tab) else Tab.ACTIVE
        self._columns = columns_of("active")
        self._sorting = Sorting.remembered(layout, self._columns)
        self.words: tuple[str, ...] = tuple(layout.words.lower().split())
        self._unfolded: frozenset[UUID] = frozenset()
        """Orders whose families are unfolded."""
        self._drawn_revision = -1
        self._drawn_frame: tuple[object, ...] = ()
        """Everything except the orders that causes a redraw when it changes."""
        self._listed: dict[Tab, list[OrderView]] = {}
        self._arrange()

    def compose(self) -> ComposeResult:
        yield Tabs(id="tabs")
        yield OrderTable(self._columns, id="active")
        ended = OrderTable(columns_of("ended"), id="ended")
        ended.border_title = "Ended"
        yield ended
        yield FillTable()

    @property
    def main(self) -> OrderTable | FillTable:
        """The main table of the current tab."""
        if self.tab is Tab.FILLS:
            return self.fills
        return self.ended if self.tab is Tab.HISTORY else self.active

    @property
    def order(self) -> UUID | None:
        """The order that keys act on."""
        focused = self.screen.focused
        if isinstance(focused, OrderTable | FillTable) and focused.display:
            return focused.selected
        return self.main.selected

    @property
    def listed(self) -> list[OrderView]:
        """The orders of the current tab, as listed."""
        return self._listed.get(self.tab, [])

    @property
    def exported(self) -> tuple[Sequence[Message], type[Message]]:
        """The rows of the current tab, and their class."""
        if self.tab is Tab.FILLS:
            return self.fills.fills, HistoryFill
        return self.listed, OrderView

    # Tabs and filters

    def select(self, order: UUID) -> None:
        """Select an active order."""
        if self.tab in (Tab.HISTORY, Tab.FILLS):
            self.show(Tab.ACTIVE)
        self.active.select(order)
        self.active.focus()

    def show(self, tab: Tab) -> None:
        self.tab = tab
        self._memory.keep(tab=str(tab))
        self._arrange()
        self.draw()
        self.main.focus()

    def _arrange(self) -> None:
        for tab in Tab:
            self.set_class(tab is self.tab, f"-{tab}")

    def find(self, words: str) -> None:
        self.words = tuple(words.lower().split())
        self._memory.keep(words=words)
        self.draw()

    # Drawing

    def draw(self) -> None:
        """Show the current state of the desk. Unchanged parts are not redrawn."""
        desk, now = self._desk, self._desk.clock()
        requested = (self._sorting, self.words, self._unfolded, self.tab)
        frame = (int(now.timestamp()), requested, desk.received_at is None, desk.history)
        if (desk.book.revision, frame) == (self._drawn_revision, self._drawn_frame):
            return
        book = desk.book
        is_among = is_open if self.tab is Tab.OPEN else None
        active = self._lines(book.active, self._sorting.apply, is_among)
        ended = self._lines(book.ended, partial(sorted, key=attrgetter("updated_at"), reverse=True))
        if frame != self._drawn_frame:
            # A new title redraws the whole table, so counts and sums are updated once per second.
            self._show_counts(active, ended)
        self._listed = {Tab.ACTIVE: active.orders, Tab.OPEN: active.orders, Tab.HISTORY: ended.orders}
        if self.tab is Tab.FILLS:
            self.fills.show(desk.history, self.words)
        else:
            self._show_orders(active, ended)
        self._drawn_revision, self._drawn_frame = book.revision, frame

    def _show_orders(self, active: Lines, ended: Lines) -> None:
        desk, now = self._desk, self._desk.clock()
        self.active.show(
            active.orders,
            now,
            if_empty=self._why_none(desk.book.active, "active"),
            sorted_by=self._sorting.column.name,
            market=desk.market,
            marks=active.marks,
        )
        # Times in this table are in minutes, so it does not need to be redrawn every second.
        minute = now.replace(second=0, microsecond=0)
        self.ended.show(ended.orders, minute, if_empty=self._why_none(desk.book.ended, "ended"), marks=ended.marks)

    def _show_counts(self, active: Lines, ended: Lines) -> None:
        """Update the titles of tables and tabs, with counts and sums."""
        desk, is_cut = self._desk, bool(self.words)
        name = "Open" if self.tab is Tab.OPEN else "Active"
        counted = count_of(active, is_cut=is_cut or self.tab is Tab.OPEN)
        self.active.border_title = titled(f"{name} {counted}, {self._sorting}", sold_by(active.orders))
        sums = outcomes(ended.orders) if self.tab is Tab.HISTORY else ""
        self.ended.border_title = titled(f"Ended {count_of(ended, is_cut=is_cut)}", sums)
        error = desk.errors.get("history")
        title = fills_title(desk.history, len(self.fills.fills), is_cut=is_cut)
        self.fills.border_title = title if error is None else f"{error.title}: {error.detail}"
        counts = {
            Tab.ACTIVE: active.known,
            Tab.OPEN: sum(above(order) is None for order in desk.book.resting.values()),
            Tab.HISTORY: ended.known,
        }
        if desk.history is not None and desk.history.totals is not None:
            counts[Tab.FILLS] = desk.history.totals.fills
        self.tabs.show(self.tab, {tab: str(count) for tab, count in counts.items()})

    def _lines(
        self,
        table: Mapping[UUID, OrderView],
        in_order: Callable[[Iterable[OrderView]], list[OrderView]],
        is_among: Callable[[OrderView], bool] | None = None,
    ) -> Lines:
        return Lines(table, self._desk.book, in_order, wanted(self.words, is_among), self._unfolded)

    def _why_none(self, known: Mapping[UUID, OrderView], kind: str) -> str:
        if known and self.words:
            return "none with these words; esc drops the filter"
        if self._desk.received_at is None:
            return "not known yet"
        if kind == "ended":
            return "none yet"
        if known:
            return "none of the active orders rests"
        return "none" if self._desk.read_only else "none; n makes a new one"

    # Sorting and families

    def action_sort(self) -> None:
        self._sort(self._sorting.by_next(self._columns))

    def action_reverse(self) -> None:
        self._sort(self._sorting.turned())

    @on(SortChosen)
    def _sort_chosen(self, event: SortChosen) -> None:
        if event.column == self._sorting.column.name:
            self.action_reverse()
        elif event.column in {column.name for column in self._columns}:
            self._sort(Sorting.by(COLUMNS[event.column]))

    def _sort(self, sorting: Sorting) -> None:
        self._sorting = sorting
        sorting.keep(self._memory)
        self.draw()
        self.active.action_first()

    @on(FamilyFolded)
    def _fold(self, event: FamilyFolded) -> None:
        """Fold or unfold the order's family; for an order without children, that of its parent."""
        book = self._desk.book
        order = book.get(event.order)
        if order is None:
            return
        family = order.id if order.id in book.families else above(order)
        assert family is not None, "only orders in a family have a mark"
        self._unfolded ^= {family}
        self.draw()
        if isinstance(table := self.screen.focused, OrderTable):
            table.select(family)
        if family in self._unfolded:
            self._read_family(family)

    @work(exclusive=True, group="family", exit_on_error=False)
    async def _read_family(self, family: UUID) -> None:
        """Read child orders that ended before the TUI was opened."""
        with suppress(ClientError):  # unknown orders are not shown
            detail = await self._caller.call(Method.ORDER_GET, params_of(GetParams, order=str(family)), OrderDetail)
            self._desk.book.put_all(detail.children)
