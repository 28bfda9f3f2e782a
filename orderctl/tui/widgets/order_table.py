"""A table of orders that draws only the lines in sight: two thousand orders cost what twenty do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size, Spacing
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderctl.tui.columns import GAP, Column, fitting, shortened
from orderctl.tui.messages import OrderChosen, OrderHighlighted, SortChosen
from orderd.wire import OrderView

HEADER_LINES = 1


class OrderTable(ScrollView, can_focus=True):
    """``show`` gives it the orders, in their order. The cursor stays on its order, wherever that moves to."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"order-table--{role}"
        for role in ("header", "sorted", "cursor", "id", "waiting", "moving", "good", "bad", "muted")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Detail", tooltip="All that is known of the order under the cursor", id="detail"),
        Binding("tab", "app.focus_next", "Table", tooltip="To the other table and back", id="table"),
        Binding("up,k", "move(-1)", "Up", show=False, tooltip="The order above", id="up"),
        Binding("down,j", "move(1)", "Down", show=False, tooltip="The order below", id="down"),
        Binding("pageup", "page(-1)", "Page up", show=False, tooltip="A screenful up", id="page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, tooltip="A screenful down", id="page-down"),
        Binding("home,g", "first", "First", show=False, tooltip="The first order", id="first"),
        Binding("end,G", "last", "Last", show=False, tooltip="The last order", id="last"),
    ]

    def __init__(self, columns: tuple[Column, ...], id: str) -> None:
        super().__init__(id=id)
        self._all_columns = columns
        self._orders: Sequence[OrderView] = ()
        self._now = datetime.fromtimestamp(0, UTC)
        self._cursor = 0
        self.selected: UUID | None = None
        """The order under the cursor."""
        self.sorted_by: str | None = None
        """The name of the column to mark."""
        self._if_empty = ""
        self._styles: dict[str, Style] = {}

    def show(self, orders: Sequence[OrderView], now: datetime, *, if_empty: str, sorted_by: str | None = None) -> None:
        """Draw these from now on, as of ``now``; where there are none, ``if_empty`` says why."""
        before = self._cursor
        self._orders, self._now, self.sorted_by, self._if_empty = orders, now, sorted_by, if_empty
        self.virtual_size = Size(0, HEADER_LINES + len(orders))
        for index, order in enumerate(orders):
            if order.id == self.selected:
                self._cursor = index
                break
        if before != self._cursor and self._in_sight(before):
            # What the trader looks at stays where it is, while other orders come and go above it.
            self.scroll_to(y=self.scroll_offset.y + self._cursor - before, animate=False)
        self._settle()
        self.refresh()

    def select(self, order: UUID) -> None:
        """Put the cursor on this order, if it is among those shown."""
        for index, known in enumerate(self._orders):
            if known.id == order:
                self._move_to(index)

    def action_move(self, lines: int) -> None:
        self._move_to(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        self._move_to(self._cursor + pages * max(1, self.size.height - HEADER_LINES))

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(len(self._orders) - 1)

    def action_choose(self) -> None:
        if self.selected is not None:
            self.post_message(OrderChosen(self.selected))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y < HEADER_LINES:
            if (column := self._column_at(at.x)) is not None:
                self.post_message(SortChosen(column.name))
            return
        line = at.y - HEADER_LINES + self.scroll_offset.y
        if line < len(self._orders):
            self._move_to(line)
            if event.chain == 2:
                self.action_choose()

    @property
    def _columns(self) -> tuple[Column, ...]:
        return fitting(self._all_columns, self.scrollable_content_region.width - 1)  # a blank before the scrollbar

    def on_focus(self) -> None:
        self.post_message(OrderHighlighted(self.selected))

    def _move_to(self, line: int) -> None:
        self._cursor = line
        self.selected = None
        self._settle()
        region = Region(0, HEADER_LINES + self._cursor, 1, 1)
        self.scroll_to_region(region, spacing=Spacing(HEADER_LINES, 0, 0, 0), animate=False, force=True)
        self.refresh()

    def _settle(self) -> None:
        """Keep the cursor on a line that there is, and say so when another order is under it."""
        self._cursor = max(0, min(self._cursor, len(self._orders) - 1))
        selected = self._orders[self._cursor].id if self._orders else None
        if selected != self.selected or selected is None:
            self.selected = selected
            self.post_message(OrderHighlighted(selected))

    def _in_sight(self, line: int) -> bool:
        top = self.scroll_offset.y
        return top <= line < top + self.size.height - HEADER_LINES

    def _column_at(self, x: int) -> Column | None:
        for column in self._columns:
            x -= column.width + GAP
            if x < 0:
                return column
        return None

    def render_line(self, y: int) -> Strip:
        if y < HEADER_LINES:
            return self._header()
        line = y - HEADER_LINES + self.scroll_offset.y
        if line >= len(self._orders):
            said = self._if_empty if not self._orders and line == 0 else ""
            text = Segment(said, self.rich_style + self._style("muted"))
            return Strip([text]).adjust_cell_length(self.size.width, self.rich_style)
        return self._row(self._orders[line], is_cursor=line == self._cursor)

    def _header(self) -> Strip:
        base = self.rich_style
        segments = []
        for column in self._columns:
            role = "sorted" if column.name == self.sorted_by else "header"
            text = column.name.rjust(column.width) if column.right else column.name.ljust(column.width)
            segments += [Segment(text, base + self._style(role)), Segment(" " * GAP, base)]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _row(self, order: OrderView, *, is_cursor: bool) -> Strip:
        base = self.rich_style
        over = self._style("cursor") if is_cursor and self.has_focus else Style()
        segments: list[Segment] = []
        for column in self._columns:
            cells = shortened(column.cells(order, self._now), column.width)
            padding = Segment(" " * (column.width - sum(len(text) for text, _ in cells)), base + over)
            filled = [Segment(text, base + self._style(role) + over if role else base + over) for text, role in cells]
            segments += [padding, *filled] if column.right else [*filled, padding]
            segments.append(Segment(" " * GAP, base + over))
        return Strip(segments).adjust_cell_length(self.size.width, base + over)

    def _style(self, role: str) -> Style:
        """A role's colours; one that is partly transparent is laid over the background."""
        if (known := self._styles.get(role)) is None:
            names = f"order-table--{role}"
            known = self.get_component_rich_style(names, partial=True)
            if (colour := self.get_component_styles(names).color).a < 1:
                known += Style.from_color((self.background_colors[1] + colour).rich_color)
            self._styles[role] = known
        return known

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
